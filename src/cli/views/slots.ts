import { chanceCoherence, coldStartMs, cyclesApart, ownTtlMs } from '../../herd/index.ts';
import type { ActStep, Plan, PlanStep } from '../../model/index.ts';
import {
  clockTime,
  duration,
  nameServers,
  slotsAhead,
  slottedOf,
  type Machine,
  type RunEvent,
  type RunState,
  type Track,
} from '../../run/index.ts';

/** What became of a step's slots: their order, or another pace. */
export function slotsText(event: Extract<RunEvent, { type: 'scheduled' | 'paced' }>): string {
  if (event.type === 'paced') return paceText(event);
  const { step, servers, known } = event;
  const unknown = servers.length - known;
  if (known === 0) return `step ${step}: ${servers.length} slots in the plan's order, for no ages are known`;
  const from = unknown === 0 ? '' : `; the ages of ${unknown} are not known, and count as expired`;
  return `step ${step}: ${servers.length} slots, earliest expiry first: ${nameServers(servers)}${from}`;
}

function paceText({ step, share, why }: Extract<RunEvent, { type: 'paced' }>): string {
  if (share === 0) return `step ${step}: NO MORE SLOTS until it is calm: ${why}`;
  return `step ${step}: slots at ${share === 1 ? 'their full pace again' : `${Math.round(share * 100)}% of their pace`}: ${why}`;
}

/**
 * For each step of the main line with slots: what the model of the fleet made of them, and why they keep their bound.
 * For those of contingencies: how long a cold start of everybody takes.
 */
export function slotLines({ header, slices }: Plan): string[] {
  const servers = slices.flatMap((slice) => slice.servers);
  const cold = header.contingencies.flatMap(({ group, steps }) => {
    const count = servers.filter((server) => server.group === group).length;
    return steps.flatMap((step) => (step.step === 'act' && step.slots ? [coldStart(step, count)] : []));
  });
  return [
    ...header.steps.flatMap((step) => (isTried(step) ? [tried(step), proof(step), ...advice(step)] : [])),
    ...cold,
  ];
}

function coldStart({ id, perSecond }: ActStep, servers: number): string {
  const warmMs = coldStartMs(servers, perSecond ?? Infinity);
  return `Slots of step ${id}: should all ${servers} come back cold, the last is warm after ${duration(warmMs)}`;
}

/** What keeps expiries apart from then on: said where they are brought apart. */
function advice({ slots, waves }: Tried): string[] {
  const { ttlMs, coherenceBelow } = slots;
  const [name] = waves.flat();
  if (coherenceBelow === null || ttlMs === null || name === undefined || ttlMs.min === ttlMs.max) return [];
  const ttl = { minMs: ttlMs.min, maxMs: ttlMs.max };
  const own = cyclesApart(ttl, 'per-server', coherenceBelow);
  const drawn = cyclesApart(ttl, 'per-refresh', coherenceBelow);
  if (own === null || drawn === null) return [];
  return [
    `      afterwards give each server a time to live of its own, to the millisecond, by a hash of its name (${name}: ${ownTtlMs(name, ttl)} ms): what a reset brings together is apart after ${own} cycles then, and after ${drawn} where it is drawn anew each time`,
  ];
}

type Tried = ActStep & { slots: { forecast: object } };

function isTried(step: PlanStep): step is Tried {
  return step.step === 'act' && step.slots !== undefined && step.slots.forecast !== null;
}

function tried({ id, slots, waves }: Tried): string {
  const { trials, peakP50, peakP99, capacityPerSecond, spanMs, late } = slots.forecast;
  const parts = [
    `${duration(spanMs)} of slots`,
    `in ${trials} trials a peak of ${peakP50} refreshes a second, p99 ${peakP99}${capacityPerSecond === null ? '' : `, of ${number(capacityPerSecond)} that can be served`}`,
    ...(late === null || late === 0 ? [] : [`${late} expire before their slot`]),
    ...togetherWords(slots, waves.flat().length),
  ];
  return `Slots of step ${id}: ${parts.join('; ')}`;
}

/** Said where expiries are to be brought apart. */
function togetherWords({ coherenceBelow, forecast }: Tried['slots'], servers: number): string[] {
  if (coherenceBelow === null || forecast?.coherenceAfter == null) return [];
  const now = forecast.coherence === null ? '' : `${forecast.coherence.toFixed(2)} now and `;
  return [
    `expiries lie together by ${now}${forecast.coherenceAfter.toFixed(2)} behind it (1 is all at once; chance alone stays below ${chanceCoherence(servers).toFixed(2)})`,
  ];
}

function proof({ slots }: Tried): string {
  const [first, ...also] = slots.resources;
  const { leastPerSecond } = slots.forecast;
  const each = also.map(({ name, everyMs, of }) => `${name} ${number(1000 / everyMs)}/s${of === null ? '' : ' each'}`);
  const bounds = [
    `at most floor(${number(1000 / (first?.everyMs ?? 1000))} x w) + 1 begin in any w seconds`,
    ...each,
  ].join(', ');
  const needs = leastPerSecond === null ? '' : ` (${number(leastPerSecond)}/s would suffice)`;
  const order =
    also.length === 0
      ? `and no order meets an expiry that earliest deadline first misses${needs}`
      : `and whoever must begin first goes first${needs}`;
  return `      ${bounds}, ${order}`;
}

/** When the last slot of the step under way comes, as it looks now; that slots come slower than their bound, or not at all, and why. */
export function slotStatus(state: RunState, track: Track, { index }: Machine): string[] {
  const last = slotsAhead(state, track, index).at(-1);
  const pace = slottedOf(track, index)?.act.pace;
  const percent = `slots at ${Math.round((pace?.share ?? 1) * 100)}% of their bound`;
  return [
    ...(last ? [`  the last slot comes at ${clockTime(last.atMs)}, as it looks now`] : []),
    ...(pace && pace.share < 1
      ? [`  ${pace.share === 0 ? 'no slots are given' : percent} since ${clockTime(pace.sinceMs)}: ${pace.why}`]
      : []),
  ];
}

/** What a step's slots have besides their rate: a canary, and other resources. */
export function slotWords({ slots }: ActStep): string[] {
  if (!slots) return [];
  const { canary, resources } = slots;
  return [
    ...(canary === null ? [] : [`${canary.servers} first, the others ${duration(canary.pauseMs)} behind`]),
    ...resources
      .slice(1)
      .map(({ name, everyMs, of }) => `${of === null ? '' : 'each '}${name} ${number(1000 / everyMs)}/s`),
  ];
}

function number(value: number): string {
  return String(Number(value.toFixed(value < 10 ? 2 : 1)));
}
