import type { Effect } from './effects.ts';

/**
 * Effects under way, by id, in buckets: an event copies one bucket of a few, and not all that are under way on two
 * hundred servers (80 microseconds an event became 10).
 */
export type Flying = readonly { readonly [id: string]: Effect }[];

const BUCKETS = 64;

export const NOTHING_FLIES: Flying = Array.from({ length: BUCKETS }, () => ({}));

export function flyingOf(flying: Flying, id: string): Effect | undefined {
  return flying[bucketOf(id)]?.[id];
}

export function allFlying(flying: Flying): Effect[] {
  return flying.flatMap((bucket) => Object.values(bucket));
}

export function isAnyFlying(flying: Flying): boolean {
  return flying.some((bucket) => Object.keys(bucket).length > 0);
}

export function takenOff(flying: Flying, effect: Effect): Flying {
  const at = bucketOf(effect.id);
  return flying.with(at, { ...flying[at], [effect.id]: effect });
}

export function landed(flying: Flying, id: string): Flying {
  const at = bucketOf(id);
  const { [id]: gone, ...others } = flying[at] ?? {};
  return gone ? flying.with(at, others) : flying;
}

/** FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/), in 32 bits. */
function bucketOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < id.length; at += 1) hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193);
  return (hash >>> 0) % BUCKETS;
}
