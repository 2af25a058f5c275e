import { hashOf } from './schedule-order.ts';

/** How far a fleet's expiries lie together, and how they are brought apart. Pure arithmetic; sources with each form. */

/**
 * Coherence |1/N sum exp(2 pi i phase)| of expiries on a circle of one period: 1 when all come together, 0 when they are
 * spread evenly (the order parameter of Y. Kuramoto, 1975; R. A. Fisher's mean resultant length, 1953). 0 for none.
 */
export function coherence(expiriesMs: readonly number[], periodMs: number): number {
  if (expiriesMs.length === 0) return 0;
  let real = 0;
  let imaginary = 0;
  for (const atMs of expiriesMs) {
    const angle = (2 * Math.PI * (atMs % periodMs)) / periodMs;
    real += Math.cos(angle);
    imaginary += Math.sin(angle);
  }
  return Math.hypot(real, imaginary) / expiriesMs.length;
}

/**
 * What chance alone reaches: N expiries that have nothing to do with each other lie above 3 / sqrt(N) once in 8,000
 * (Rayleigh: P(R > r) = exp(-N r^2)). Below it no two of them can be said to belong together.
 */
export function chanceCoherence(servers: number): number {
  return servers === 0 ? 0 : Math.min(1, 3 / Math.sqrt(servers));
}

/** What is left when all are refreshed evenly over a span: |sinc(span / period)|; a whole period leaves nothing. */
export function coherenceAfter(spanMs: number, periodMs: number): number {
  const x = (Math.PI * spanMs) / periodMs;
  return x === 0 ? 1 : Math.abs(Math.sin(x) / x);
}

/**
 * How long a cold fleet takes to warm when it is admitted at its capacity: E / (C - background), in milliseconds.
 * Infinity where what is warm already takes all there is.
 */
export function coldStartMs(servers: number, capacityPerSecond: number, backgroundPerSecond = 0): number {
  const free = capacityPerSecond - backgroundPerSecond;
  return free > 0 ? (servers / free) * 1000 : servers === 0 ? 0 : Infinity;
}

/**
 * A time to live that is a server's own, to the millisecond: the same at every refresh, so that phases drift apart in
 * proportion to the number of cycles and not to its root, and fine enough that no two servers stay together.
 */
export function ownTtlMs(server: string, ttl: { readonly minMs: number; readonly maxMs: number }): number {
  return ttl.minMs + (hashOf(server, 0) % (Math.max(0, Math.floor(ttl.maxMs - ttl.minMs)) + 1));
}

/** So many cycles are looked ahead: two days of the shortest caches that there are. */
const CYCLES_MAX = 1_000;

/** How many refreshes part a fleet that was refreshed together to below this coherence, and keep it there; null: they do not. */
export function cyclesApart(
  ttl: { readonly minMs: number; readonly maxMs: number },
  drawn: 'per-server' | 'per-refresh',
  below: number,
): number | null {
  let last = 0;
  for (let cycles = 1; cycles <= CYCLES_MAX; cycles += 1)
    if (coherenceOfCycles(ttl, cycles, drawn) >= below) last = cycles;
  return last === CYCLES_MAX ? null : last + 1;
}

/** First-harmonic coherence of a fleet `cycles` refreshes after all were refreshed together: by times to live of their own, or drawn anew each time. */
export function coherenceOfCycles(
  ttl: { readonly minMs: number; readonly maxMs: number },
  cycles: number,
  drawn: 'per-server' | 'per-refresh',
): number {
  const period = (ttl.minMs + ttl.maxMs) / 2;
  const once = coherenceAfter(ttl.maxMs - ttl.minMs, period);
  return drawn === 'per-refresh' ? once ** cycles : coherenceAfter(cycles * (ttl.maxMs - ttl.minMs), period);
}
