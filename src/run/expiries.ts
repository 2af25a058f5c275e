import type { PlanStep } from '../model/index.ts';
import { lineOf, trackOf, type PlanIndex } from './lines.ts';
import type { RunState, StepState, TargetState, Track } from './state.ts';

interface Known {
  readonly expiresAtMs: number;
  /** When that was read, or began to be so. */
  readonly fromMs: number;
}

/**
 * When each server's first clock expires, by the latest that the journal tells: a reading of its clocks, or a step that
 * was done on it and resets them, from when on the shortest time to live counts. Whoever is not in it is not known.
 */
export function expiriesOf(
  state: RunState,
  track: Track,
  ttlMs: { readonly min: number } | null,
  index: PlanIndex,
): ReadonlyMap<string, number> {
  const known = new Map<string, Known>();
  const main = trackOf(state, 'main');
  for (const each of main && main !== track ? [main, track] : [track]) {
    const line = lineOf(index, each);
    for (const act of each.steps) {
      const resets = act.step === 'act' && resetsClocks(line[act.plan]) ? (ttlMs?.min ?? null) : null;
      for (const [server, target] of begunIn(act)) {
        const now = clockOf(target) ?? resetOf(target, resets);
        if (now !== null && now.fromMs >= (known.get(server)?.fromMs ?? -Infinity)) known.set(server, now);
      }
    }
  }
  return new Map([...known].map(([server, { expiresAtMs }]) => [server, expiresAtMs]));
}

function begunIn(act: StepState): readonly (readonly [string, TargetState])[] {
  if (act.step !== 'act' || act.startedAtMs === null) return [];
  return act.waves.flatMap(({ targets }) => Object.entries(targets));
}

function resetsClocks(step: PlanStep | undefined): boolean {
  return step?.step === 'act' && step.alters.includes('cache');
}

/** Null as the time to live: this step resets nothing. */
function resetOf({ phase, dirty, sinceMs }: TargetState, ttlMs: number | null): Known | null {
  if (ttlMs === null || !dirty || sinceMs === null || phase !== 'done') return null;
  return { expiresAtMs: sinceMs + ttlMs, fromMs: sinceMs };
}

/** The first to expire of the clocks that a server's readings tell; null: they tell none. */
function clockOf({ readings }: TargetState): Known | null {
  if (typeof readings !== 'object' || readings === null || !('clocks' in readings)) return null;
  if (!Array.isArray(readings.clocks)) return null;
  let first: Known | null = null;
  for (const clock of readings.clocks as readonly unknown[]) {
    if (!isClock(clock)) continue;
    const expiresAtMs = clock.readAtMs + clock.ttlMs - clock.ageMs;
    if (first === null || expiresAtMs < first.expiresAtMs) first = { expiresAtMs, fromMs: clock.readAtMs };
  }
  return first;
}

function isClock(
  clock: unknown,
): clock is { readonly ageMs: number; readonly ttlMs: number; readonly readAtMs: number } {
  if (typeof clock !== 'object' || clock === null) return false;
  return ['ageMs', 'ttlMs', 'readAtMs'].every((key) => typeof (clock as Record<string, unknown>)[key] === 'number');
}
