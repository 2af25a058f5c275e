import type { GateStep } from '../model/index.ts';
import type { RunEvent } from './events.ts';
import { fuseTooShort } from './fuse.ts';
import { answerGate, gateOf } from './gates.ts';
import { gateIdOf, trackOf, type PlanIndex } from './lines.ts';
import type { RunState, Track } from './state.ts';

type Answered = Extract<RunEvent, { type: 'answered' }>;

/** What a person says to a gate; `answer` null: takes back what was said ahead. */
export interface Said {
  readonly gate: string;
  readonly answer: string | null;
  readonly by: string;
  readonly givenAtMs: number;
  readonly reason?: string | undefined;
}

/**
 * A person's answer as an event: to a gate that is open, or ahead to one that will be asked, where the plan lets that
 * be. Gates of contingencies always may; before their contingency is armed they go by their step: `c1.2`. A string says
 * why not.
 */
export function answerOf(state: RunState, index: PlanIndex, said: Said): Answered | string {
  const { gate, by, givenAtMs, reason } = said;
  const words = { type: 'answered', by, givenAtMs, ...(reason === undefined ? {} : { reason }) } as const;
  if (said.answer === null) {
    const given = state.ahead[gate];
    if (!given) return `nothing was answered ahead to gate ${gate}, or it was used already`;
    return { ...words, gate, answer: given.answer, ahead: 'withdrawn' };
  }
  const { answer } = said;
  const open = openGate(state, index, gate);
  const step = open?.step ?? laterGate(state, index, gate);
  if (typeof step === 'string') return step;
  if (!Object.hasOwn(step.answers, answer))
    return `"${answer}" is no answer to gate ${gate}: ${Object.keys(step.answers).join(', ')}`;
  if (open) return { ...words, gate: open.id, answer };
  if (step.answers[answer] === 'ask-again') return `"${answer}" says nothing before gate ${gate} is asked`;
  return { ...words, gate, answer, ahead: 'given' };
}

function openGate(state: RunState, index: PlanIndex, name: string): { id: string; step: GateStep } | null {
  const open = state.tracks.flatMap((track) => {
    const gate = gateOf(track, index);
    return gate && (gate.state.phase === 'asked' || gate.state.phase === 'waiting') ? [gate] : [];
  });
  const exact = open.find(({ id }) => id === name);
  // The step's own name is enough where one track asks it.
  const [one, other] = open.filter(({ step, state: { phase } }) => step.id === name && phase === 'asked');
  return exact ?? (other ? null : (one ?? null));
}

function laterGate(state: RunState, { plan: { header } }: PlanIndex, name: string): GateStep | string {
  const at = header.steps.findIndex(({ id }) => id === name);
  const own = header.steps[at];
  if (own?.step === 'gate') {
    if (at < (trackOf(state, 'main')?.cursor ?? 0)) return `gate ${name} is not open now: the run is past it`;
    return own.ahead ? own : `gate ${name} is not open now, and cannot be answered ahead`;
  }
  const later = header.contingencies.flatMap(({ steps }) => steps).find(({ id }) => id === name);
  return later?.step === 'gate' ? later : `gate ${name} is not open now`;
}

/** An answer to an open gate, or one given ahead, taken back, or used. */
export function foldAnswer(state: RunState, event: Answered, atMs: number, index: PlanIndex): RunState {
  const { gate, answer, by, givenAtMs, ahead: what } = event;
  if (what === undefined) return answerGate(state, event, atMs, index);
  if (what === 'given') return { ...state, ahead: { ...state.ahead, [gate]: { answer, by, givenAtMs } } };
  const track = state.tracks.find((each) => gateOf(each, index)?.id === gate);
  const step = what === 'used' && track ? gateOf(track, index)?.step.id : gate;
  const { [step ?? gate]: _, ...ahead } = state.ahead;
  return what === 'used' ? answerGate({ ...state, ahead }, event, atMs, index) : { ...state, ahead };
}

/** A gate that was answered ahead is not asked, while that answer is one of its own and not too old. */
export function usedAhead(state: RunState, index: PlanIndex): RunEvent | null {
  if (Object.keys(state.ahead).length === 0) return null;
  for (const track of state.tracks) {
    const gate = gateOf(track, index);
    const given = gate && state.ahead[gate.step.id];
    if (!given || !isDue(state, track, index) || !Object.hasOwn(gate.step.answers, given.answer)) continue;
    if (isTooOld(state, gate.step, given.givenAtMs) || fuseTooShort(state, gate.step)) continue;
    return { type: 'answered', gate: gateIdOf(track, gate.step), ...given, ahead: 'used' };
  }
  return null;
}

function isDue(state: RunState, track: Track, index: PlanIndex): boolean {
  const gate = gateOf(track, index);
  if (!gate || (state.halted && track.kind === 'main')) return false;
  return gate.state.phase === 'asked' || (gate.state.phase === 'waiting' && gate.state.askAtMs <= state.nowMs);
}

/** Whether an answer given then would be asked again by now. */
export function isTooOld({ nowMs }: RunState, { freshMs }: GateStep, givenAtMs: number): boolean {
  return freshMs !== null && nowMs - givenAtMs > freshMs;
}

/** What was answered ahead and is not used yet, for views. */
export function answersAhead(
  state: RunState,
  { plan: { header } }: PlanIndex,
): { gate: string; title: string; answer: string; by: string; givenAtMs: number; tooOld: boolean }[] {
  const steps = [...header.steps, ...header.contingencies.flatMap((each) => each.steps)];
  return Object.entries(state.ahead).flatMap(([gate, given]) => {
    const step = steps.find(({ id }) => id === gate);
    if (step?.step !== 'gate') return [];
    return [{ gate, title: step.title, ...given, tooOld: isTooOld(state, step, given.givenAtMs) }];
  });
}
