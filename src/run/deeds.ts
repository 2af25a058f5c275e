import type { Deed } from '../plan/index.ts';
import type { Place } from './effects.ts';
import type { Stamped } from './events.ts';
import { lineOf, trackOf, type PlanIndex } from './lines.ts';
import type { RunState, TargetState, Track } from './state.ts';

/**
 * Everything that a run began to change, in the order in which it did, from its journal. What leaves nothing to take
 * back is not among it; what the run took back itself is, and says so.
 */
export function deedsOf(events: readonly Stamped[], state: RunState, index: PlanIndex): Deed[] {
  const deeds = new Map<string, Deed>();
  for (const [at, { event }] of events.entries()) {
    if (event.type !== 'intended' || event.effect.effect !== 'perform') continue;
    const { place, change } = event.effect;
    const track = trackOf(state, place.track);
    if (!track || track.kind === 'home') continue;
    const step = stepIn(track, place, index);
    if (step === null || step.leavesNothing) continue;
    const key = `${track.id}/${step.id}/${place.target}`;
    const { begun } = deeds.get(key) ?? { begun: at };
    deeds.set(key, {
      track: track.id,
      step: step.id,
      server: place.target,
      wave: place.wave,
      change,
      begun,
      lastBegun: at,
      proven: targetAt(track, place)?.phase === 'done',
      takenBack: isTakenBack(state, track, step.id, place.target, index),
    });
  }
  return [...deeds.values()].toSorted((a, b) => a.begun - b.begun);
}

function stepIn(track: Track, { step }: Place, index: PlanIndex) {
  const found = lineOf(index, track)[track.steps[step]?.plan ?? -1];
  return found?.step === 'act' ? found : null;
}

function targetAt(track: Track, { step, wave, target }: Place): TargetState | undefined {
  const act = track.steps[step];
  return act?.step === 'act' ? act.waves[wave]?.targets[target] : undefined;
}

/** By the way home, or by the step that releases a hold. */
function isTakenBack(state: RunState, track: Track, step: string, server: string, index: PlanIndex): boolean {
  return state.tracks.some((other) => {
    if (other.kind === 'home' ? track.kind !== 'main' : other !== track) return false;
    const line = lineOf(index, other);
    return other.steps.some((act) => {
      if (act.step !== 'act' || act.does !== 'undo') return false;
      const planned = line[act.plan];
      const ofStep =
        planned?.step === 'act' && (other.kind === 'home' ? planned.id === step : planned.releases === step);
      return ofStep && act.waves.some(({ targets }) => targets[server]?.phase === 'done');
    });
  });
}
