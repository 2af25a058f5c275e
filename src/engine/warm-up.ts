import { FailureError, type Server } from '../model/index.ts';
import type { Clock, Hands, Reader, StepContext } from '../ports/index.ts';
import { clocksOf } from '../steps/index.ts';
import { eachAtOnce } from './at-once.ts';

/** So many servers are read, or refreshed, at a time. */
const AT_ONCE = 16;

export interface WarmUpInput {
  readonly servers: readonly Server[];
  readonly reader: (server: Server) => Reader;
  readonly hands: (server: Server) => Hands;
  readonly clock: Clock;
  readonly known: (server: string) => StepContext['known'];
  /** Servers a second at the most, in plan time: what the plan's own refresh keeps to. */
  readonly perSecond: number;
}

/**
 * Refreshes whatever has expired on these servers, in slots, so that load which comes back finds warm caches: without
 * that all of them ask the database in one moment. Who cannot be reached is left aside, since no load comes to it.
 * Rejects with a `needs` failure where a refresh fails.
 */
export async function warmUp({ servers, reader, hands, clock, known, perSecond }: WarmUpInput): Promise<void> {
  const cold: { readonly server: Server; readonly clocks: readonly string[] }[] = [];
  await eachAtOnce(servers, AT_ONCE, async (server) => {
    const readings = await clocksOf(server, reader(server), clock.nowMs(), known(server.name)).catch(() => []);
    const clocks = readings.flatMap(({ name, ageMs, ttlMs }) =>
      ageMs >= ttlMs && isTended(server, name) ? [name] : [],
    );
    if (clocks.length > 0) cold.push({ server, clocks });
  });
  let slotMs = clock.nowMs();
  const failed: string[] = [];
  await eachAtOnce(cold, AT_ONCE, async ({ server, clocks }) => {
    const atMs = Math.max(slotMs, clock.nowMs());
    slotMs = atMs + 1000 / perSecond;
    await clock.sleepUntil(atMs);
    try {
      for (const name of clocks) await hands(server).call(`refresh:${name}`);
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
      if (error.failure.kind !== 'unreachable' && error.failure.kind !== 'path')
        failed.push(`${server.name}: ${error.failure.what}`);
    }
  });
  if (failed.length === 0) return;
  throw new FailureError({
    kind: 'needs',
    what: `caches that expired could not be refreshed (${failed[0]})`,
    where: "the balancer's page",
    state: 'The page is still on, and nothing reaches the servers',
    remedy: 'It is tried again by itself',
  });
}

/** Of what servers share, one takes care. */
function isTended({ name, service }: Server, clock: string): boolean {
  const tendedBy = service.clocks.find((each) => each.name === clock)?.tendedBy;
  return tendedBy === undefined || tendedBy === name;
}
