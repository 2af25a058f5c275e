import type { Aspect, Condition, Decider, Server, WriteCall } from '../../model/index.ts';
import type { Tenure } from './tenure.ts';

/**
 * While the store of claims does not answer, what gives back goes on only where the server itself checks who writes:
 * over SSH. A step that would ask a balancer or a BMC is held until the store is back.
 */
export function mayGoUnfenced(tenure: Pick<Tenure, 'lost'>, server: Server, kind: Pick<Decider, 'alters'>): Condition {
  if (!tenure.lost || !leavesFence(server, kind)) return { holds: true };
  return {
    holds: false,
    why: 'the store of claims does not answer, and a balancer or a BMC cannot tell a stale engine from this one',
  };
}

/** Whether anything that the step may do on the server goes past its fence. */
function leavesFence(server: Server, { alters }: Pick<Decider, 'alters'>): boolean {
  return alters.some((aspect) => aspect === 'power' || callsOf(server, aspect).some((call) => 'send' in call));
}

function callsOf({ service }: Server, aspect: Aspect): readonly WriteCall[] {
  const dependencies = Object.values(service.dependencies);
  switch (aspect) {
    case 'offline':
      return [service.offline.on, service.offline.off];
    case 'cache':
      return service.clocks.map(({ refresh }) => refresh);
    case 'config':
      return service.configuration ? [service.configuration.reload] : [];
    case 'traffic':
      return service.traffic ? [service.traffic.in, service.traffic.out] : [];
    case 'path':
      return dependencies.flatMap(({ cut, restore }) => [cut, restore].filter((call) => call !== undefined));
    case 'power':
      return [];
  }
}
