import { settleTrack } from './advance.ts';
import { foldAnswer } from './ahead.ts';
import { beginCount, takeCount } from './countdown.ts';
import type { Effect, Place } from './effects.ts';
import type { RunEvent, Stamped } from './events.ts';
import { askAbout, takeWord } from './doubt.ts';
import { diagnosed, noteFailure, notePath } from './fold-failure.ts';
import { jumped, readFreezes } from './fold-time.ts';
import { isFuseOverridden } from './fuse.ts';
import { askGate, passGate, renewGate } from './gates.ts';
import { armTrack, homeTrack } from './tracks.ts';
import { intend } from './lane.ts';
import { lookAnewAt, noteMirror } from './mirror.ts';
import { allFlying, flyingOf, landed as without, NOTHING_FLIES, takenOff } from './flying.ts';
import { actStepOf, trackOf, withStep, withTrack, type PlanIndex } from './lines.ts';
import { opening } from './opening.ts';
import { mistrust } from './restored.ts';
import { spend } from './slot-tokens.ts';
import { takePace, takeTurns, unschedule } from './slots.ts';
import { beginShed, orphanShed, takeShed } from './shed.ts';
import { FRESH_TARGET, type ActState, type RunState, type TargetState, type Track } from './state.ts';
import { applyToTarget, lookAgain, orphan } from './target.ts';
import { begun } from './window.ts';
import { isAlteredBySummoned } from './given-back.ts';
import { summonedOf } from './recoveries.ts';
import { noteGuard } from './standings.ts';
import { forgetUnwatched, lookAnew } from './watching.ts';

/** Folds one event into the state. Pure and total: replaying a journal gives the state, whatever `next` decides today. */
export function apply(state: RunState | null, { atMs, event }: Stamped, index: PlanIndex): RunState {
  if (event.type === 'opened') return settle(begun(opening(event, atMs, index), index), index);
  if (state === null) throw new Error('a journal begins with the event "opened"');
  const settled = settle(
    begun(fold({ ...state, nowMs: Math.max(state.nowMs, atMs) }, event, atMs, index), index),
    index,
  );
  return lookAnew(state, forgetUnwatched(state, settled, index), index);
}

function fold(state: RunState, event: RunEvent, atMs: number, index: PlanIndex): RunState {
  switch (event.type) {
    case 'intended':
      return intended(state, event.effect, atMs, index);
    case 'looked':
    case 'performed':
    case 'confirmed':
      return told(state, event, atMs, index);
    case 'diagnosed':
      return diagnosed(state, event, index);
    case 'asked':
    case 'paged':
      return landed(state, event.id);
    case 'answered':
      return foldAnswer(state, event, atMs, index);
    case 'engine':
      return takenUp(state, event, atMs, index);
    case 'halted':
      return { ...state, halted: true };
    case 'unhalted':
      return { ...lookAgainAtReady(state, atMs), halted: false };
    case 'abort':
      return abort(state, event);
    case 'turned':
    case 'homeward':
    case 'armed':
    case 'renewed':
    case 'scheduled':
    case 'paced':
      return foldDecision(state, event, atMs, index);
    case 'closed':
      return { ...state, closed: { outcome: event.outcome, exitCode: event.exitCode, summary: event.summary, atMs } };
    case 'overrode':
    case 'guard':
    case 'mirror':
    case 'lease':
    case 'anchor':
    case 'freezes':
    case 'jumped':
      return foldStanding(state, event, atMs, index);
    case 'doubted':
      return askAbout(state, event, index);
    case 'told':
      return takeWord(state, event, atMs);
    case 'counted':
      return takeCount(state, event, atMs, index);
    case 'shed':
      return takeShed(state, event, atMs);
    case 'rehearsed':
      return { ...state, rehearsed: [...(state.rehearsed ?? []), event.rehearsal] };
    case 'opened':
    case 'approved':
    case 'fenced':
    case 'viewed':
    case 'time':
      return state;
  }
}

/** What the run itself decided, once and for ever. */
function foldDecision(
  state: RunState,
  event: Extract<RunEvent, { type: 'turned' | 'homeward' | 'armed' | 'renewed' | 'scheduled' | 'paced' }>,
  atMs: number,
  index: PlanIndex,
): RunState {
  switch (event.type) {
    case 'turned':
      return turn(state, event);
    case 'homeward':
      return { ...state, tracks: [...state.tracks, homeTrack(state, event.servers, index)] };
    case 'armed':
      return arm(state, event, atMs, index);
    case 'renewed':
      return renewGate(state, event, index);
    case 'scheduled':
      return takeTurns(state, event, index);
    case 'paced':
      return takePace(state, event, atMs, index);
  }
}

