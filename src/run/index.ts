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

export type { Effect, Place } from './effects.ts';
export type { Looked, Outcome, RunEvent, Stamped } from './events.ts';
export { gateOf } from './gates.ts';
export { actStepOf, currentOf, gateIdOf, lineOf, trackOf, type PlanIndex } from './lines.ts';
export { budgetOf, type Next } from './next.ts';
export { unprovenServers } from './outcome.ts';
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
export { approveCommand, clockTime, duration, gateText, nameServers } from './words.ts';
