import type { ActStep, Json, Plan, PlanStep } from '../model/index.ts';
import { readChange, type Outline } from '../plan/index.ts';
import type { StepKind } from '../ports/index.ts';
import type { Place } from '../run/index.ts';

/** A step of the plan with the code behind it. */
export interface KnownStep {
  readonly step: ActStep;
  readonly kind: StepKind;
  readonly input: never;
  /** A recorded change in the form of today's kind, by the version that the plan says. Throws FailureError. */
  readonly read: (change: Json) => never;
}

export interface Kinds {
  of(place: Place): KnownStep;
}

/**
 * Finds the step and kind that an effect speaks of. `positions` tells which of the plan's steps a track's n-th is,
 * since a way home and a contingency have lines of their own.
 */
export function knownSteps(plan: Plan, outline: Outline, positions: (track: string, step: number) => string): Kinds {
  const lines: readonly PlanStep[] = [...plan.header.steps, ...plan.header.contingencies.flatMap((each) => each.steps)];
  const known = new Map<string, KnownStep>();
  for (const step of lines) {
    if (step.step !== 'act') continue;
    // A way back has steps of its own, and the kinds of the run that it takes back.
    const kind = outline.kinds.get(step.undoes?.step ?? step.id) as StepKind | undefined;
    if (!kind) continue;
    const read = (change: Json): never => readChange(kind, step.kind.version, change, step.title) as never;
    known.set(step.id, { step, kind, input: kind.input.parse(step.input) as never, read });
  }
  return {
    of: (place) => {
      const id = positions(place.track, place.step);
      const step = known.get(id);
      if (!step) throw new Error(`the plan has no step ${id}`);
      return step;
    },
  };
}
