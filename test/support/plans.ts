import { servingJudge } from '../../src/herd/index.ts';
import { observeServer } from '../../src/engine/observe.ts';
import type { Fleet, Plan, Runbook } from '../../src/model/index.ts';
import {
  compile,
  outline,
  withServing,
  type CompileInput,
  type Foresight,
  type Outline,
} from '../../src/plan/index.ts';
import type { ExpectedFile, Reader } from '../../src/ports/index.ts';
import { groupsOf, takeOut } from '../../src/steps/index.ts';

export interface PlanWish {
  readonly runbook: Runbook;
  readonly fleet: Fleet;
  readonly inputs?: CompileInput['inputs'];
  readonly except?: CompileInput['except'];
  readonly nowMs?: number;
  readonly reader: (server: string) => Reader;
  readonly expected?: readonly ExpectedFile[];
}

/** Outlines, observes through the given readers and compiles: what `neap plan` does, without the edge. */
export async function paperPlan({
  runbook,
  fleet,
  inputs = {},
  except = [],
  nowMs = 0,
  reader,
  expected = [],
}: PlanWish): Promise<{ readonly plan: Plan; readonly outline: Outline }> {
  const laid = outlineOf(
    runbook,
    fleet,
    inputs,
    except.map(({ server }) => server),
  );
  const foresights = new Map<string, Foresight>();
  for (const server of laid.servers) {
    foresights.set(
      server.name,
      await observeServer({ outline: laid, server, read: reader(server.name), expected, nowMs: () => nowMs }),
    );
  }
  // What the fleet says of its balancers and connections, as the edge has it.
  const served =
    fleet.balancers || fleet.dependencies
      ? withServing({
          fleet,
          laid,
          foresights,
          leftOut: except.map(({ server }) => server),
          connections: new Map(),
          judge: servingJudge,
        }).laid
      : laid;
  return { plan: compiled({ runbook, fleet, laid: served, foresights, inputs, except, nowMs }), outline: served };
}

export function outlineOf(
  runbook: Runbook,
  fleet: Fleet,
  inputs: CompileInput['inputs'] = {},
  except: readonly string[] = [],
): Outline {
  return outline(runbook, groupsOf(runbook.reach), runbook.inputs.parse(inputs), fleet, new Set(except), takeOut);
}

/** Compiles what was foreseen. Without foresights every verdict is left to the run. */
export function compiled(input: {
  readonly runbook: Runbook;
  readonly fleet: Fleet;
  readonly laid: Outline;
  readonly foresights?: ReadonlyMap<string, Foresight>;
  readonly inputs?: CompileInput['inputs'];
  readonly except?: CompileInput['except'];
  readonly nowMs?: number;
  readonly window?: CompileInput['window'];
  readonly freezes?: CompileInput['freezes'];
}): Plan {
  return compile({
    neap: '0.0.0',
    runbook: input.runbook,
    outline: input.laid,
    fleet: input.fleet,
    digests: { runbookPath: 'runbook.ts', runbook: '0'.repeat(64), fleetPath: 'fleet.ts', fleet: '1'.repeat(64) },
    inputs: input.inputs ?? {},
    nowMs: input.nowMs ?? 0,
    seed: 1,
    foresights: input.foresights ?? new Map(),
    captured: new Map(),
    except: input.except ?? [],
    ...(input.window === undefined ? {} : { window: input.window }),
    ...(input.freezes === undefined ? {} : { freezes: input.freezes }),
    forecast: null,
    findings: [],
  });
}
