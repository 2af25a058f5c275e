import type { ActStep, GateStep } from '../model/index.ts';
import { canonicalJson, sha256Hex } from '../plan/index.ts';
import type { Place } from './effects.ts';
import type { RunEvent } from './events.ts';
import { actStepOf, lineOf, trackOf, waveIn, withStep, withTrack, type PlanIndex } from './lines.ts';
import { backInLine } from './reinstate.ts';
import { freshGate, type ActState, type RunState, type TargetState, type Track } from './state.ts';
import { clockTime } from './words.ts';

/** What a person may say of an effect that nobody else can tell of. */
export const DOUBT_ANSWERS: GateStep['answers'] = { done: 'go-on', 'not-done': 'go-on', leave: 'go-home' };

/** So much of a change is shown; its digest tells the rest. */
const SHOWN_MAX = 200;

/** A doubt that nobody was asked about yet, as the event that asks. */
export function doubted(state: RunState, index: PlanIndex): RunEvent | null {
  for (const { place, target } of doubts(state, index)) {
    const isAsked = state.tracks.some(
      ({ about }) => about?.attempts === target.attempts && samePlace(about.place, place),
    );
    if (isAsked) continue;
    const count = state.tracks.filter(({ kind }) => kind === 'doubt').length;
    return { type: 'doubted', track: `doubt${count + 1}`, place, attempts: target.attempts };
  }
  return null;
}

function samePlace(a: Place, b: Place): boolean {
  return a.track === b.track && a.step === b.step && a.wave === b.wave && a.target === b.target;
}

/** On the main line such a server is out, and contingencies have few: the fleet is not gone through at every event. */
function doubts(state: RunState, index: PlanIndex): { readonly place: Place; readonly target: TargetState }[] {
  return state.tracks.flatMap((track) => {
    const line = lineOf(index, track);
    const candidates =
      track.kind === 'main'
        ? Object.entries(state.out).map(([server, { step }]) => {
            const at = line.findIndex(({ id }) => id === step);
            const act = track.steps[at];
            return { server, at, wave: (act?.step === 'act' ? waveIn(act, step, server, index) : undefined) ?? 0 };
          })
        : track.kind === 'contingency'
          ? track.steps.flatMap((_, at) => track.servers.map((server) => ({ server, at, wave: 0 })))
          : [];
    return candidates.flatMap(({ server, at, wave }) => {
      const act = track.steps[at];
      const target = act?.step === 'act' ? act.waves[wave]?.targets[server] : undefined;
      if (!target || !isInDoubt(state, server, target, actStepOf(index, track, at))) return [];
      return [{ place: { track: track.id, step: at, wave, target: server }, target }];
    });
  });
}

/** It began, may not be repeated, and neither observing nor confirming could tell. One that is hung is recovered, not asked about. */
function isInDoubt(state: RunState, server: string, { phase, dirty, failure }: TargetState, step: ActStep): boolean {
  if (phase === 'unknown') return true;
  const fate = state.out[server]?.fate;
  const unread = failure?.kind === 'unreachable' || failure?.kind === 'timeout' || failure?.kind === 'lost';
  return phase === 'failed' && dirty && !step.idempotent && unread && fate !== 'undiagnosed' && fate !== 'hung';
}

/** A person is asked, in a track in which their word is proven, too. */
export function askAbout(state: RunState, event: Extract<RunEvent, { type: 'doubted' }>, index: PlanIndex): RunState {
  const track = doubtTrack(state, event, index);
  return track === null ? state : { ...state, tracks: [...state.tracks, track] };
}

function doubtTrack(
  state: RunState,
  { track: id, place, attempts }: Extract<RunEvent, { type: 'doubted' }>,
  index: PlanIndex,
): Track | null {
  const track = trackOf(state, place.track);
  const act = track?.steps[place.step];
  const target = act?.step === 'act' ? act.waves[place.wave]?.targets[place.target] : undefined;
  if (!track || act?.step !== 'act' || !target) return null;
  const step = actStepOf(index, track, place.step);
  const proof: ActState = {
    ...act,
    does: 'perform',
    wave: 0,
    behind: [],
    waves: [{ targets: { [place.target]: target } }],
    startedAtMs: null,
    endedAtMs: null,
    lastStartMs: null,
  };
  return {
    id,
    kind: 'doubt',
    status: 'running',
    cursor: 0,
    steps: [freshGate(-1, doubtGate(state, step, place.target, target, index)), proof],
    renewals: 0,
    redone: 0,
    servers: [place.target],
    contingency: track.contingency,
    about: { place, attempts },
  };
}

