import type { Fleet, Plan } from '../../model/index.ts';
import type { RunEvent } from '../../run/index.ts';
import type { Host } from '../host.ts';
import type { Loaded } from '../load.ts';
import type { Reach } from '../reach/index.ts';
import { placeOf, type Order, type RunPlace } from '../runs.ts';
import { openLease } from './open.ts';
import { isOver, neverBegan } from './over.ts';
import { Tenure } from './tenure.ts';
import { NotOurs } from './words.ts';

/** One engine's time with a run of this plan; nothing is claimed yet. */
export async function openTenure(
  place: RunPlace,
  { order, plan, fleet }: { readonly order: Order; readonly plan: Plan; readonly fleet: Loaded<Fleet> },
  stateDir: string,
): Promise<Tenure> {
  const names = new Set(plan.slices.flatMap((slice) => slice.servers.map(({ name }) => name)));
  return new Tenure({
    store: await openLease(order.lease, stateDir, fleet.value),
    run: place.run,
    by: order.by,
    fleet: fleet.value,
    servers: fleet.value.servers.filter(({ name }) => names.has(name)),
    isOver: (run) => isOver(placeOf(stateDir, run).journal),
    neverBegan: (run) => neverBegan(placeOf(stateDir, run)),
  });
}

/** Claims the servers' own records, as the event that says so. A new run that cannot have all of them is over before it began. */
export async function fenceOrClose(
  tenure: Tenure,
  reach: Reach,
  mode: 'start' | 'resume',
  host: Host,
  ready: (fenced: number) => void,
): Promise<RunEvent> {
  try {
    return await tenure.fence(reach, mode, ready);
  } catch (error) {
    if (mode === 'resume' || !(error instanceof NotOurs)) throw error;
    host.tell({ type: 'closed', outcome: 'home', exitCode: 4, summary: `Not started: ${error.failure.what}.` });
    await host.record();
    await tenure.end(null);
    throw error;
  }
}
