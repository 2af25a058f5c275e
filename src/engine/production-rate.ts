import type { Fleet, Server } from '../model/index.ts';
import { planClock } from './clock.ts';
import { counter } from './guards.ts';
import type { Loaded } from './load.ts';
import { readLoads } from './loads.ts';
import { createReach } from './reach/index.ts';

/**
 * What one server gets in production now, in requests a second, where the fleet file says how that is read: asked for
 * before the server is taken out. Null: it does not, or it cannot be read.
 */
export async function productionRate({ value, path }: Loaded<Fleet>, server: Server): Promise<number | null> {
  if (server.service.measured?.requestsPerSecond === undefined) return null;
  const reach = createReach(value);
  try {
    const clock = planClock(value.clock);
    const { readings } = await readLoads([server], counter(path, reach.redactor), clock.nowMs);
    return readings.find(({ what }) => what === 'requestsPerSecond')?.value ?? null;
  } finally {
    await reach.close();
  }
}
