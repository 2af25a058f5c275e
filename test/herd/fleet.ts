import type { FuseClock, FuseServer } from '../../src/herd/index.ts';

export const NOW_MS = 1_790_000_000_000;

/** A clock of February 2021: three to four minutes, and fatal. */
export function clock(name: string, changes: Partial<FuseClock> = {}): FuseClock {
  return { name, whenExpired: 'fatal', ttlMs: { min: 180_000, max: 240_000 }, ...changes };
}

/** A server of February 2021, as the sources let it be guessed: 1500 requests in flight where 1400 fit. */
export function february(name: string): FuseServer {
  return {
    name,
    clocks: [clock('config')],
    dependencyTimeoutMs: 10_000,
    load: { requestsPerSecond: 150, memoryPerRequestBytes: 40e6, memoryFreeBytes: 56e9 },
  };
}

export function fleetOf(count: number): FuseServer[] {
  return Array.from({ length: count }, (_, k) => february(`api-${String(k).padStart(3, '0')}`));
}

/** A server whose clock was read so long before `NOW_MS`. */
export function readAgo(
  name: string,
  { ageMs, ttlMs, agoMs }: { readonly ageMs: number; readonly ttlMs: number; readonly agoMs: number },
): FuseServer {
  return { ...february(name), clocks: [clock('config', { reading: { ageMs, ttlMs, readAtMs: NOW_MS - agoMs } })] };
}
