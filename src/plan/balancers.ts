import type { Balancer, Finding, Fleet } from '../model/index.ts';
import type { Outline } from './outline.ts';
import { servingOf } from './serving-kinds.ts';

/** What the fleet file says of a group's balancer. */
export function balancerOf(balancers: Fleet['balancers'], group: string): Balancer | undefined {
  return balancers && Object.hasOwn(balancers, group) ? balancers[group] : undefined;
}

/** The balancer as it is while the plan holds admission. */
export function heldBalancer(balancer: Balancer | undefined, heldAt: number | null): Balancer | undefined {
  if (!balancer || heldAt === null) return balancer;
  return { ...balancer, limitPerSecond: Math.min(heldAt, balancer.limitPerSecond ?? Infinity) };
}

/** What admission of every server of a group can be held at; null: it cannot. */
export function holdsAt({ servers }: Fleet, group: string): number | null {
  const limits = servers
    .filter((server) => server.group === group)
    .map(({ service }) => service.traffic?.admission?.perSecond ?? Infinity);
  const highest = limits.reduce((most, each) => Math.max(most, each), 0);
  return highest === Infinity ? null : highest;
}

/** Requests a second to a whole group, as declared; null: nothing is. */
export function trafficOf(fleet: Fleet, group: string, balancer: Balancer): number | null {
  if (balancer.requestsPerSecond !== undefined) return balancer.requestsPerSecond;
  const loads = fleet.servers
    .filter((server) => server.group === group)
    .map(({ service }) => service.load?.requestsPerSecond);
  const sum = loads.reduce<number>((all, perSecond) => all + (perSecond ?? 0), 0);
  return loads.includes(undefined) || sum <= 0 ? null : sum;
}

/** Steps take servers out of service, and the fleet file does not say whom that loads. */
export function undeclared(fleet: Fleet, { steps, kinds }: Outline): Finding[] {
  const groups = new Set(
    steps.flatMap((step) => {
      const does = step.step === 'act' && step.nature === 'risk' ? servingOf(step, kinds.get(step.id)) : null;
      const first = step.step === 'act' ? step.waves[0]?.[0] : undefined;
      const group = fleet.servers.find(({ name }) => name === first)?.group;
      return does === null || group === undefined ? [] : [group];
    }),
  );
  return [...groups].flatMap((group): Finding[] => {
    const balancer = balancerOf(fleet.balancers, group);
    const balanced = fleet.servers.some(({ group: of, service }) => of === group && service.traffic !== undefined);
    if (!balancer && !balanced) return [];
    if (!balancer)
      return [
        {
          severity: 'warning',
          code: 'load',
          what: `the fleet does not say what the balancer of ${group} does with an offline server: the load on those who serve is not reckoned`,
          cures: [
            `Add balancers: { ${group}: { offline: 'answers' or 'leaves', returnSurge: 1.5, serverCapacityPerSecond: ... } } to the fleet`,
          ],
        },
      ];
    if (trafficOf(fleet, group, balancer) !== null) return [];
    return [
      {
        severity: 'warning',
        code: 'load',
        what: `the fleet does not say how many requests a second come to ${group}: the load on those who serve is not reckoned`,
        cures: [`Add balancers.${group}.requestsPerSecond, or load.requestsPerSecond of each server, to the fleet`],
      },
    ];
  });
}
