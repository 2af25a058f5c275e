import { erlangB, fillMs, highestInFlight, inFlight, meanThatFits, placesInMemory } from './formulas.ts';
import type { FuseServer } from './fuse-input.ts';
import { numberOf, percentOf, secondsOf } from './fuse-words.ts';

/** What an expiry that cannot be refreshed does to the server itself. */
export type Harm =
  /** Nobody can say that it survives, or arithmetic says that it does not. */
  | { readonly fatal: true; readonly because: string; readonly hangsAfterMs: number | null }
  /** The server lives. Its users get this instead. */
  | { readonly fatal: false; readonly instead: string; readonly refusedShare: number };

/**
 * Whether the requests that pile up behind an unreachable dependency exhaust the server. They do when as many as can
 * be in flight do not fit its free memory; a concurrency limit that fits bounds them, and so does a short timeout.
 */
export function harmOfExpiry({ load, dependencyTimeoutMs }: Pick<FuseServer, 'load' | 'dependencyTimeoutMs'>): Harm {
  if (load === undefined)
    return { fatal: true, because: 'its load is not declared, so every expiry is taken as fatal', hangsAfterMs: null };
  const offered = inFlight(load.requestsPerSecond, dependencyTimeoutMs);
  const places = placesThatSpare(load);
  const limit = load.concurrencyLimit ?? Infinity;
  const demand = `${numberOf(load.requestsPerSecond)} requests/s that wait ${secondsOf(dependencyTimeoutMs)} each are ${numberOf(offered)} in flight`;
  if (limit <= places) {
    const refusedShare = erlangB(limit, offered);
    return {
      fatal: false,
      refusedShare,
      instead: `${demand}; the limit of ${limit} holds, ${percentOf(refusedShare)} of the requests that need it are refused at once and the others fail after ${secondsOf(dependencyTimeoutMs)}`,
    };
  }
  const highest = Math.ceil(highestInFlight(offered));
  if (highest <= places)
    return {
      fatal: false,
      refusedShare: 0,
      instead: `${demand}, at most ${highest} at once, and memory holds ${places} with one place kept free: the requests that need it fail after ${secondsOf(dependencyTimeoutMs)}, the server lives`,
    };
  const hangsAfterMs = fillMs(load.memoryFreeBytes / load.memoryPerRequestBytes, load.requestsPerSecond);
  return {
    fatal: true,
    hangsAfterMs,
    because: `${demand}, up to ${highest} at once, and memory holds ${places} with one place kept free: it is exhausted about ${secondsOf(hangsAfterMs)} after the expiry`,
  };
}

/** What would make an expiry survivable on this server; null where its load is not declared. */
export interface Survival {
  /** Longest dependency timeout whose requests fit its memory. */
  readonly timeoutMs: number;
  /** Most requests at once that fit its memory, and the share that would be refused. */
  readonly concurrency: number;
  readonly refusedShare: number;
}

export function survivalOf({
  load,
  dependencyTimeoutMs,
}: Pick<FuseServer, 'load' | 'dependencyTimeoutMs'>): Survival | null {
  if (load === undefined) return null;
  const concurrency = placesThatSpare(load);
  return {
    timeoutMs: Math.floor(fillMs(meanThatFits(concurrency), load.requestsPerSecond)),
    concurrency,
    refusedShare: erlangB(concurrency, inFlight(load.requestsPerSecond, dependencyTimeoutMs)),
  };
}

/** One place is left free: a server whose memory is full to the last byte hangs already. */
function placesThatSpare(load: NonNullable<FuseServer['load']>): number {
  return Math.max(0, placesInMemory(load.memoryFreeBytes, load.memoryPerRequestBytes) - 1);
}
