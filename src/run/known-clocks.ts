import type { ActStep } from '../model/index.ts';
import { clocksIn, type ClockLike } from './fatal.ts';
import { lineOf, type PlanIndex } from './lines.ts';
import type { RunState, TargetState } from './state.ts';

/**
 * What the journal knows of one server's clocks: its latest reading of each, a refresh among them, unless something has
 * been done to the server since that resets its caches.
 */
export function knownClocks(state: RunState, server: string, index: PlanIndex): readonly ClockLike[] {
  const latest = new Map<string, ClockLike>();
  let resetAtMs = -Infinity;
  for (const { step, target, undoes } of partsOf(state, server, index)) {
    if (target.dirty && resets(step, undoes)) resetAtMs = Math.max(resetAtMs, target.sinceMs ?? state.nowMs);
    if (target.phase !== 'done') continue;
    for (const clock of clocksIn(target.readings))
      if (clock.readAtMs >= (latest.get(clock.name)?.readAtMs ?? -Infinity)) latest.set(clock.name, clock);
  }
  return [...latest.values()].filter(({ readAtMs, ageMs, unknown }) => !unknown && readAtMs - ageMs > resetAtMs);
}

/** Taking something, undoing, and power empty caches; what gives back a cache fills it. */
function resets({ nature, alters }: ActStep, undoes: boolean): boolean {
  const empties = nature === 'risk' || undoes || alters.includes('power');
  return empties && alters.some((aspect) => aspect === 'cache' || aspect === 'power');
}

interface Part {
  readonly step: ActStep;
  readonly target: TargetState;
  readonly undoes: boolean;
}

/** One server's part of every step of every track. */
function partsOf({ tracks }: RunState, server: string, index: PlanIndex): Part[] {
  return tracks.flatMap((track) => {
    const line = lineOf(index, track);
    return track.steps.flatMap((act) => {
      const step = line[act.plan];
      if (act.step !== 'act' || step?.step !== 'act') return [];
      return act.waves.flatMap(({ targets }): Part[] => {
        const target = targets[server];
        return target ? [{ step, target, undoes: act.does === 'undo' }] : [];
      });
    });
  });
}
