import {
  coherence,
  february,
  lateServers,
  minimumCapacity,
  scheduleSlots,
  tryOut,
  type Slot,
  type SlotRule,
  type WorldOptions,
} from '../herd/index.ts';
import type { ActStep, Finding, PlanStep, Server, SlotRuleOfPlan } from '../model/index.ts';
import type { Foresight, Outline } from '../plan/index.ts';
import { slotFindings } from './slot-findings.ts';

/** From a slot to its refresh a look and often a login pass, as real milliseconds at most; chosen, not measured. */
const LATE_MS = 500;

/** Without a declared capacity the model's database is never the bound. */
const UNBOUNDED_PER_SECOND = 1_000_000;

interface Clock {
  readonly ageMs: number;
  readonly ttlMs: number;
}

/**
 * Lays the slots of the main line's steps out over the readings of this preview, and runs them through the model of the
 * fleet with many seeds. Slots are a forecast: the run reckons them anew when the step begins.
 */
export function foreseeSlots(
  { steps, servers }: Outline,
  foresights: ReadonlyMap<string, Foresight>,
  seed: number,
): { readonly steps: readonly PlanStep[]; readonly findings: readonly Finding[] } {
  const byName = new Map(servers.map((server) => [server.name, server]));
  const findings: Finding[] = [];
  const tried = steps.map((step) => {
    if (step.step !== 'act' || !step.slots || step.waves.flat().length < 2) return step;
    const who = step.waves.flat().flatMap((name) => byName.get(name) ?? []);
    const forecast = forecastOf(step, step.slots, who, clocksAt(step, steps, foresights), seed);
    const slots = { ...step.slots, forecast };
    findings.push(...slotFindings(step, slots, who));
    return { ...step, slots };
  });
  return { steps: tried, findings };
}

function forecastOf(
  step: ActStep,
  rule: SlotRuleOfPlan,
  servers: readonly Server[],
  clocks: ReadonlyMap<string, Clock>,
  seed: number,
): NonNullable<SlotRuleOfPlan['forecast']> {
  const [first, ...also] = rule.resources;
  const perSecond = 1000 / (first?.everyMs ?? 1000);
  const expiry = (name: string): number | null => {
    const clock = clocks.get(name);
    return clock === undefined ? null : clock.ttlMs - clock.ageMs;
  };
  const slotRule: SlotRule = {
    servers: servers.map(({ name, domain }) => ({ name, domain, deadlineMs: expiry(name) ?? Infinity })),
    perSecond,
    also,
    startMs: 0,
    seed,
    ...(rule.canary === null ? {} : { canary: { servers: step.waves[0] ?? [], pauseMs: rule.canary.pauseMs } }),
  };
  const slots = scheduleSlots(slotRule);
  const expiries = servers.flatMap(({ name }) => expiry(name) ?? []);
  const known = expiries.length === servers.length;
  const least = known ? minimumCapacity(expiries, 0) : Infinity;
  const capacity = capacityOf(servers);
  const trial = tryOut({
    slots,
    service: serviceOf(servers, rule, capacity ?? UNBOUNDED_PER_SECOND),
    each: rule.each,
    lateMs: LATE_MS,
    seed,
    known: clocks,
  });
  return {
    spanMs: Math.ceil((slots.at(-1)?.atMs ?? 0) + 1000 / perSecond),
    perSecond,
    late: known ? lateServers(slotRule).length : null,
    leastPerSecond: least === Infinity ? null : least,
    coherence: known && rule.ttlMs !== null ? coherence(expiries, (rule.ttlMs.min + rule.ttlMs.max) / 2) : null,
    coherenceAfter: afterSlots(slots, rule, clocks),
    ...trial,
    capacityPerSecond: capacity,
  };
}

/** Each value lives as long as the one before it where that is known, else the mean. Null: the servers have no clocks. */
function afterSlots(
  slots: readonly Slot[],
  { ttlMs }: SlotRuleOfPlan,
  clocks: ReadonlyMap<string, Clock>,
): number | null {
  if (ttlMs === null) return null;
  const period = (ttlMs.min + ttlMs.max) / 2;
  return coherence(
    slots.map(({ server, atMs }) => atMs + (clocks.get(server)?.ttlMs ?? period)),
    period,
  );
}

/** The shortest of each server's clocks, as this step or an earlier one read it in the preview. */
function clocksAt(
  { id }: ActStep,
  steps: readonly PlanStep[],
  foresights: ReadonlyMap<string, Foresight>,
): ReadonlyMap<string, Clock> {
  const clocks = new Map<string, Clock>();
  const before = steps.slice(
    0,
    steps.findIndex((step) => step.id === id),
  );
  const resets = before.filter((step) => step.step === 'act' && step.alters.includes('cache')).map((step) => step.id);
  for (const [server, { readings = {}, verdicts }] of foresights) {
    // What an earlier step alters is another by then.
    if (resets.some((reset) => ['change', 'unknown'].includes(verdicts[reset]?.verdict ?? ''))) continue;
    const read = readings[id];
    if (typeof read !== 'object' || read === null || !('clocks' in read) || !Array.isArray(read.clocks)) continue;
    const [shortest] = (read.clocks as Clock[]).toSorted((a, b) => a.ttlMs - a.ageMs - (b.ttlMs - b.ageMs));
    if (shortest) clocks.set(server, { ageMs: shortest.ageMs, ttlMs: shortest.ttlMs });
  }
  return clocks;
}

function serviceOf(
  servers: readonly Server[],
  { ttlMs }: SlotRuleOfPlan,
  capacityPerSecond: number,
): Omit<WorldOptions, 'servers' | 'startMs'> {
  const timeouts = servers.flatMap(({ service }) =>
    Object.values(service.dependencies).map(({ timeoutMs }) => timeoutMs),
  );
  return {
    ...february,
    // Some request comes soon after each expiry; nobody is to die of load in this question.
    requestsPerSecond: 1,
    overloadPerSecond: null,
    capacityPerSecond,
    databaseTimeoutMs: Math.max(1, ...timeouts),
    ttl: { minMs: ttlMs?.min ?? 1e12, maxMs: ttlMs?.max ?? 1e12, drawn: 'per-refresh' },
  };
}

function capacityOf(servers: readonly Server[]): number | null {
  const declared = servers.flatMap(({ service }) =>
    Object.values(service.dependencies).flatMap(({ capacityPerSecond }) => capacityPerSecond ?? []),
  );
  return declared.length === 0 ? null : Math.min(...declared);
}
