import type { RunEvent } from './events.ts';
import { REDONE_MAX } from './limits.ts';
import { currentOf, trackOf, type PlanIndex } from './lines.ts';
import { coherenceOf } from './slots.ts';
import type { RunState, StepState } from './state.ts';

/**
 * A step that was to bring expiries apart, and did not bring them below what its plan demands, is done again, a few
 * times; then the run goes home, for what it was begun for is not reached. Judged before the step behind it is begun.
 */
export function spreadAgain(state: RunState, index: PlanIndex): RunEvent | null {
  const main = trackOf(state, 'main');
  const next = main && currentOf(main);
  const step = main && index.plan.header.steps[main.cursor - 1];
  if (!main || !next || main.status !== 'running' || state.mode === 'home' || hasBegun(next)) return null;
  if (step?.step !== 'act' || !step.slots || step.slots.coherenceBelow === null) return null;
  const now = coherenceOf(state, main, step.slots, index);
  if (now === null || now < step.slots.coherenceBelow) return null;
  const why = `expiries lie together by ${now.toFixed(2)}, and ${step.slots.coherenceBelow} is the most that is meant`;
  if (main.redone < REDONE_MAX) return { type: 'renewed', gate: step.id, from: step.id, spoilt: true, why };
  return { type: 'turned', code: 'condition', why: `${why}, after ${main.redone + 1} times` };
}

function hasBegun(step: StepState): boolean {
  if (step.step === 'act') return step.startedAtMs !== null;
  return step.step === 'gate' && (step.phase !== 'waiting' || step.asks > 0);
}