function doubtGate(
  { engines }: RunState,
  step: ActStep,
  server: string,
  { change, sinceMs, failure }: TargetState,
  index: PlanIndex,
): GateStep {
  const sender = engines.findLast(({ atMs }) => atMs <= (sinceMs ?? 0));
  const planned = index.verdict(step.id, server);
  const json = canonicalJson(change);
  const shown = planned.verdict === 'change' ? planned.diff.join('; ') : json;
  const by = sender ? ` by engine ${sender.pid} on ${sender.host}` : '';
  return {
    step: 'gate',
    id: server,
    title: [
      `Was "${step.title}" (step ${step.id}) done on ${server}? Nobody here can tell.`,
      `Sent${sinceMs === null ? '' : ` at ${clockTime(sinceMs)}`}${by}: ${shown.slice(0, SHOWN_MAX)} (change ${sha256Hex(json).slice(0, 12)}).`,
      `Seen since: ${failure?.what ?? 'nothing'}. ${failure?.state ?? ''}`.trim(),
      '"done": it must show when it is read again. "not-done": it is as if it had not begun. "leave": it stays unknown, and a person sees to it.',
    ].join('\n'),
    role: 'operator',
    answers: DOUBT_ANSWERS,
    fuse: null,
    freshMs: null,
    expiresMs: Number.MAX_SAFE_INTEGER,
    onTimeout: 'hold',
    ahead: false,
    renewFrom: null,
  };
}

/** A person's word is taken in: "done" is proven by reading, "not-done" settles it at once. */
export function wordTaken(state: RunState, track: Track, index: PlanIndex): RunState {
  const gate = track.steps[0];
  const proof = track.steps[1];
  const server = track.servers[0] ?? '';
  const target = proof?.step === 'act' ? proof.waves[0]?.targets[server] : undefined;
  if (gate?.step !== 'gate' || proof?.step !== 'act' || !target) return state;
  const isDone = gate.answer?.answer === 'done';
  const after: TargetState = isDone
    ? { ...target, phase: 'acted', inDoubt: false, misses: 0, failure: null }
    : { ...target, phase: 'left', dirty: false, inDoubt: false, failure: null };
  const moved = withStep({ ...track, cursor: 1 }, 1, { ...proof, waves: [{ targets: { [server]: after } }] });
  return isDone ? withTrack(state, moved) : settledDoubt(withTrack(state, moved), moved, index);
}

/** The proof has ended: what is known now is known where the doubt was; what does not show is asked about again. */
export function settledDoubt(state: RunState, track: Track, index: PlanIndex): RunState {
  const gate = track.steps[0];
  const proof = track.steps[1];
  const server = track.servers[0] ?? '';
  const target = proof?.step === 'act' ? proof.waves[0]?.targets[server] : undefined;
  if (gate?.step !== 'gate' || proof?.step !== 'act' || !target || !track.about) return state;
  if (target.phase === 'failed' || target.phase === 'unknown') return askedAgain(state, track, target);
  const by = gate.answer?.by ?? 'somebody';
  const finished = withTrack(state, { ...track, status: 'finished' });
  return backInLine(finished, track.about.place, target, by, index);
}

function askedAgain(state: RunState, track: Track, { failure }: TargetState): RunState {
  const gate = track.steps[0];
  if (gate?.step !== 'gate') return state;
  const note = `${gate.answer?.by ?? 'somebody'} said that it was done, and it does not show: ${failure?.what ?? 'it was not read'}`;
  const steps = track.steps.with(0, { ...gate, phase: 'waiting', askAtMs: state.nowMs, answer: null, note });
  return withTrack(state, { ...track, cursor: 0, steps });
}

/** A doubt that has become idle: the way home, or a recovery, has settled how the server stands. */
export function withdrawn(state: RunState): RunEvent | null {
  for (const track of state.tracks) {
    const server = track.servers[0] ?? '';
    if (track.kind !== 'doubt' || track.status !== 'running' || track.cursor > 0 || !track.about) continue;
    const { place } = track.about;
    const isBack =
      state.out[server]?.recovered === true ||
      state.tracks.some(
        (home) =>
          home.kind === 'home' &&
          place.track === 'main' &&
          home.steps.some(
            (act) =>
              act.step === 'act' &&
              act.plan === place.step &&
              act.waves.some(({ targets }) => targets[server]?.phase === 'done'),
          ),
      );
    if (isBack)
      return { type: 'told', server, what: 'leave', by: 'neap', reason: 'it was brought back as it was before' };
  }
  return null;
}

/** Somebody's word about a server, however it came: it answers every open question about it. */
export function takeWord(
  state: RunState,
  { server, what, by }: Extract<RunEvent, { type: 'told' }>,
  atMs: number,
): RunState {
  return state.tracks.reduce((sofar: RunState, track) => {
    const gate = track.steps[0];
    const isOpen = track.kind === 'doubt' && track.status === 'running' && track.cursor === 0;
    if (!isOpen || track.servers[0] !== server || gate?.step !== 'gate') return sofar;
    const answer = { answer: what, by, givenAtMs: atMs, atMs };
    const phase = what === 'leave' ? ('refused' as const) : ('passed' as const);
    return withTrack(sofar, withStep(track, 0, { ...gate, phase, answer }));
  }, state);
}
