import type { ActStep, PlanHeader } from '../../model/index.ts';
import { SAMPLES_MIN } from '../../plan/index.ts';
import { duration } from '../../run/index.ts';

/** What earlier runs showed of a step. Null: it was seen too few times, or never, and what its kind says is expected. */
export function takesWords({ expectedMs, expectedFrom }: ActStep): string | null {
  return isMeasured(expectedFrom) ? `takes ${briefly(expectedMs)}, 95 % within ${briefly(expectedFrom.p95Ms)}` : null;
}

/** Where a plan's durations come from; null where no run was before. */
export function takesFrom({ steps }: PlanHeader): string | null {
  const runs = Math.max(
    0,
    ...steps.map((step) => (step.step === 'act' && isMeasured(step.expectedFrom) ? step.expectedFrom.runs : 0)),
  );
  if (runs === 0) return null;
  return `Durations: from ${runs} earlier ${runs === 1 ? 'run' : 'runs'} where a step says so; by the step's kind elsewhere.`;
}

type From = ActStep['expectedFrom'];

function isMeasured(from: From): from is Exclude<From, { from: 'kind' }> {
  return from.from !== 'kind' && from.samples >= SAMPLES_MIN;
}

function briefly(ms: number): string {
  return ms < 10_000 ? `${Math.round(ms / 100) / 10} s` : duration(ms);
}
