import type { Slot } from './schedule.ts';
import { hashOf } from './schedule-order.ts';
import { advance, createWorld, refreshCache, type WorldOptions } from './world/index.ts';

/** So many servers are stepped through in all trials together: more of them are tried with fewer seeds. */
const SERVERS_MAX = 60_000;

/** More tell nothing more of a 99th percentile than that it is one. */
const TRIALS_MAX = 100;
const TRIALS_MIN = 3;

export interface TrialRule {
  /** Times from the start of the schedule, in ms. */
  readonly slots: readonly Slot[];
  readonly service: Omit<WorldOptions, 'servers' | 'startMs'>;
  /** Refreshes that one slot asks of the database. */
  readonly each: number;
  /** From a slot to its refresh at most: logins and looks take their time. */
  readonly lateMs: number;
  readonly seed: number;
  /** What is known of a server's value: the rest is drawn. */
  readonly known?: ReadonlyMap<string, { readonly ageMs: number; readonly ttlMs: number }>;
}

export interface Trial {
  readonly trials: number;
  /** Refreshes in the fullest second, caches that expired by themselves meanwhile included: median and 99th percentile over the trials. */
  readonly peakP50: number;
  readonly peakP99: number;
  /** The longest that a refresh waited in the database, over all trials. */
  readonly worstDelayMs: number;
}

/**
 * Runs a schedule through the model of the fleet, with many seeds: caches have ages and times to live of their own and
 * expire beside it, slots begin late by chance, and the database serves one refresh after the other. A schedule that
 * is right on paper can still beat against what runs beside it, so what is emitted is always tried.
 */
export function tryOut(rule: TrialRule): Trial {
  const { slots } = rule;
  const trials = Math.min(TRIALS_MAX, Math.max(TRIALS_MIN, Math.floor(SERVERS_MAX / Math.max(1, slots.length))));
  const peaks: number[] = [];
  let worstDelayMs = 0;
  for (let trial = 0; trial < trials; trial += 1) {
    const { peak, delayMs } = tryOnce(rule, rule.seed + trial);
    peaks.push(peak);
    worstDelayMs = Math.max(worstDelayMs, delayMs);
  }
  const sorted = peaks.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { trials, peakP50: at(0.5), peakP99: at(0.99), worstDelayMs };
}

function tryOnce({ slots, service, each, lateMs, known }: TrialRule, seed: number): { peak: number; delayMs: number } {
  // A slot that refreshes several values takes the database several refreshes' time.
  const capacityPerSecond = service.capacityPerSecond / each;
  const servers = slots.map(({ server }) => ({ name: server, files: [] }));
  const world = createWorld({ ...service, capacityPerSecond, startMs: 0, servers }, seed);
  for (const server of world.servers) {
    const clock = known?.get(server.name);
    if (clock) server.cache = { refreshedMs: -clock.ageMs, ttlMs: clock.ttlMs };
  }
  const begins = slots
    .map(({ server, atMs }, at) => ({ at, atMs: atMs + (hashOf(server, seed) / 2 ** 32) * lateMs }))
    .toSorted((a, b) => a.atMs - b.atMs);
  let delayMs = 0;
  for (const { at, atMs } of begins) {
    advance(world, atMs);
    const server = world.servers[at];
    if (server !== undefined) delayMs = Math.max(delayMs, refreshCache(world, server).tookMs);
  }
  return { peak: world.database.peakPerSecond * each, delayMs };
}
