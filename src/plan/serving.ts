import type {
  ActStep,
  Balancer,
  ConnectionTrace,
  Finding,
  Fleet,
  PlanNeed,
  PlanStep,
  Serving,
  ServingJudge,
} from '../model/index.ts';
import { balancerOf, heldBalancer, holdsAt, trafficOf, undeclared } from './balancers.ts';
import type { Foresight } from './foresee.ts';
import type { Outline } from './outline.ts';
import { opensConnections, servingOf } from './serving-kinds.ts';
import { traceOf } from './serving-trace.ts';
import { poolTo, Standing } from './standing.ts';
import { concurrencyOf } from './timing.ts';

export interface ServingQuestion {
  readonly fleet: Fleet;
  readonly laid: Outline;
  readonly foresights: ReadonlyMap<string, Foresight>;
  /** Left out by name, or kept out until proven: nobody counts on them. Whoever else is not in the plan serves on. */
  readonly leftOut: readonly string[];
  /** Connections of each dependency now, as far as they were read. */
  readonly connections: ReadonlyMap<string, number>;
  readonly judge: ServingJudge;
}

/**
 * Steps with what their waves do to those who serve meanwhile, and to the connections of what they depend on. Waves of
 * servers that restart are cut smaller where the others could not bear it; what cannot be mended so is refused.
 */
export function withServing(question: ServingQuestion): {
  readonly laid: Outline;
  readonly findings: readonly Finding[];
} {
  const { fleet, laid, foresights, leftOut } = question;
  const standing = new Standing(fleet, laid, foresights, new Set(leftOut));
  const declared = new Map(Object.keys(fleet.dependencies ?? {}).map((name) => [name, standing.connected(name)]));
  const findings: Finding[] = undeclared(fleet, laid);
  const steps = laid.steps.map((step): PlanStep => {
    const does = step.step === 'act' ? servingOf(step, laid.kinds.get(step.id)) : null;
    if (step.step !== 'act' || does === null) return step;
    const walked = new Walk(question, standing, declared, step, does);
    findings.push(...walked.findings);
    return walked.step;
  });
  const contingencies = laid.contingencies.map((each) => ({
    ...each,
    steps: each.steps.map((step) => withRoom(step, fleet, laid)),
  }));
  return { laid: { ...laid, steps: steps.map((step) => withRoom(step, fleet, laid)), contingencies }, findings };
}

/** What opens connections to something whose connections can be read asks for room right before, there and on its way home. */
function withRoom(step: PlanStep, fleet: Fleet, { kinds, servers }: Outline): PlanStep {
  const does = step.step === 'act' ? servingOf(step, kinds.get(step.id)) : null;
  if (step.step !== 'act' || !opensConnections(does)) return step;
  const needs = Object.entries(fleet.dependencies ?? {}).flatMap(([dependency, { connections }]): PlanNeed[] => {
    const each = Math.max(0, ...servers.map(({ service }) => poolTo(service, dependency)));
    if (!connections?.now || each === 0) return [];
    return [{ need: 'connections', dependency, each, max: connections.max }];
  });
  const opens = does === 'goes-offline' || does === 'leaves-traffic' ? 'undoNeeds' : 'needs';
  return needs.length === 0 ? step : { ...step, [opens]: [...step[opens], ...needs] };
}

/** One step going over the fleet. */
class Walk {
  readonly step: ActStep;
  readonly findings: readonly Finding[];

  constructor(
    { fleet, laid, connections, judge }: ServingQuestion,
    standing: Standing,
    declared: ReadonlyMap<string, number>,
    planned: ActStep,
    does: Serving,
  ) {
    const group = fleet.servers.find(({ name }) => name === planned.waves[0]?.[0])?.group ?? '';
    const balancer = heldBalancer(
      balancerOf(fleet.balancers, group),
      does === 'frees-admission' ? null : standing.heldAt(group),
    );
    const traffic = balancer ? trafficOf(fleet, group, balancer) : null;
    const cut =
      balancer && traffic !== null
        ? resized(planned, does, standing, group, laid.failures, { balancer, traffic, judge })
        : null;
    const step = cut?.step ?? planned;
    const names = Object.keys(fleet.dependencies ?? {});
    const trace = step.waves.map((wave) =>
      traceOf(wave, does, { standing, group, names, step, failures: laid.failures }),
    );
    const load =
      balancer && traffic !== null
        ? judge.load({
            step,
            does,
            group,
            balancer,
            holdsAt: holdsAt(fleet, group),
            trafficPerSecond: traffic,
            trace,
            resizedFrom: cut?.from ?? null,
          })
        : null;
    const found = names.flatMap((dependency) => {
      const limits = fleet.dependencies?.[dependency]?.connections;
      const judged = limits
        ? judge.connections({
            step,
            does,
            dependency,
            limits,
            declaredAtFirst: declared.get(dependency) ?? 0,
            reading: connections.get(dependency) ?? null,
            trace: trace.map(({ connections: of }) => of.get(dependency) ?? NO_TRACE),
            atOnce: concurrencyOf(step, laid.failures),
            timeoutMs: patienceOf(fleet, dependency),
          })
        : null;
      return judged === null ? [] : [judged];
    });
    const serving = { does, load: load?.of ?? null, connections: found.map(({ of }) => of) };
    this.step = load === null && found.length === 0 ? step : { ...step, serving };
    this.findings = [...(load?.findings ?? []), ...found.flatMap(({ findings }) => findings)];
  }
}

/** How long the least patient server waits for a dependency. */
function patienceOf({ servers }: Fleet, dependency: string): number {
  return servers.reduce(
    (least, { service }) => Math.min(least, service.dependencies[dependency]?.timeoutMs ?? Infinity),
    Infinity,
  );
}

const NO_TRACE: ConnectionTrace = { before: 0, after: 0, opening: 0, each: 0, borrowed: 0 };

/** Waves that restart are made small enough for those who serve meanwhile; null: they are, or nothing would make them. */
function resized(
  step: ActStep,
  does: Serving,
  standing: Standing,
  group: string,
  failures: number,
  { balancer, traffic, judge }: { readonly balancer: Balancer; readonly traffic: number; readonly judge: ServingJudge },
): { readonly step: ActStep; readonly from: number } | null {
  if (does !== 'restarts') return null;
  const allowed = judge.restartsAllowed(traffic, standing.serving(group), balancer);
  const largest = Math.max(0, ...step.waves.map((wave) => wave.filter((name) => standing.serves(name)).length));
  const from = Math.min(largest, concurrencyOf(step, failures));
  if (allowed === null || allowed < 1 || from <= allowed) return null;
  const waves = step.waves.flatMap((wave) =>
    Array.from({ length: Math.ceil(wave.length / allowed) }, (_, at) => wave.slice(at * allowed, (at + 1) * allowed)),
  );
  return { step: { ...step, waves, atMost: Math.min(step.atMost, allowed) }, from };
}
