import type { ActStep, PlanStep } from '../model/index.ts';
import { isTakenBack } from '../plan/index.ts';
import type { PlanIndex } from './lines.ts';

/**
 * From which step on the main line does nothing any more but give back what it took: no risk is left, nothing is held, nobody is asked,
 * and every risk behind has a step that gives it back. Turning for home there gains nothing. Infinity: nowhere.
 */
export function tailFrom({ plan }: PlanIndex): number {
  const { steps } = plan.header;
  const last = steps.findLastIndex((step) => step.step !== 'act' || step.nature === 'risk' || step.releases !== null);
  const isGivenBack = steps.every(
    (step, at) => step.step !== 'act' || step.nature !== 'risk' || !isTakenBack(step) || givesItBack(steps, step, at),
  );
  return last >= 0 && last < steps.length - 1 && isGivenBack ? last + 1 : Infinity;
}

/** Whether that step of the main line lies where nothing but giving back is left. */
export function isInTail(index: PlanIndex, step: string): boolean {
  const from = tailFrom(index);
  return from < Infinity && index.plan.header.steps.findIndex(({ id }) => id === step) >= from;
}

/** Whether a server is in service, as against what is on it: a later step proves a change of that, and takes none back. */
const PRESENCE: readonly string[] = ['offline', 'traffic', 'path'];
const CONTENT: readonly string[] = ['config', 'power'];

function givesItBack(steps: readonly PlanStep[], risk: ActStep, at: number): boolean {
  if (risk.releasedBy !== null) return true;
  const taken = risk.alters.filter((aspect) => PRESENCE.includes(aspect));
  if (taken.length === 0 || risk.alters.some((aspect) => CONTENT.includes(aspect))) return false;
  return steps.some(
    (step, later) =>
      later > at &&
      step.step === 'act' &&
      step.nature === 'restore' &&
      taken.every((aspect) => step.alters.includes(aspect)),
  );
}
