import { FailureError, type ActStep, type Json, type Plan, type PlanStep } from '../model/index.ts';
import { readChange, type Outline } from '../plan/index.ts';
import type { StepKind } from '../ports/index.ts';
import type { Place } from '../run/index.ts';

/**
 * A step of the plan with the code behind it. On the way home that can be the code of another neap: what it cannot make
 * out of the plan any more throws a FailureError where it is needed, and nothing else is held up by it.
 */
export interface KnownStep {
  readonly step: ActStep;
  readonly kind: StepKind;
  readonly input: never;
  /** The kind is of the version that the plan was made with. */
  readonly isAsPlanned: boolean;
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
  const known = new Map(
    lines.flatMap((step) => (step.step === 'act' ? [[step.id, knownStep(step, kindOf(step, outline))]] : [])),
  );
  return {
    of: (place) => {
      const id = positions(place.track, place.step);
      const step = known.get(id);
      if (!step) throw new Error(`the plan has no step ${id}`);
      return step;
    },
  };
}

/** Another neap may lay the same runbook out in other steps: then a kind is found by its name. */
function kindOf(step: ActStep, { kinds }: Outline): StepKind | null {
  // A way back has steps of its own, and the kinds of the run that it takes back.
  const laid = kinds.get(step.undoes?.step ?? step.id);
  const found = laid?.name === step.kind.name ? laid : [...kinds.values()].find(({ name }) => name === step.kind.name);
  return (found as StepKind | undefined) ?? null;
}

function knownStep(step: ActStep, found: StepKind | null): KnownStep {
  const there = (): StepKind => {
    if (found === null) throw unknown(step, `this neap and the runbook have no step kind ${step.kind.name}`);
    return found;
  };
  const given = found?.input.safeParse(step.input);
  return {
    step,
    isAsPlanned: found?.version === step.kind.version,
    get kind() {
      return there();
    },
    get input() {
      const { name, version } = there();
      if (given?.success) return given.data as never;
      throw unknown(step, `version ${version} of the step kind ${name} does not take the input that the plan has`);
    },
    read: (change) => readChange(there(), step.kind.version, change, step.title) as never,
  };
}

function unknown({ kind: { name, version }, title }: ActStep, what: string): FailureError {
  return new FailureError({
    kind: 'output',
    what,
    where: title,
    state: 'Everything was left as it is',
    remedy: `Use the neap and the step kind that the plan was made with (${name}, version ${version}), or put it back by hand`,
  });
}