/** What stands in the run's way, no longer does, or was decided about by a person. */
function foldStanding(
  state: RunState,
  event: Extract<RunEvent, { type: 'overrode' | 'guard' | 'mirror' | 'lease' | 'anchor' | 'freezes' | 'jumped' }>,
  atMs: number,
  index: PlanIndex,
): RunState {
  switch (event.type) {
    case 'overrode':
      return override(state, event, atMs, index);
    case 'guard':
      return noteGuard(state, event);
    case 'mirror':
      return noteMirror(state, event, atMs, index);
    case 'lease':
      return { ...state, leaseLost: event.standing === 'lost' ? { sinceMs: atMs, seen: event.seen } : null };
    case 'anchor':
      return { ...state, anchorLost: event.standing === 'lost' ? { sinceMs: atMs, seen: event.seen } : null };
    case 'freezes':
      return readFreezes(state, event, atMs);
    case 'jumped':
      return lookAgainAtReady({ ...jumped(state, event), guards: {} }, atMs);
  }
}

function override(
  state: RunState,
  { class: overridden, about, by, untilMs }: Extract<RunEvent, { type: 'overrode' }>,
  atMs: number,
  index: PlanIndex,
): RunState {
  const decided = {
    ...state,
    overrides: [...state.overrides, { class: overridden, about, by, untilMs: untilMs ?? null }],
  };
  return overridden === 'mirror' ? lookAnewAt(decided, index, atMs) : decided;
}

function intended(state: RunState, effect: Effect, atMs: number, index: PlanIndex): RunState {
  const flying = { ...state, flying: takenOff(state.flying, effect) };
  switch (effect.effect) {
    case 'look':
    case 'perform':
    case 'undo':
    case 'confirm':
      return spend(
        state,
        onTarget(flying, effect.place, atMs, (target) => intend(target, effect, atMs)),
        effect,
        atMs,
        index,
      );
    case 'ask':
      return askGate(flying, effect, atMs, index);
    case 'pass':
      return passGate(landed(flying, effect.id), effect, atMs, index);
    case 'page':
      return { ...flying, paged: { ...flying.paged, [effect.key]: true } };
    case 'diagnose':
      return flying;
    case 'count':
      return beginCount(flying, atMs);
    case 'shed':
      return beginShed(flying, effect, atMs);
  }
}

function told(
  state: RunState,
  event: Extract<RunEvent, { type: 'looked' | 'performed' | 'confirmed' }>,
  atMs: number,
  index: PlanIndex,
): RunState {
  const effect = flyingOf(state.flying, event.id);
  if (!effect || !('place' in effect)) return state;
  const { place } = effect;
  const track = trackOf(state, place.track);
  const act = track?.steps[place.step];
  if (!track || act?.step !== 'act') return landed(state, event.id);
  const step = actStepOf(index, track, place.step);
  const planned =
    track.kind === 'contingency' || isAlteredBySummoned(state, index, place.target, step.alters)
      ? ({ verdict: 'unknown', untilStep: step.id } as const)
      : index.verdict(step.id, place.target);
  const waived = step.kind.name === 'prove-fuse' && isFuseOverridden(state);
  const rule = { server: place.target, step, does: act.does, planned, waived };
  let after: TargetState = FRESH_TARGET;
  const moved = onTarget(
    landed(state, event.id),
    place,
    atMs,
    (target) => (after = applyToTarget(target, event, rule, atMs)),
  );
  // Who fails in a contingency that the line waits for is out of the line as well.
  return track.kind === 'main' || summonedOf(track, index)
    ? noteFailure(notePath(moved, after, atMs), place.target, after, step.id, step.title, atMs)
    : notePath(moved, after, atMs);
}

function abort(state: RunState, { by, reason, to }: Extract<RunEvent, { type: 'abort' }>): RunState {
  return turn(state, { code: 'abort', why: `${by}: ${reason}`, ...(to === undefined ? {} : { to }) });
}

