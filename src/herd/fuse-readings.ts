import { harmOfExpiry } from './fuse-harm.ts';
import type { FuseClock, FuseServer } from './fuse-input.ts';
import { namesOf, secondsOf } from './fuse-words.ts';

/** What is left right now, and on which clock. */
export interface FuseReading {
  /** Until the first fatal expiry; 0 when one has passed or could not be read; null: no expiry is fatal. */
  readonly fuseMs: number | null;
  /** Where it is: the clock that ends first. */
  readonly shortest: { readonly server: string; readonly clock: string; readonly endsAtMs: number } | null;
  /** Plan time at which the database must be back at the latest: the first fatal expiry less the margin. */
  readonly latestSafeReturnMs: number | null;
  /** Fatal clocks without a usable reading, as `server/clock`: they count as expired. */
  readonly unread: readonly string[];
  readonly because: readonly string[];
}

/** A reading may lie this far ahead of plan time before it is taken for another clock's: two hosts never agree exactly. */
const SKEW_MS = 2_000;

/**
 * The countdown: per clock `ttl - age - (now - read at)`, and the shortest of those that are fatal counts. A value
 * never counts for longer than its clock is declared to live, so that a wrong unit cannot lengthen the fuse.
 */
export function fuseFromReadings({
  servers,
  nowMs,
  marginMs,
}: {
  readonly servers: readonly FuseServer[];
  readonly nowMs: number;
  readonly marginMs: number;
}): FuseReading {
  let shortest: { server: string; clock: string; endsAtMs: number } | null = null;
  const unread: string[] = [];
  for (const server of servers) {
    if (!harmOfExpiry(server).fatal) continue;
    for (const clock of server.clocks) {
      if (clock.whenExpired !== 'fatal') continue;
      const endsAtMs = endOf(clock, nowMs);
      if (endsAtMs === null) unread.push(`${server.name}/${clock.name}`);
      const endsOrNowMs = endsAtMs ?? nowMs;
      if (shortest === null || endsOrNowMs < shortest.endsAtMs)
        shortest = { server: server.name, clock: clock.name, endsAtMs: endsOrNowMs };
    }
  }
  if (shortest === null) return { fuseMs: null, shortest, latestSafeReturnMs: null, unread, because: [] };
  const fuseMs = unread.length > 0 ? 0 : Math.max(0, shortest.endsAtMs - nowMs);
  const latestSafeReturnMs = (unread.length > 0 ? Math.min(shortest.endsAtMs, nowMs) : shortest.endsAtMs) - marginMs;
  const because =
    unread.length > 0
      ? [`${namesOf(unread)} could not be read and counts as expired: refresh first`]
      : [firstLine(shortest, nowMs)];
  return { fuseMs, shortest, latestSafeReturnMs, unread, because };
}

/** When this clock ends, in plan time; null when there is no reading or one that cannot be true. */
function endOf({ reading, ttlMs }: FuseClock, nowMs: number): number | null {
  if (reading === undefined) return null;
  if (!(reading.ageMs >= 0 && reading.ttlMs > 0 && reading.readAtMs <= nowMs + SKEW_MS)) return null;
  const endsAtMs = Math.min(reading.readAtMs, nowMs) - reading.ageMs + Math.min(reading.ttlMs, ttlMs.max);
  return Number.isFinite(endsAtMs) ? endsAtMs : null;
}

function firstLine(
  { server, clock, endsAtMs }: { readonly server: string; readonly clock: string; readonly endsAtMs: number },
  nowMs: number,
): string {
  if (endsAtMs <= nowMs) return `clock ${clock} on ${server} ended ${secondsOf(nowMs - endsAtMs)} ago: refresh first`;
  return `the clock that ends first is ${clock} on ${server}, in ${secondsOf(endsAtMs - nowMs)}`;
}
