import type { ActStep, Json, PlanStep } from '../model/index.ts';
import { canonicalJson } from './canonical.ts';
import type { Outline } from './outline.ts';
import { SAMPLES_MIN } from './timing.ts';

/** How long one kind's work with one input took, server by server, in earlier runs. */
export interface Samples {
  readonly runs: number;
  /** Plan milliseconds, without soaks and without waiting for needs. */
  readonly tookMs: readonly number[];
}

/** By `historyKey`. */
export type History = ReadonlyMap<string, Samples>;

/** Nothing is expected to take less than this, nor than a tenth of what its kind says: a few quick times are luck. */
const LEAST_MS = 100;
const LEAST_SHARE = 0.1;

/** What is alike enough to be compared: the kind, its input, and whether it is done or taken back. */
export function historyKey(kind: string, input: Json, does: 'perform' | 'undo'): string {
  return `${kind} ${does} ${canonicalJson(input)}`;
}

/** Whether a step of the main line takes something back: a hold's release, or what an earlier run did. */
export function doesOf(step: ActStep): 'perform' | 'undo' {
  return step.releases === null && step.undoes === null ? 'perform' : 'undo';
}

/** Steps with what earlier runs showed of them. Few samples are kept to be shown, and what the kind says still holds. */
export function withHistory<T extends PlanStep>(steps: readonly T[], history: History): T[] {
  return steps.map((step) => {
    if (step.step !== 'act') return step;
    const found = history.get(historyKey(step.kind.name, step.input, doesOf(step)));
    if (!found || found.tookMs.length === 0) return step;
    const sorted = found.tookMs.toSorted((a, b) => a - b);
    const [medianMs, p95Ms] = [quantile(sorted, 0.5), quantile(sorted, 0.95)];
    const kindMs = step.expectedMs;
    const leastMs = Math.max(LEAST_MS, kindMs * LEAST_SHARE);
    return {
      ...step,
      expectedMs: sorted.length < SAMPLES_MIN ? kindMs : Math.max(leastMs, medianMs),
      expectedFrom: { from: 'history', runs: found.runs, samples: sorted.length, medianMs, p95Ms, kindMs },
    };
  });
}

/** A runbook laid over a fleet, with what earlier runs showed of its steps. */
export function experienced(laid: Outline, history: History): Outline {
  return {
    ...laid,
    steps: withHistory(laid.steps, history),
    contingencies: laid.contingencies.map((each) => ({ ...each, steps: withHistory(each.steps, history) })),
  };
}

/** The nearest rank: a time that one server really took. */
function quantile(sorted: readonly number[], share: number): number {
  return Math.round(sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0);
}