function turn(
  state: RunState,
  { code, why, to }: { code: NonNullable<RunState['homeWhy']>['code']; why: string; to?: string },
): RunState {
  // A line that came to its end has nothing to turn: what goes on beside it only gives back.
  if (state.mode === 'home' || trackOf(state, 'main')?.status === 'finished') return state;
  const tracks = state.tracks.map((track) =>
    track.kind === 'main' && track.status === 'running' ? { ...track, status: 'draining' as const } : track,
  );
  return { ...state, mode: 'home', homeWhy: { code, why, ...(to === undefined ? {} : { to }) }, halted: false, tracks };
}

function arm(state: RunState, event: Extract<RunEvent, { type: 'armed' }>, atMs: number, index: PlanIndex): RunState {
  // Asked for twice at once, it is armed once.
  if (trackOf(state, event.track)) return state;
  const guard = event.guard === undefined ? undefined : state.guards[event.guard];
  const track = { ...armTrack(event, atMs, index), ...(guard ? { onsetAtMs: guard.onsetAtMs } : {}) };
  const out = { ...state.out };
  for (const server of summonedOf(track, index) ? [] : event.servers) {
    const was = out[server];
    if (was) out[server] = { ...was, track: event.track };
  }
  return { ...state, out, tracks: [...state.tracks, track] };
}

/** Another engine has the run now. */
function takenUp(
  state: RunState,
  { from, pid, host, short }: Extract<RunEvent, { type: 'engine' }>,
  atMs: number,
  index: PlanIndex,
): RunState {
  return {
    ...unschedule(orphanAll(from === undefined ? state : mistrust(state, index), atMs)),
    engines: [...state.engines, { pid, host, atMs }],
    short: short === true,
  };
}

/** What was seen some time ago is not acted upon. */
function lookAgainAtReady(state: RunState, atMs: number): RunState {
  return onTargets(state, (target) => (target.phase === 'ready' ? lookAgain(target, atMs) : target));
}

/** A new engine: what was in flight has no outcome. */
function orphanAll(state: RunState, atMs: number): RunState {
  const unasked = state.tracks.map((track) => ({
    ...track,
    steps: track.steps.map((step) =>
      step.step === 'gate' && step.phase === 'asked' ? { ...step, phase: 'waiting' as const } : step,
    ),
  }));
  const { tracks } = onTargets({ ...state, tracks: unasked }, (target) => orphan(target, atMs));
  const paged = allFlying(state.flying).reduce(
    (all, effect) => (effect.effect === 'page' ? omit(all, effect.key) : all),
    state.paged,
  );
  // What an engine saw that is gone is not seen any more.
  return { ...state, tracks, paged, guards: {}, shed: orphanShed(state.shed, atMs), flying: NOTHING_FLIES };
}

function onTarget(state: RunState, place: Place, atMs: number, change: (target: TargetState) => TargetState): RunState {
  const track = trackOf(state, place.track);
  const act = track?.steps[place.step];
  const wave = act?.step === 'act' ? act.waves[place.wave] : undefined;
  const target = wave?.targets[place.target];
  if (!track || act?.step !== 'act' || !wave || !target) return state;
  const started = target.phase === 'waiting' || target.phase === 'held';
  const moved: ActState = {
    ...act,
    startedAtMs: act.startedAtMs ?? atMs,
    lastStartMs: started ? atMs : act.lastStartMs,
    waves: act.waves.with(place.wave, { targets: { ...wave.targets, [place.target]: change(target) } }),
  };
  return withTrack(state, withStep(track, place.step, moved));
}

/** Every server's part in every step that has not ended. */
function onTargets(state: RunState, change: (target: TargetState) => TargetState): RunState {
  const tracks = state.tracks.map((track) => ({
    ...track,
    steps: track.steps.map((step) => {
      if (step.step !== 'act' || step.endedAtMs !== null) return step;
      return { ...step, waves: step.waves.map((wave) => ({ targets: mapValues(wave.targets, change) })) };
    }),
  }));
  return { ...state, tracks };
}

function landed(state: RunState, id: string): RunState {
  const flying = without(state.flying, id);
  return flying === state.flying ? state : { ...state, flying };
}

/** Waves, steps and tracks move on by themselves when what they wait for has ended: one track's end can be what another waits for. */
function settle(state: RunState, index: PlanIndex): RunState {
  const settled = state.tracks.reduce((sofar: RunState, track: Track) => settleTrack(sofar, track.id, index), state);
  return settled === state ? state : settle(settled, index);
}

function omit<T>(record: Readonly<Record<string, T>>, key: string): Record<string, T> {
  const { [key]: _, ...others } = record;
  return others;
}

function mapValues<T, U>(record: Readonly<Record<string, T>>, change: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}
