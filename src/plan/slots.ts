import type { Decider, PlanStep, ResourceSpec, Server, SlotRuleOfPlan, SlotSpec } from '../model/index.ts';
import { refuse } from './refuse.ts';

/** What slots slow down on when the runbook does not say. A standing queue of 50 ms is CoDel's trouble ten times over. */
const WINDOW_MS = 5_000;
const DELAY_MS = [50, 500] as const;
const ERROR_SHARE = [0.05, 0.25] as const;

/** Where slots are for: whom the step may come to, who it is laid over (none in a contingency), and where that stands. */
export interface SlotPlace {
  readonly kind: Decider;
  readonly group: readonly Server[];
  readonly chosen: readonly Server[];
  readonly keepsWaves: boolean;
  readonly where: string;
}

/** Slots a second: a fraction of the capacity, or fewer where they are to take longer. Null: the step has none. */
export function slotRate(slots: SlotSpec | undefined, chosen: readonly Server[]): number | null {
  if (!slots) return null;
  const bound = slots.perSecond * slots.fraction;
  return slots.overMs === undefined || chosen.length === 0
    ? bound
    : Math.min(bound, (chosen.length * 1000) / slots.overMs);
}

/**
 * The rule of a step's slots, where it has more of one than a rate: what refreshes goes by expiries, and every resource
 * that was named has its bound. Refuses a resource that nobody draws on, and shares that are none.
 */
export function slotRuleOf(slots: SlotSpec | undefined, place: SlotPlace): SlotRuleOfPlan | undefined {
  const perSecond = slotRate(slots, place.chosen);
  if (!slots || perSecond === null) return undefined;
  const refreshes = place.kind.alters.includes('cache') && place.kind.leavesNothing === true;
  const { also = [], canary, domainShare, slowDown } = slots;
  if (!refreshes && also.length === 0 && !canary && domainShare === undefined) return undefined;
  demandSense(slots, place.where);
  const clocks = place.group.flatMap(({ service }) => service.clocks);
  return {
    resources: [
      { name: 'slots', everyMs: 1000 / perSecond, of: null },
      ...also.map((each) => resourceOf(each, place)),
      ...(domainShare === undefined ? [] : [domainsOf(domainShare, perSecond, place.group)]),
    ],
    canary: canary && place.chosen.length > canary.servers ? { ...canary } : null,
    keepsWaves: place.keepsWaves,
    ttlMs:
      clocks.length === 0
        ? null
        : {
            min: Math.min(...clocks.map(({ ttlMs }) => ttlMs.min)),
            max: Math.max(...clocks.map(({ ttlMs }) => ttlMs.max)),
          },
    each: Math.max(1, ...place.group.map(({ service }) => service.clocks.length)),
    coherenceBelow: slots.coherenceBelow ?? null,
    slowDown: slowDown === false || !refreshes ? null : slowDownOf(slowDown, place),
    forecast: null,
  };
}

/** Whether expiries lie apart is judged before the next step is begun: so there must be one. */
export function demandSuccessors(steps: readonly PlanStep[]): void {
  const last = steps.at(-1);
  if (last?.step === 'act' && last.slots?.coherenceBelow != null)
    refuse(
      'what is to bring expiries apart needs a step behind it, before which that is judged',
      `step ${last.id} (${last.title})`,
      'Add one, e.g. probe()',
    );
}

function demandSense({ domainShare, canary, coherenceBelow, overMs }: SlotSpec, where: string): void {
  if (domainShare !== undefined && !(domainShare > 0 && domainShare <= 1))
    refuse(`a domainShare of ${domainShare} is no share above 0 and at most 1`, where, 'Say 0.25 for a quarter');
  if (canary && !(Number.isInteger(canary.servers) && canary.servers > 0 && canary.pauseMs >= 0))
    refuse(`a canary of ${canary.servers} servers and ${canary.pauseMs} ms is none`, where, 'Say one server or more');
  if (coherenceBelow !== undefined && !(coherenceBelow > 0 && coherenceBelow <= 1))
    refuse(
      `coherenceBelow is ${coherenceBelow}, which no fleet can come below`,
      where,
      'Say a number above 0, up to 1',
    );
  if (overMs !== undefined && !(overMs > 0)) refuse(`overMs is ${overMs}`, where, 'Say milliseconds above 0');
}

function resourceOf(
  { resource, perSecond, fraction = 1, each }: ResourceSpec,
  { group, where }: SlotPlace,
): SlotRuleOfPlan['resources'][number] {
  if (!(perSecond > 0 && fraction > 0 && fraction <= 1))
    refuse(
      `resource ${resource} gives ${perSecond} a second, of which ${fraction}`,
      where,
      'Say a rate above 0, and a fraction above 0 and at most 1',
    );
  const everyMs = 1000 / (perSecond * fraction);
  if (each === undefined) return { name: resource, everyMs, of: null };
  const parts = group.flatMap((server): [string, string][] => {
    const part = partOf(server, each);
    return part === undefined ? [] : [[server.name, part]];
  });
  if (parts.length === 0)
    refuse(
      `no server says which ${each} it uses, and resource ${resource} goes by that`,
      where,
      `Give the fleet's servers uses: { ${each}: ... }`,
    );
  return { name: resource, everyMs, of: Object.fromEntries(parts) };
}

function partOf({ domain, uses }: Server, each: string): string | undefined {
  if (each === 'domain') return domain;
  return uses && Object.hasOwn(uses, each) ? uses[each] : undefined;
}

function domainsOf(share: number, perSecond: number, group: readonly Server[]): SlotRuleOfPlan['resources'][number] {
  const of = Object.fromEntries(group.map(({ name, domain }) => [name, domain]));
  return { name: 'domain', everyMs: 1000 / (perSecond * share), of };
}

function slowDownOf(
  spec: Exclude<SlotSpec['slowDown'], false>,
  { group, where }: SlotPlace,
): SlotRuleOfPlan['slowDown'] {
  const tells = (name: string): boolean =>
    group.some(
      ({ service }) => Object.hasOwn(service.dependencies, name) && service.dependencies[name]?.delay !== undefined,
    );
  const named = spec?.dependency;
  if (named !== undefined && !tells(named))
    refuse(
      `slots slow down on the delay of ${named}, and no server lists how it is read`,
      where,
      `Add service.dependencies.${named}.delay to the fleet, or leave slowDown out`,
    );
  const [delayMs, freezeDelayMs] = spec?.delayMs ?? DELAY_MS;
  const [errorShare, freezeErrorShare] = spec?.errorShare ?? ERROR_SHARE;
  if (!(delayMs <= freezeDelayMs && errorShare <= freezeErrorShare))
    refuse('slots freeze below what halves them', where, 'Say the lower limit first');
  const found = group.flatMap(({ service }) => Object.keys(service.dependencies)).find(tells);
  return {
    dependency: named ?? found ?? null,
    windowMs: spec?.windowMs ?? WINDOW_MS,
    delayMs,
    freezeDelayMs,
    errorShare,
    freezeErrorShare,
  };
}
