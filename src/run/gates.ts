import type { GateStep, PlanStep } from '../model/index.ts';
import type { Effect } from './effects.ts';
import type { RunEvent } from './events.ts';
import { ASK_AGAIN_MS } from './limits.ts';
import { currentOf, gateIdOf, gateStepOf, lineOf, trackOf, withStep, withTrack, type PlanIndex } from './lines.ts';
import {
  FRESH_TARGET,
  freshStep,
  type ActState,
  type GateState,
  type RunState,
  type StepState,
  type TargetState,
  type Track,
} from './state.ts';

/** The gate that a track waits at, if it waits at one. */
export function gateOf(
  track: Track,
  index: PlanIndex,
): { readonly state: GateState; readonly step: GateStep; readonly id: string } | null {
  const current = currentOf(track);
  if (current?.step !== 'gate' || track.status !== 'running') return null;
  const step = gateStepOf(index, track, current);
  return { state: current, step, id: gateIdOf(track, step) };
}

export function askGate(
  state: RunState,
  effect: Extract<Effect, { effect: 'ask' }>,
  atMs: number,
  index: PlanIndex,
): RunState {
  return onGate(state, effect.track, index, (gate) => ({
    ...gate,
    phase: 'asked',
    asks: gate.asks + 1,
    askedAtMs: gate.askedAtMs ?? atMs,
  }));
}

/** An answer arrives. One that is not for an open gate, or not one of its answers, moves nothing. */
export function answerGate(
  state: RunState,
  event: Extract<RunEvent, { type: 'answered' }>,
  atMs: number,
  index: PlanIndex,
): RunState {
  const track = state.tracks.find((each) => gateOf(each, index)?.id === event.gate);
  if (!track) return state;
  return onGate(state, track.id, index, (gate, step) => {
    // Not every name that a JavaScript object knows is an answer.
    const effect = Object.hasOwn(step.answers, event.answer) ? step.answers[event.answer] : undefined;
    if (effect === undefined || gate.phase === 'passed' || gate.phase === 'refused') return gate;
    const answer = { answer: event.answer, by: event.by, givenAtMs: event.givenAtMs, atMs };
    switch (effect) {
      case 'go-on':
        return { ...gate, phase: 'answered', answer };
      case 'go-home':
        return { ...gate, phase: 'refused', answer };
      case 'ask-again':
        return {
          ...gate,
          phase: 'waiting',
          askAtMs: atMs + ASK_AGAIN_MS,
          answer: null,
          note: `${event.by} said "${event.answer}"`,
        };
    }
  });
}

/** Acting upon an answer: one that has become too old is asked again. */
export function passGate(
  state: RunState,
  effect: Extract<Effect, { effect: 'pass' }>,
  atMs: number,
  index: PlanIndex,
): RunState {
  return onGate(state, effect.track, index, (gate, step) => {
    const ageMs = gate.answer === null ? 0 : atMs - gate.answer.givenAtMs;
    if (step.freshMs !== null && ageMs > step.freshMs) {
      return {
        ...gate,
        phase: 'waiting',
        passes: gate.passes + 1,
        answer: null,
        note: `the answer was ${Math.round(ageMs / 1000)} s old when it could be acted upon, so it is asked again`,
      };
    }
    return { ...gate, phase: 'passed' };
  });
}

/**
 * Back to the refresh, and what can be done anew from there to the gate is: looking, refreshing, holding. What took
 * something away stays done, and its way back with it. Who fell out there for a short fuse is in again.
 */
