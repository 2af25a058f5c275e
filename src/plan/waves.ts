import type { Server, WaveSpec } from '../model/index.ts';
import { refuse } from './refuse.ts';

/** Servers of one wave, and of one lane. */
export const LANE_MAX = 200;

/**
 * Cuts a step's servers into waves: the canary first, then never more than `atMost`, and by failure domain where
 * asked. Without a specification servers go in name order, interleaved over the domains, a lane at a time.
 * A canary above `atMost` is refused, since no type can say so.
 */
export function cutWaves(servers: readonly Server[], spec: WaveSpec | undefined, where: string): string[][] {
  if (!spec) return chunk(interleave(servers), LANE_MAX);
  const atMost = Math.min(spec.atMost, LANE_MAX);
  if (!Number.isInteger(spec.atMost) || spec.atMost < 1)
    refuse(`atMost is ${spec.atMost}, not a whole number above 0`, where, 'Give inWaves an atMost of 1 or more');
  const canary = spec.canary ?? 0;
  if (!Number.isInteger(canary) || canary < 0)
    refuse(`a canary of ${canary} is not a whole number from 0 up`, where, 'Say how many servers go first');
  if (canary > spec.atMost)
    refuse(
      `a canary of ${canary} is above its atMost of ${spec.atMost}`,
      where,
      'Make the canary smaller or atMost larger',
    );
  const first = servers.slice(0, canary).map((server) => server.name);
  const others = servers.slice(canary);
  const cut =
    spec.by === 'domain'
      ? byDomain(others).flatMap((domain) => chunk(domain, atMost))
      : chunk(interleave(others), atMost);
  return [...(first.length > 0 ? [first] : []), ...cut];
}

function byDomain(servers: readonly Server[]): string[][] {
  const domains = new Map<string, string[]>();
  for (const { domain, name } of servers) domains.set(domain, [...(domains.get(domain) ?? []), name]);
  return [...domains.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, names]) => names);
}

/** One of each domain in turn, so that neighbours in time are not neighbours in a rack. */
function interleave(servers: readonly Server[]): string[] {
  const domains = byDomain(servers);
  const longest = Math.max(0, ...domains.map((names) => names.length));
  return Array.from({ length: longest }, (_, turn) => domains.flatMap((names) => names[turn] ?? [])).flat();
}

function chunk(names: readonly string[], size: number): string[][] {
  const count = Math.ceil(names.length / size);
  return Array.from({ length: count }, (_, index) => names.slice(index * size, (index + 1) * size));
}
