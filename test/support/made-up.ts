import { defineRunbook, z } from '../../src/index.ts';
import type {
  BudgetSpec,
  ContingencySpec,
  Failure,
  Fleet,
  Plan,
  Runbook,
  StepSpec,
  Targets,
  Way,
} from '../../src/model/index.ts';
import { paperFleet } from './fleet.ts';
import { compiled, outlineOf } from './plans.ts';

export type Api = Targets<Way>;

export interface MadeUp {
  readonly servers: number;
  readonly domains?: number;
  readonly failures?: number;
  readonly percent?: number;
  readonly steps: (api: Api) => readonly StepSpec[];
  readonly contingencies?: (api: Api) => readonly ContingencySpec[];
  readonly fleet?: (fleet: Fleet) => Fleet;
}

/** A plan of a made-up runbook on a fleet that exists on paper, with every verdict left to the run. */
export function planOf({
  servers,
  domains = 2,
  failures = 3,
  percent,
  steps,
  contingencies,
  fleet: edit = (each) => each,
}: MadeUp): Plan {
  const budget: BudgetSpec = percent === undefined ? { failures } : { failures, percent };
  const runbook = defineRunbook({
    title: 'made up',
    reach: { api: ['ssh', 'http', 'bmc'] },
    inputs: z.strictObject({}),
    budget,
    window: { limitMs: 24 * 3_600_000 },
    steps: ({ api }) => steps(api),
    contingencies: ({ api }) => contingencies?.(api) ?? [],
  }) as unknown as Runbook;
  const fleet = edit(paperFleet({ servers, domains }));
  return compiled({ runbook, fleet, laid: outlineOf(runbook, fleet) });
}

/** A failure of that kind, and nothing else to say of it. */
export function failureOf(kind: Failure['kind']): Failure {
  return { kind, what: kind, where: '', state: '', remedy: '' };
}
