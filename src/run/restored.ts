import { goesOnWithout, waitsForMirror } from './mirror.ts';
import { actStepOf, type PlanIndex } from './lines.ts';
import type { ActState, RunState, TargetState, Track } from './state.ts';

/**
 * The run goes on from a copy of its journal, which may lack the last moments of an engine that is lost with its disk:
 * whatever was next may have been done. So where looking finds a step done, that engine did it and it is not drift;
 * and the way home looks after everybody whom it may have reached. What has no way back had to be in the copy first.
 */
export function mistrust(state: RunState, index: PlanIndex): RunState {
  return { ...state, tracks: state.tracks.map((track) => mistrustTrack(state, track, index)) };
}

function mistrustTrack(state: RunState, track: Track, index: PlanIndex): Track {
  if (track.status === 'finished' || track.status === 'stopped') return track;
  const steps = track.steps.map((act, at) => {
    if (act.step !== 'act' || act.endedAtMs !== null) return act;
    const step = actStepOf(index, track, at);
    // What is done under a hold ends before it is let go of. Where that end was not copied it proves nothing, whoever
    // let go: the hold is taken anew.
    if (step.releases !== null && at > track.cursor) return act;
    if (act.does === 'perform' && waitsForMirror(step) && !goesOnWithout(state)) return act;
    return { ...act, waves: act.waves.map(({ targets }) => ({ targets: mistrustAll(act, targets, step.id, index) })) };
  });
  return { ...track, steps };
}

function mistrustAll(
  { does }: ActState,
  targets: Readonly<Record<string, TargetState>>,
  step: string,
  index: PlanIndex,
): Record<string, TargetState> {
  return Object.fromEntries(
    Object.entries(targets).map(([server, target]) => {
      const untouched = ['waiting', 'held', 'looking', 'ready'].includes(target.phase) && !target.dirty;
      if (!untouched) return [server, target];
      const planned = index.verdict(step, server);
      const change = does === 'perform' && planned.verdict === 'change' ? planned.change : target.change;
      return [server, { ...target, perhaps: true, change }];
    }),
  );
}
