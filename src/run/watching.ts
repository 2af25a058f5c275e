import type { Guard } from '../model/index.ts';
import { actStepOf, currentOf, trackOf, withStep, withTrack, type PlanIndex } from './lines.ts';
import type { RunState } from './state.ts';
import { stopsOf } from './stops.ts';
import { lookAgain } from './target.ts';

/**
 * The guards to be read now: those that cover the step under way, halted or not; on the way home those of all steps
 * that were begun, for what they see still matters to whoever brings the fleet back (promise 8).
 */
export function watchedGuards(state: RunState, { plan: { header } }: PlanIndex): readonly Guard[] {
  const main = trackOf(state, 'main');
  if (header.guards.length === 0 || state.closed || !main) return [];
  if (state.mode === 'forward' && main.status === 'finished') return [];
  const from = state.mode === 'home' ? 0 : main.cursor;
  const begun = new Set(header.steps.slice(from, main.cursor + 1).map(({ id }) => id));
  return header.guards.filter(({ covers }) => covers.some((id) => begun.has(id)));
}

/** What a guard said of steps that are behind is not what it would say when they come again. */
export function forgetUnwatched(before: RunState, state: RunState, index: PlanIndex): RunState {
  if (Object.keys(state.guards).length === 0) return state;
  if (state.guards === before.guards && state.mode === before.mode && placeOf(state) === placeOf(before)) return state;
  const watched = new Set(watchedGuards(state, index).map(({ id }) => id));
  const kept = Object.entries(state.guards).filter(([id]) => watched.has(id));
  return kept.length === Object.keys(state.guards).length ? state : { ...state, guards: Object.fromEntries(kept) };
}

function placeOf(state: RunState): string {
  const main = trackOf(state, 'main');
  return `${main?.status} ${main?.cursor}`;
}

/** Nothing stops risk any more: who was ready to be acted upon was seen before that, and is looked at again. */
export function lookAnew(before: RunState, state: RunState, index: PlanIndex): RunState {
  const main = trackOf(state, 'main');
  const act = main && currentOf(main);
  const was = trackOf(before, 'main');
  if (!main || act?.step !== 'act' || was?.cursor !== main.cursor) return state;
  const step = actStepOf(index, main, main.cursor);
  if (stopsOf(before, step, index).length === 0 || stopsOf(state, step, index).length > 0) return state;
  const waves = act.waves.map((wave, at) =>
    at === act.wave || act.behind.includes(at)
      ? {
          targets: Object.fromEntries(
            Object.entries(wave.targets).map(([server, target]) => [
              server,
              target.phase === 'ready' ? lookAgain(target, state.nowMs) : target,
            ]),
          ),
        }
      : wave,
  );
  return withTrack(state, withStep(main, main.cursor, { ...act, waves }));
}
