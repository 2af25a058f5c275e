import type { ActStep, Failure } from '../model/index.ts';
import type { Place } from './effects.ts';
import { actStepOf, trackOf, withTrack, type PlanIndex } from './lines.ts';
import {
  FRESH_TARGET,
  type ActState,
  type Out,
  type RunState,
  type StepState,
  type TargetState,
  type Track,
} from './state.ts';

/**
 * What was in doubt is known. Where the main line has begun nothing behind that step yet, the server takes part again:
 * done, or to be begun anew under all the line's rules. Otherwise it stays out, and how it stands is known.
 */
export function backInLine(state: RunState, place: Place, known: TargetState, by: string, index: PlanIndex): RunState {
  const track = trackOf(state, place.track);
  if (!track) return state;
  const wasDone = known.phase === 'done';
  const goesOn = canGoOn(state, track, place);
  const target: TargetState = goesOn && !wasDone ? anew(known) : known;
  const steps = track.steps.map((act, at) => {
    if (act.step !== 'act') return act;
    if (at === place.step) return reopened(withTarget(act, place.wave, place.target, target), goesOn);
    return goesOn && at > place.step && at <= track.cursor ? withoutLeft(act, place.target) : act;
  });
  const moved = { ...track, steps, cursor: goesOn ? place.step : track.cursor };
  const step = actStepOf(index, track, place.step);
  return {
    ...withTrack(state, moved),
    out: outAfter(state, place.target, goesOn, (was) =>
      track.kind === 'contingency'
        ? // Whom it was to recover it has not recovered yet: it is armed anew, and each step looks first.
          { ...was, track: null }
        : { ...was, fate: 'failed', failure: resolvedFailure(place.target, step, by, wasDone) },
    ),
  };
}

function outAfter({ out }: RunState, server: string, goesOn: boolean, change: (was: Out) => Out): RunState['out'] {
  const { [server]: was, ...others } = out;
  if (!was) return out;
  return goesOn ? others : { ...out, [server]: change(was) };
}

/** Nothing behind the step was begun on anybody, nor was anybody asked. */
function canGoOn({ mode }: RunState, track: Track, { step }: Place): boolean {
  if (mode !== 'forward' || track.kind !== 'main' || track.status !== 'running') return false;
  return track.steps.slice(step + 1, track.cursor + 1).every(isUntouched);
}

function isUntouched(step: StepState): boolean {
  if (step.step === 'act') return step.startedAtMs === null;
  return step.step === 'gate' && step.phase === 'waiting' && step.asks === 0;
}

/** Its counts stay, so that no effect's id comes twice. */
function anew({ looks, confirms, attempts }: TargetState): TargetState {
  return { ...FRESH_TARGET, looks, confirms, attempts, lostAttempts: attempts };
}

function withTarget(act: ActState, wave: number, server: string, target: TargetState): ActState {
  const before = act.waves[wave];
  return before ? { ...act, waves: act.waves.with(wave, { targets: { ...before.targets, [server]: target } }) } : act;
}

function reopened(act: ActState, goesOn: boolean): ActState {
  return goesOn ? { ...act, wave: 0, behind: [], endedAtMs: null } : act;
}

function withoutLeft(act: ActState, server: string): ActState {
  const waves = act.waves.map((wave) =>
    wave.targets[server]?.phase === 'left' ? { targets: { ...wave.targets, [server]: FRESH_TARGET } } : wave,
  );
  return { ...act, waves };
}

/** Why a server that was in doubt takes no further part. */
function resolvedFailure(server: string, step: ActStep, by: string, wasDone: boolean): Failure {
  return {
    kind: 'lost',
    what: wasDone
      ? `it was in doubt at "${step.title}"; ${by} said that it was done, and it shows`
      : `it was in doubt at "${step.title}"; ${by} said that it was not done`,
    where: server,
    state: 'The line had gone on without it',
    remedy: `Bring it back, proven: neap fleet rejoin ${server}`,
  };
}
