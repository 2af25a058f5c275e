import { lineOf, trackOf, type PlanIndex } from './lines.ts';
import type { RunState, TargetState } from './state.ts';

/** The first fatal expiry of one server, by its latest reading. */
export interface Expiry {
  readonly server: string;
  readonly clock: string;
  readonly expiresAtMs: number;
}

export interface ClockLike {
  readonly name: string;
  readonly whenExpired: string;
  readonly ageMs: number;
  readonly ttlMs: number;
  readonly readAtMs: number;
  readonly unknown?: true;
}

/**
 * When each server of the line meets its first fatal expiry, earliest first, by the main line's latest readings of it.
 * Whoever is out of the run is none of its concern.
 */
export function fatalExpiries(state: RunState, index: PlanIndex): readonly Expiry[] {
  const main = trackOf(state, 'main');
  if (!main) return [];
  const line = lineOf(index, main);
  const found = new Map<string, Expiry & { readonly readAtMs: number }>();
  for (const act of main.steps) {
    if (act.step !== 'act' || act.startedAtMs === null || line[act.plan]?.step !== 'act') continue;
    for (const { targets } of act.waves)
      for (const [server, target] of Object.entries(targets)) {
        const first = state.out[server] ? null : firstFatal(target);
        if (first && first.readAtMs >= (found.get(server)?.readAtMs ?? -Infinity))
          found.set(server, { server, ...first });
      }
  }
  return [...found.values()]
    .map(({ server, clock, expiresAtMs }) => ({ server, clock, expiresAtMs }))
    .toSorted((a, b) => a.expiresAtMs - b.expiresAtMs || (a.server < b.server ? -1 : 1));
}

/** The first fatal expiry that one server's part of a step read. */
export function firstFatal({ phase, readings }: TargetState): {
  readonly clock: string;
  readonly expiresAtMs: number;
  readonly readAtMs: number;
} | null {
  if (phase !== 'done') return null;
  let first: { clock: string; expiresAtMs: number; readAtMs: number } | null = null;
  for (const { name, whenExpired, ageMs, ttlMs, readAtMs } of clocksIn(readings)) {
    const expiresAtMs = readAtMs + ttlMs - ageMs;
    if (whenExpired === 'fatal' && (first === null || expiresAtMs < first.expiresAtMs))
      first = { clock: name, expiresAtMs, readAtMs };
  }
  return first;
}

/** The clocks among the readings of a server's part of a step. */
export function clocksIn(readings: unknown): readonly ClockLike[] {
  if (typeof readings !== 'object' || readings === null || !('clocks' in readings) || !Array.isArray(readings.clocks))
    return [];
  return readings.clocks.filter(isClock);
}

function isClock(value: unknown): value is ClockLike {
  return (
    typeof value === 'object' &&
    value !== null &&
    'ageMs' in value &&
    'ttlMs' in value &&
    'readAtMs' in value &&
    'name' in value
  );
}
