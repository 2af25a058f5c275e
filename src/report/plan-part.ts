import type { Plan, PlanStep, PlanVerdict } from '../model/index.ts';
import type { PlanPart, PlanStepRow } from './report.ts';

/** What the run was approved to do, with every finding of the preview and the verdicts counted. */
export function planPart(plan: Plan): PlanPart {
  const {
    neap,
    madeAtMs,
    notAfterMs,
    runbook,
    fleet,
    inputs,
    canaries,
    window,
    forecast,
    findings,
    guards,
    steps,
    contingencies,
  } = plan.header;
  const rows = [
    ...steps.map((step) => stepRow(step, null, plan)),
    ...contingencies.flatMap((contingency) => contingency.steps.map((step) => stepRow(step, contingency.id, plan))),
  ];
  return {
    hash: plan.hash,
    neap,
    madeAtMs,
    notAfterMs,
    runbook,
    fleet,
    inputs,
    canaries,
    window,
    forecast,
    findings,
    guards,
    steps: rows,
  };
}

function stepRow(step: PlanStep, contingency: string | null, plan: Plan): PlanStepRow {
  const act = step.step === 'act' ? step : null;
  return {
    contingency,
    id: step.id,
    title: step.title,
    step: step.step,
    nature: act ? act.nature : step.step === 'gate' ? step.role : '',
    servers: act ? act.waves.flat().length : 0,
    waves: act ? act.waves.length : 0,
    irreversible: act ? act.irreversible : null,
    verdicts: countVerdicts(step.id, plan),
  };
}

function countVerdicts(step: string, { slices }: Plan): PlanStepRow['verdicts'] {
  const counts: Record<PlanVerdict['verdict'], number> = {
    nothing: 0,
    change: 0,
    unknown: 0,
    refused: 0,
    failed: 0,
    contingency: 0,
  };
  for (const slice of slices) for (const { verdict } of Object.values(slice.verdicts[step] ?? {})) counts[verdict] += 1;
  return counts;
}
