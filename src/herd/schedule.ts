import { interleaved } from './schedule-order.ts';
import { bucketsOf, scheduleSeveral, type SlotResource } from './schedule-several.ts';

/**
 * Slots for refreshes and resets against a *live* resource: one a time, never faster than its capacity allows, the
 * earliest expiry first. A schedule of slots helps nobody whose database is away: then every expiry is fatal,
 * however well they are spread, and only the fuse counts.
 */

export interface SlotServer {
  readonly name: string;
  /** Servers of one failure domain do not stand side by side where their deadlines leave a choice. */
  readonly domain: string;
  /** Plan time at which its slot must have ended, i.e. its next expiry less a margin. Infinity: whenever. */
  readonly deadlineMs: number;
}

export interface Slot {
  readonly server: string;
  /** Plan time before which it must not begin. */
  readonly atMs: number;
}

export interface SlotRule {
  readonly servers: readonly SlotServer[];
  /** Slots a second: fraction times capacity. Above zero. */
  readonly perSecond: number;
  /** What else a slot needs a token of: each has a bound of its own, and every one of them holds. */
  readonly also?: readonly SlotResource[] | undefined;
  /** Plan time of the first slot. */
  readonly startMs: number;
  /** Goes first, whatever the deadlines say, with a pause behind it in which it is looked at. */
  readonly canary?: { readonly servers: readonly string[]; readonly pauseMs: number } | undefined;
  /** Decides between servers that are equal in everything else. */
  readonly seed: number;
}

/** Plan times are of the order of 10^12 ms, where a double resolves 0.0002 ms; this much is rounding, not lateness. */
const ROUNDING_MS = 0.01;

/**
 * Earliest deadline first, one slot every 1 / perSecond. For unit jobs that may all start now this order is optimal:
 * if any order meets every deadline, this one does (J. R. Jackson, 1955; canary aside), and with `also` see `scheduleSeveral`. Deadlines that end in the same
 * slot are equal to it, and there failure domains are interleaved. The same rule gives the same slots.
 */
export function scheduleSlots(rule: SlotRule): readonly Slot[] {
  if (rule.also !== undefined && rule.also.length > 0) return withTokens(rule, rule.also);
  const intervalMs = 1000 / rule.perSecond;
  const first = new Set(rule.canary?.servers ?? []);
  const canary = inOrder(
    rule.servers.filter((server) => first.has(server.name)),
    rule.startMs,
    intervalMs,
    rule.seed,
  );
  const pauseMs = canary.length > 0 ? (rule.canary?.pauseMs ?? 0) : 0;
  const restStartMs = rule.startMs + canary.length * intervalMs + pauseMs;
  const rest = inOrder(
    rule.servers.filter((server) => !first.has(server.name)),
    restStartMs,
    intervalMs,
    rule.seed,
  );
  return [
    ...canary.map((server, k) => ({ server: server.name, atMs: rule.startMs + k * intervalMs })),
    ...rest.map((server, k) => ({ server: server.name, atMs: restStartMs + k * intervalMs })),
  ];
}

/**
 * C* = max over t of #{deadlines <= t} / (t - now): the fewest slots a second with which every deadline can be met.
 * Infinity where one has passed already; 0 where none presses.
 */
export function minimumCapacity(deadlinesMs: readonly number[], nowMs: number): number {
  let perSecond = 0;
  const sorted = deadlinesMs.filter((deadlineMs) => deadlineMs !== Infinity).sort((a, b) => a - b);
  for (const [k, deadlineMs] of sorted.entries()) {
    if (!(deadlineMs > nowMs)) return Infinity;
    perSecond = Math.max(perSecond, ((k + 1) * 1000) / (deadlineMs - nowMs));
  }
  return perSecond;
}

/** Whether slots at this rate, beginning now, can meet every deadline. */
export function feasible(deadlinesMs: readonly number[], perSecond: number, nowMs: number): boolean {
  return perSecond >= minimumCapacity(deadlinesMs, nowMs) * (1 - 1e-12);
}

/** The servers whose slot ends after their deadline: they expire on their own before their turn. */
export function lateServers(rule: SlotRule): readonly string[] {
  const deadlines = new Map(rule.servers.map((server) => [server.name, server.deadlineMs]));
  const intervalMs = 1000 / rule.perSecond;
  return scheduleSlots(rule)
    .filter((slot) => slot.atMs + intervalMs > (deadlines.get(slot.server) ?? Infinity) + ROUNDING_MS)
    .map((slot) => slot.server);
}

/**
 * What is left of a schedule, from now on. Missed slots shift, and push those behind them as far as they must: the
 * rate is never exceeded to catch up, and a slot is never earlier than it was. `lastAtMs` is when the latest slot
 * really began, which may be later than planned.
 */
export function reslot(
  remaining: readonly Slot[],
  rate: { readonly perSecond: number; readonly nowMs: number; readonly lastAtMs?: number | undefined },
): readonly Slot[] {
  const intervalMs = 1000 / rate.perSecond;
  let earliestMs = Math.max(rate.nowMs, (rate.lastAtMs ?? -Infinity) + intervalMs);
  return remaining.map((slot) => {
    const atMs = Math.max(slot.atMs, earliestMs);
    earliestMs = atMs + intervalMs;
    return { server: slot.server, atMs };
  });
}

/** With a token of several resources a slot: the canary first, then the others behind its pause, on what it left. */
function withTokens(rule: SlotRule, also: readonly SlotResource[]): readonly Slot[] {
  const everyMs = 1000 / rule.perSecond;
  const resources = [{ name: 'slots', everyMs, of: null }, ...also];
  const first = new Set(rule.canary?.servers ?? []);
  const parts = { resources, everyMs, seed: rule.seed };
  const canary = scheduleSeveral({
    ...parts,
    servers: rule.servers.filter(({ name }) => first.has(name)),
    startMs: rule.startMs,
  });
  const nextMs = new Map<string, number>();
  for (const { server, atMs } of canary)
    for (const bucket of bucketsOf(resources, server)) nextMs.set(bucket.key, atMs + bucket.everyMs);
  const lastMs = canary.at(-1)?.atMs;
  const startMs = lastMs === undefined ? rule.startMs : lastMs + everyMs + (rule.canary?.pauseMs ?? 0);
  const others = rule.servers.filter(({ name }) => !first.has(name));
  return [...canary, ...scheduleSeveral({ ...parts, servers: others, startMs, nextMs })];
}

/** Groups that end in the same slot, earliest first; inside a group the domains take turns. */
function inOrder(
  servers: readonly SlotServer[],
  startMs: number,
  intervalMs: number,
  seed: number,
): readonly SlotServer[] {
  const groups = new Map<number, SlotServer[]>();
  for (const server of servers) {
    const last = lastSlot(server.deadlineMs, startMs, intervalMs);
    const group = groups.get(last);
    if (group === undefined) groups.set(last, [server]);
    else group.push(server);
  }
  return [...groups.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, group]) => interleaved(group, seed));
}

/** The last slot that ends by the deadline; the same for all that have passed already, since they are equally late. */
function lastSlot(deadlineMs: number, startMs: number, intervalMs: number): number {
  if (deadlineMs === Infinity) return Infinity;
  if (!(deadlineMs > startMs)) return -1;
  return Math.max(-1, Math.floor((deadlineMs - startMs + ROUNDING_MS) / intervalMs) - 1);
}
