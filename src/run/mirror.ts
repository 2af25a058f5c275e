import type { ActStep } from '../model/index.ts';
import type { Effect } from './effects.ts';
import type { RunEvent } from './events.ts';
import { actStepOf, currentOf, trackOf, withStep, withTrack, type PlanIndex } from './lines.ts';
import type { Page } from './pages.ts';
import type { ActState, RunState, Track } from './state.ts';
import type { Stop } from './stops.ts';
import { lookAgain } from './target.ts';
import { clockTime, nameServers } from './words.ts';

/**
 * Whether a step's intention must lie elsewhere too before it is begun: what cannot be taken back, or not be done
 * twice. If this machine is lost in the middle of it, whoever goes on from the mirror must know of it. Everything else
 * is found out by looking.
 */
export function waitsForMirror(step: ActStep): boolean {
  return !step.idempotent || (step.irreversible !== null && !step.leavesNothing);
}

/** What keeps such a step waiting, whatever its nature: the mirror is behind, and nobody has decided to go on without it. */
export function mirrorStops(state: RunState, step: ActStep, { plan }: PlanIndex): Stop[] {
  const { mirrorBehind } = state;
  if (plan.header.mirror === null || mirrorBehind === null || !waitsForMirror(step) || goesOnWithout(state)) return [];
  return [{ key: `mirror/${mirrorBehind.sinceMs}`, why: `the mirror is behind: ${mirrorBehind.seen}` }];
}

/** Whether a person decided, since it fell behind, to go on without the mirror. */
export function goesOnWithout({ overrides }: RunState): boolean {
  return overrides.some((each) => each.class === 'mirror');
}

/** Whether this effect, intended now, is begun only when the mirror holds its intention. */
export function needsMirror(state: RunState, effect: Effect, index: PlanIndex): boolean {
  if (effect.effect !== 'perform' || index.plan.header.mirror === null || goesOnWithout(state)) return false;
  const track = trackOf(state, effect.place.track);
  return track !== undefined && waitsForMirror(actStepOf(index, track, effect.place.step));
}

/** The mirror fell behind, or has everything again: then a decision to go on without it has served. */
export function noteMirror(
  state: RunState,
  { standing, seen }: Extract<RunEvent, { type: 'mirror' }>,
  atMs: number,
  index: PlanIndex,
): RunState {
  if (standing === 'behind') return { ...state, mirrorBehind: { sinceMs: state.mirrorBehind?.sinceMs ?? atMs, seen } };
  const overrides = state.overrides.filter((each) => each.class !== 'mirror');
  return lookAnewAt({ ...state, mirrorBehind: null, overrides }, index, atMs);
}

/** Whoever was ready to be acted upon was seen before the wait, and is looked at again. */
export function lookAnewAt(state: RunState, index: PlanIndex, atMs: number): RunState {
  return state.tracks.reduce((sofar, track) => {
    const act = currentOf(track);
    return act?.step === 'act' && waitsForMirror(actStepOf(index, track, track.cursor))
      ? withTrack(sofar, withStep(track, track.cursor, lookedAnew(act, atMs)))
      : sofar;
  }, state);
}

function lookedAnew(act: ActState, atMs: number): ActState {
  const waves = act.waves.map(({ targets }) => ({
    targets: Object.fromEntries(
      Object.entries(targets).map(([server, target]) => [
        server,
        target.phase === 'ready' ? lookAgain(target, atMs) : target,
      ]),
    ),
  }));
  return { ...act, waves };
}

/** One page when it falls behind, and one for each step that waits for it. */
export function mirrorPages(state: RunState, index: PlanIndex): Page[] {
  const { mirrorBehind, run } = state;
  if (mirrorBehind === null || index.plan.header.mirror === null) return [];
  const since = clockTime(mirrorBehind.sinceMs);
  const behind: Page = {
    key: `mirror/${mirrorBehind.sinceMs}`,
    text: `Run ${run}: its mirror is behind since ${since}: ${mirrorBehind.seen}. The run goes on and tries again by itself; what has no way back waits. If this machine were lost now, its last events would be too. See: neap status ${run}`,
  };
  return [behind, ...state.tracks.flatMap((track) => waitingPage(state, track, index))];
}

function waitingPage(state: RunState, track: Track, index: PlanIndex): Page[] {
  const act = currentOf(track);
  if (act?.step !== 'act' || track.status !== 'running' || state.mirrorBehind === null) return [];
  const step = actStepOf(index, track, track.cursor);
  if (act.does !== 'perform' || mirrorStops(state, step, index).length === 0) return [];
  const servers = (act.waves[act.wave] ? Object.entries(act.waves[act.wave]?.targets ?? {}) : []).flatMap(
    ([server, { phase }]) => (phase === 'waiting' || phase === 'ready' || phase === 'held' ? [server] : []),
  );
  if (servers.length === 0) return [];
  return [
    {
      key: `mirror-wait/${track.id}/${track.cursor}/${state.mirrorBehind.sinceMs}`,
      text: `Run ${state.run}: "${step.title}" on ${nameServers(servers)} waits for the mirror, because it has no way back: ${state.mirrorBehind.seen}. Bring the mirror back, or go on without it: neap override ${state.run} mirror --reason "..."`,
    },
  ];
}
