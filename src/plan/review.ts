import type { Finding, PlanHeader, Slice } from '../model/index.ts';
import type { CompileInput } from './compile.ts';
import { reviewWindow } from './review-window.ts';

/** How many servers a finding names. */
const NAMED_MAX = 8;

/** What stands in the way of a plan, from its verdicts: none is dropped. */
export function review(header: PlanHeader, slices: readonly Slice[], except: CompileInput['except']): Finding[] {
  const trouble = troubleOf(slices);
  // A line that takes nothing away may begin without a server that does not answer: it is looked at again there.
  const takes = header.steps.some((step) => step.step === 'act' && step.nature === 'risk');
  return [
    ...perServer(trouble, takes),
    ...budgetFinding(header, trouble),
    ...reviewWindow(header),
    ...except.flatMap(exceptFinding),
  ];
}

interface Trouble {
  readonly server: string;
  readonly sort: 'refused' | 'failed' | 'contingency';
  readonly code: string;
  readonly what: string;
  readonly cure: string;
}

/** The first thing that is wrong with each server: what follows from it is not repeated. */
function troubleOf(slices: readonly Slice[]): Trouble[] {
  const found = new Map<string, Trouble>();
  for (const slice of slices) {
    for (const byServer of Object.values(slice.verdicts)) {
      for (const [server, verdict] of Object.entries(byServer)) {
        if (found.has(server)) continue;
        if (verdict.verdict === 'refused')
          found.set(server, { server, sort: 'refused', code: 'refused', what: verdict.why, cure: verdict.remedy });
        if (verdict.verdict === 'failed') {
          found.set(server, {
            server,
            sort: 'failed',
            code: verdict.failure.kind,
            what: `${verdict.failure.what}. ${verdict.failure.state}`,
            cure: verdict.failure.remedy,
          });
        }
        if (verdict.verdict === 'contingency') {
          found.set(server, {
            server,
            sort: 'contingency',
            code: 'hung',
            what: 'it is hung',
            cure: `Contingency ${verdict.contingency} recovers it in this run`,
          });
        }
      }
    }
  }
  return [...found.values()];
}

function perServer(trouble: readonly Trouble[], takes: boolean): Finding[] {
  // Failures of one sort are one finding: each names its own address, and six of them are one thing to look at.
  const alike = Map.groupBy(
    trouble,
    ({ sort, code, what, server }) =>
      `${sort} ${code} ${sort === 'failed' ? '' : what.replaceAll(server, '*').replaceAll(/\d+/g, '#')}`,
  );
  return [...alike.values()].map((group) => {
    const { sort, code, what, cure } = group[0] as Trouble;
    return {
      severity: sort === 'contingency' || (sort === 'failed' && !takes) ? 'warning' : 'refusal',
      code,
      what: `${names(group.map((each) => each.server))}: ${what}`,
      cures: [cure],
    };
  });
}

function budgetFinding({ budget, contingencies }: PlanHeader, trouble: readonly Trouble[]): Finding[] {
  const hung = trouble.filter((each) => each.sort === 'contingency');
  if (hung.length < budget.failures) return [];
  return [
    {
      severity: 'refusal',
      code: 'budget',
      what: `${hung.length} servers are hung before the run has begun, and its failure budget is ${budget.failures}`,
      cures: [
        'Recover them first: `neap run recover-fleet`',
        ...(contingencies.some((each) => each.suspectAbove < hung.length)
          ? ['So many at once can be a fault of the path from here to them: look at it from another place first']
          : []),
      ],
    },
  ];
}

function exceptFinding({ server, reason, traffic }: CompileInput['except'][number]): Finding[] {
  if (traffic === 'out' || traffic === null) {
    return [{ severity: 'warning', code: 'except', what: `${server} is left out: ${reason}`, cures: [] }];
  }
  return [
    {
      severity: 'refusal',
      code: 'except',
      what: `${server} is left out (${reason}), and the balancer ${traffic === 'in' ? 'still gives it traffic' : 'does not say whether it gives it traffic'}`,
      cures: [`Take ${server} out of the balancer first: a server left out must be proven out of the way`],
    },
  ];
}

function names(servers: readonly string[]): string {
  const shown = servers.slice(0, NAMED_MAX).join(', ');
  return servers.length > NAMED_MAX ? `${shown} and ${servers.length - NAMED_MAX} more` : shown;
}
