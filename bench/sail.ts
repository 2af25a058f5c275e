import { planClock } from '../src/engine/clock.ts';
import { Host } from '../src/engine/host.ts';
import type { OwnedJournal } from '../src/journal/index.ts';
import type { Machine, RunState } from '../src/run/index.ts';
import { nullActor } from './null-fleet.ts';

/** Runs a null plan from its first event to its last: the engine's loop and a real journal. Throws unless it ends as done. */
export async function sail(machine: Machine, journal: OwnedJournal): Promise<RunState> {
  const host = new Host({
    machine,
    journal,
    clock: planClock(undefined),
    actor: () => nullActor,
    page: () => Promise.resolve(null),
    unattended: null,
    onRows: () => undefined,
    fence: () => Promise.resolve(true),
  });
  const plan = machine.index.plan.hash;
  host.tell({ type: 'opened', run: 'bench', plan, title: 'bench', by: 'bench', host: 'bench' });
  const state = await host.run();
  if (state.closed?.outcome !== 'done')
    throw new Error(`it ended as ${state.closed?.outcome}: ${state.closed?.summary}`);
  return state;
}
