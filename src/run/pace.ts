import type { ActStep } from '../model/index.ts';
import { concurrencyOf } from '../plan/index.ts';
import type { PlanIndex } from './lines.ts';
import type { RunState } from './state.ts';
import { isInTail } from './tail.ts';

/**
 * How many servers of a step of the main line may be under way at once now. Each failure in it halves that, down to one,
 * and nothing in the run raises it again; what gives back keeps its own pace.
 */
export function paceOf({ slowed }: RunState, step: ActStep, index: PlanIndex): number {
  const planned = concurrencyOf(step, index.plan.header.budget.failures);
  if (step.nature === 'restore' || isInTail(index, step.id)) return planned;
  return Math.max(1, Math.floor(planned / 2 ** (slowed[step.id] ?? 0)));
}

/** One more failure in that step. */
export function slowDown(slowed: RunState['slowed'], step: string): RunState['slowed'] {
  return { ...slowed, [step]: (slowed[step] ?? 0) + 1 };
}