export function renewGate(state: RunState, event: Extract<RunEvent, { type: 'renewed' }>, index: PlanIndex): RunState {
  const track = trackOf(state, 'main');
  if (!track) return state;
  const line = lineOf(index, track);
  const from = line.findIndex((step) => step.id === event.from);
  const to = line.findIndex((step) => step.id === event.gate);
  if (from < 0 || to < from || from > track.cursor) return state;
  const again = new Set(line.slice(from, to + 1).map((step) => step.id));
  const held = stillHeld(track, line);
  const out = Object.fromEntries(
    Object.entries(state.out).filter(
      ([server, each]) =>
        held.has(server) || !(event.spoilt && again.has(each.step) && each.failure.kind === 'condition'),
    ),
  );
  const steps = track.steps.map((step, at) => {
    const planned = line[at];
    if (!planned || at < from || at > track.cursor) return step;
    if (at <= to && isDoneAnew(planned, line, track.cursor)) return anew(step, planned, at, held);
    return step.step === 'act' ? withoutLeft(step, out) : step;
  });
  const redone = track.redone + (event.spoilt ? 1 : 0);
  return withTrack(
    { ...state, fuse: null, out },
    { ...track, status: 'running', steps, cursor: from, renewals: track.renewals + 1, redone },
  );
}

/** What is still held is held on: only a hold that was let go of, or ended by itself, is taken anew. */
function isDoneAnew(step: PlanStep, line: readonly PlanStep[], cursor: number): boolean {
  if (step.step !== 'act') return true;
  if (step.releasedBy !== null) return line.findIndex(({ id }) => id === step.releasedBy) <= cursor;
  return step.leavesNothing || step.releases !== null;
}

/** Who fell out while it was held, and was not let go of: it stays out, and its hold is known until the way home takes it back. */
function stillHeld(track: Track, line: readonly PlanStep[]): ReadonlySet<string> {
  const partsAt = (at: number): readonly (readonly [string, TargetState])[] => {
    const act = track.steps[at];
    return act?.step === 'act' ? act.waves.flatMap(({ targets }) => Object.entries(targets)) : [];
  };
  return new Set(
    line.flatMap((step, at) => {
      if (step.step !== 'act' || step.releasedBy === null) return [];
      const release = new Map(partsAt(line.findIndex(({ id }) => id === step.releasedBy)));
      return partsAt(at).flatMap(([server, { dirty }]) =>
        dirty && release.get(server)?.phase === 'left' ? [server] : [],
      );
    }),
  );
}

function anew(step: StepState, planned: PlanStep, at: number, held: ReadonlySet<string>): StepState {
  const fresh = freshStep(planned, at, planned.step === 'act' ? planned.waves : []);
  if (fresh.step === 'act' && step.step === 'act' && planned.step === 'act' && planned.releasedBy !== null) {
    const was = new Map(step.waves.flatMap(({ targets }) => Object.entries(targets)));
    const keep = (server: string, target: TargetState): TargetState =>
      held.has(server) ? (was.get(server) ?? target) : target;
    const waves = fresh.waves.map(({ targets }) => ({
      targets: Object.fromEntries(Object.entries(targets).map(([server, target]) => [server, keep(server, target)])),
    }));
    return { ...fresh, waves };
  }
  // The bound of its slots holds over the rounds too, and so does what was learnt of the database.
  if (fresh.step === 'act' && step.step === 'act' && planned.step === 'act' && planned.slots)
    return { ...fresh, ...keptOf(step) };
  // A gate does not wait longer because it was asked again.
  return fresh.step === 'gate' && step.step === 'gate'
    ? { ...fresh, asks: step.asks, askedAtMs: step.askedAtMs }
    : fresh;
}

function keptOf({ lastStartMs, tokens, pace }: ActState): Partial<ActState> {
  return { lastStartMs, ...(tokens ? { tokens } : {}), ...(pace ? { pace } : {}) };
}

/** Who is in again takes part again where it was left out. */
function withoutLeft(act: ActState, out: RunState['out']): ActState {
  const waves = act.waves.map(({ targets }) => ({
    targets: Object.fromEntries(
      Object.entries(targets).map(([server, target]) => [
        server,
        target.phase === 'left' && !out[server] ? FRESH_TARGET : target,
      ]),
    ),
  }));
  return { ...act, waves, wave: 0, endedAtMs: null };
}

function onGate(
  state: RunState,
  trackId: string,
  index: PlanIndex,
  change: (gate: GateState, step: GateStep) => GateState,
): RunState {
  const track = trackOf(state, trackId);
  const found = track && gateOf(track, index);
  if (!track || !found) return state;
  return withTrack(state, withStep(track, track.cursor, change(found.state, found.step)));
}
