import { FailureError, type Server } from '../../model/index.ts';
import type { Reader } from '../../ports/index.ts';

/** Whether the balancer gives this server traffic; null where the fleet has no balancer. */
export async function readTraffic(server: Server, read: Reader): Promise<'in' | 'out' | null> {
  if (!server.service.traffic) return null;
  const answer = await read.ask('traffic');
  if (answer === 'in' || answer === 'out') return answer;
  throw new FailureError({
    kind: 'output',
    what: `the balancer's reading of it answered ${JSON.stringify(answer.slice(0, 80))}, neither "in" nor "out"`,
    where: server.name,
    state: 'Nothing was changed',
    remedy: 'Make service.traffic.read answer in or out, then run `neap fleet check`',
  });
}
