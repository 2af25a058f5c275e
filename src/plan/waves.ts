import type { Server, Share, WaveSpec } from '../model/index.ts';
import { refuse } from './refuse.ts';

/** Servers of one lane: of one slice of a plan. */
export const LANE_MAX = 200;

/**
 * Servers of one wave. Each event copies the map of one wave: V8 clones up to 128 properties in 0.3 microseconds, and
 * takes 15 for 200 (`node bench/fleet.ts`).
 */
const WAVE_MAX = 125;

/** Where slots set the pace a wave is no barrier, and small ones cost least. */
const SLOT_WAVE_MAX = 32;

/**
 * Cuts a step's servers into waves: the canary first, then the stages, each a part of what is left, then the others;
 * never more than `atMost` in one, and by failure domain where asked. Without a specification servers go in name order,
 * interleaved over the domains, and behind the canary that its slots have. Refuses a canary above `atMost`, and shares that are none.
 */
export function cutWaves(
  servers: readonly Server[],
  spec: WaveSpec | undefined,
  where: string,
  slots?: { readonly canary: { readonly servers: number } | null },
): string[][] {
  if (!spec) {
    const names = interleaved(servers).map(({ name }) => name);
    const canary = slots?.canary?.servers ?? 0;
    const others = chunk(names.slice(canary), slots ? SLOT_WAVE_MAX : WAVE_MAX);
    return [names.slice(0, canary), ...others].filter(({ length }) => length > 0);
  }
  const cap = countOf(spec.atMost, servers.length, 'atMost', where);
  const canary = spec.canary ?? 0;
  if (!Number.isInteger(canary) || canary < 0)
    refuse(`a canary of ${canary} is not a whole number from 0 up`, where, 'Say how many servers go first');
  if (canary > cap)
    refuse(`a canary of ${canary} is above its atMost of ${cap}`, where, 'Make the canary smaller or atMost larger');
  const sizes = (spec.stages ?? []).map((share) => countOf(share, servers.length, 'a stage', where));
  let others = inOrder(servers.slice(canary), spec);
  const waves = [servers.slice(0, canary)];
  for (const size of [...sizes, others.length]) {
    waves.push(...cutStage(others.slice(0, size), spec, Math.min(cap, WAVE_MAX)));
    others = others.slice(size);
  }
  return waves.filter((wave) => wave.length > 0).map((wave) => wave.map(({ name }) => name));
}

/** How many servers a share of them is. Refuses what is neither a whole number above 0 nor a percentage of at most 100. */
export function countOf(share: Share, servers: number, what: string, where: string): number {
  if (typeof share === 'number') {
    if (!Number.isInteger(share) || share < 1)
      refuse(`${what} is ${share}, not a whole number above 0`, where, 'Give inWaves 1 server or more');
    return share;
  }
  const percent = /^\d+(\.\d+)?%$/.test(share) ? Number(share.slice(0, -1)) : Number.NaN;
  if (!(percent > 0 && percent <= 100))
    refuse(
      `${what} is ${JSON.stringify(share)}, no percentage above 0 and at most 100`,
      where,
      "Write a number, or '10%'",
    );
  return Math.max(1, Math.floor((servers * percent) / 100));
}

function inOrder(servers: readonly Server[], { by }: WaveSpec): readonly Server[] {
  return by === 'domain' ? byDomain(servers).flat() : interleaved(servers);
}

function cutStage(servers: readonly Server[], { by }: WaveSpec, cap: number): Server[][] {
  return by === 'domain' ? byDomain(servers).flatMap((domain) => chunk(domain, cap)) : chunk(servers, cap);
}

function byDomain(servers: readonly Server[]): Server[][] {
  const domains = new Map<string, Server[]>();
  for (const server of servers) domains.set(server.domain, [...(domains.get(server.domain) ?? []), server]);
  return [...domains.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each);
}

/** One of each domain in turn, so that neighbours in time are not neighbours in a rack. */
function interleaved(servers: readonly Server[]): Server[] {
  const domains = byDomain(servers);
  const longest = Math.max(0, ...domains.map(({ length }) => length));
  return Array.from({ length: longest }, (_, turn) => domains.flatMap((each) => each[turn] ?? [])).flat();
}

function chunk<T>(all: readonly T[], size: number): T[][] {
  const count = Math.ceil(all.length / size);
  return Array.from({ length: count }, (_, index) => all.slice(index * size, (index + 1) * size));
}
