import type { Plan } from '../model/index.ts';
import type { Stamped } from './events.ts';
import { apply } from './fold.ts';
import { indexPlan, type PlanIndex } from './lines.ts';
import { next, type Next } from './next.ts';
import type { RunState } from './state.ts';

/**
 * The run machine: `apply` folds the journal, `next` says what to do now. No clock, no I/O, no chance: time is
 * `event.atMs`, and waiting is `wakeAtMs`.
 */
export interface Machine {
  readonly index: PlanIndex;
  apply(state: RunState | null, event: Stamped): RunState;
  next(state: RunState): Next;
}

export function createMachine(plan: Plan): Machine {
  const index = indexPlan(plan);
  return { index, apply: (state, event) => apply(state, event, index), next: (state) => next(state, index) };
}

export { deedsOf } from './deeds.ts';
export type { Effect, Place } from './effects.ts';
export type { Looked, Outcome, OverrideClass, RunEvent, Stamped } from './events.ts';
export { allFlying, flyingOf } from './flying.ts';
export { awayOf, keptOut, provenBack, rejoinCommand, type Away } from './away.ts';
export { burningOf, type Burning } from './countdown.ts';
export { gateOf } from './gates.ts';
export { knownClocks } from './known-clocks.ts';
export { holdsPage, shedAtMs, shedWords } from './shed.ts';
export { judge, silentAtMs, unread, type GuardReading, type Judged } from './judge.ts';
export { actStepOf, currentOf, gateIdOf, lineOf, trackOf, type PlanIndex } from './lines.ts';
export { mirrorStops, needsMirror, waitsForMirror } from './mirror.ts';
export { budgetOf, type Next } from './next.ts';
export { unprovenServers } from './unproven.ts';
export {
  isSettled,
  type ActState,
  type Fuse,
  type GateState,
  type Out,
  type RunState,
  type StepState,
  type TargetState,
  type Track,
} from './state.ts';
export { answerOf, answersAhead } from './ahead.ts';
export { armByHand, isSummoned } from './recoveries.ts';
export { isOverridden } from './standings.ts';
export { slotsAhead } from './slot-tokens.ts';
export { coherenceOf, slottedOf } from './slots.ts';
export { loadStop } from './serving.ts';
export { stopsOf, type Stop } from './stops.ts';
export { watchedGuards } from './watching.ts';
export { refusesTo, staysOf, type Stays } from './stays.ts';
export { partTitle, approveCommand, clockTime, duration, gateText, nameServers, guardWords } from './words.ts';
export { overrideOf, type OverrideWish } from './override.ts';
export { outlookOf, type Outlook } from './outlook.ts';
export { closesAtMs, freezesAhead, opensAtMs, UNREAD, waitsForOpening, type Freeze } from './window.ts';
