import type { PlanStep } from '../../model/index.ts';
import { lineOf, type Machine, type StepState, type Track } from '../../run/index.ts';

/** What the plan says of a step of a track; a gate of the run's own is in no plan. */
export function plannedOf(track: Track, step: StepState, machine: Machine): PlanStep | undefined {
  return step.step === 'gate' && step.gate ? step.gate : lineOf(machine.index, track)[step.plan];
}
