import type { ActSpec, ContingencySpec, PlanStep, Server, Targets } from '../model/index.ts';

/** The step that takes a server out of the balancer: whoever lays a runbook over a fleet brings it. */
export type TakeOut = (targets: Targets<never>) => ActSpec;

/**
 * What is done with servers that fall out of the line and may still take traffic: they are taken out of the balancer,
 * so that the line can go on without them. Added to every plan that takes something from servers behind a balancer,
 * unless the runbook says itself what is done with them. More than the failure budget are taken out by a person's word only.
 */
export function quarantines(
  steps: readonly PlanStep[],
  servers: readonly Server[],
  specs: readonly ContingencySpec[],
  failures: number,
  takeOut: TakeOut,
): ContingencySpec[] {
  const risked = new Set(
    steps.flatMap((step) => (step.step === 'act' && step.nature === 'risk' ? step.waves.flat() : [])),
  );
  const groups = new Set(
    servers.filter(({ name, service }) => risked.has(name) && service.traffic !== undefined).map(({ group }) => group),
  );
  return [...groups]
    .filter((group) => !specs.some((spec) => spec.when === 'out' && spec.group === group))
    .map((group) => ({
      title: 'Quarantine',
      when: 'out',
      group,
      suspectAbove: failures,
      steps: [takeOut({ group, part: { of: 'armed' } })],
    }));
}
