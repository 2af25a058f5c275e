import { join } from 'node:path';
import { expect, test } from 'vitest';
import { planClock } from '../../src/engine/clock.ts';
import { Host } from '../../src/engine/host.ts';
import { JournalGone, LastingJournal } from '../../src/engine/lasting.ts';
import { createJournal, JournalFailure, openJournal, readJournal, type OwnedJournal } from '../../src/journal/index.ts';
import type { Plan } from '../../src/model/index.ts';
import type { Actor } from '../../src/ports/index.ts';
import { createMachine, type RunEvent } from '../../src/run/index.ts';
import { folder } from '../journal/folder.ts';
import { goesWell } from '../support/drive.ts';
import { setAside } from '../support/kinds.ts';
import { planOf } from '../support/made-up.ts';

// Goal: an engine whose journal fails goes on with what a second reading shows, and no further. Method: a real journal
// that is told to fail at one append, before it writes or after it has written.

type Fate = 'lost' | 'written';

const trouble = (reason: 'outcome-unknown' | 'damaged'): JournalFailure =>
  new JournalFailure({ reason, what: 'the disk reported an error', where: 'the disk' }, 'r');

/** The same journal, whose `at`-th append fails: what it was given is there, or is not. */
function failing(journal: OwnedJournal, at: number, fate: Fate, reason: Parameters<typeof trouble>[0]): OwnedJournal {
  let appends = 0;
  let failed: JournalFailure | null = null;
  return {
    ...journal,
    append: async (events) => {
      appends += 1;
      if (appends < at) return journal.append(events);
      if (failed === null && fate === 'written') await journal.append(events);
      throw (failed ??= trouble(reason));
    },
  };
}

interface Sailed {
  readonly events: readonly RunEvent[];
  readonly performed: readonly string[];
}

async function sail(plan: Plan, at: number, fate: Fate, reason: Parameters<typeof trouble>[0]): Promise<Sailed> {
  const path = join(folder(), 'run.db');
  const machine = createMachine(plan);
  const input = { run: 'r', path, open: () => openJournal(path) };
  const journal = new LastingJournal(failing(await createJournal(path), at, fate, reason), input);
  const performed: string[] = [];
  const world = goesWell();
  const actor: Actor = {
    act: async (effect) => {
      if (effect.effect === 'perform') performed.push(effect.place.target);
      const outcome = world(effect, 0);
      if (!outcome) throw new Error(`nothing comes of ${effect.effect}`);
      return outcome;
    },
  };
  const engine = { type: 'engine', pid: 1, host: 'here', neap: '0' } as const;
  const host = new Host({
    machine,
    journal,
    clock: planClock(undefined),
    actor: () => actor,
    page: () => Promise.resolve(null),
    unattended: null,
    onRows: () => undefined,
    fence: () => Promise.resolve(true),
    reopen: async (cause) => ({
      surplus: await journal.reopen(cause),
      engine: { ...engine, after: 'an error of the disk' },
    }),
  });
  host.tell({ type: 'opened', run: 'r', plan: plan.hash, title: plan.header.title, by: 'somebody', host: 'here' });
  host.tell({ type: 'viewed', by: 'somebody', what: 'attached' });
  try {
    await host.run();
  } finally {
    await journal.close();
  }
  return { events: (await readJournal(path)).map(({ event }) => event as unknown as RunEvent), performed };
}

const plan = (): Plan => planOf({ servers: 2, steps: (api) => [setAside(api)] });

test.each<[number, Fate]>([
  [1, 'lost'],
  [1, 'written'],
  [3, 'lost'],
  [3, 'written'],
  [4, 'lost'],
  [5, 'written'],
])(
  'an append that fails (number %i, what it held %s) is survived: each effect is intended before it is made',
  async (at, fate) => {
    const { events, performed } = await sail(plan(), at, fate, 'outcome-unknown');
    expect(events.at(-1)).toMatchObject({ type: 'closed', outcome: 'done' });
    expect(events.filter(({ type }) => type === 'opened')).toHaveLength(1);
    expect(events.filter(({ type }) => type === 'viewed')).toHaveLength(1);
    const intended = events.flatMap((event) =>
      event.type === 'intended' && event.effect.effect === 'perform' ? [event.effect.place.target] : [],
    );
    expect(intended.toSorted()).toEqual(performed.toSorted());
    expect(new Set(performed).size).toBe(2);
    // Begun anew, unless nothing had been written yet: then it only begins.
    const anew = events.some((event) => event.type === 'engine' && event.after !== undefined);
    expect(anew).toBe(!(at === 1 && fate === 'lost'));
  },
);

test('what opening again cannot mend ends the engine', async () => {
  await expect(sail(plan(), 3, 'lost', 'damaged')).rejects.toThrow(JournalFailure);
});

test('an acknowledged row that is gone ends the engine: nothing that it holds can be believed', async () => {
  const path = join(folder(), 'run.db');
  const other = join(folder(), 'other.db');
  await (await createJournal(other)).close();
  const first = await createJournal(path);
  const journal = new LastingJournal(first, { run: 'r', path, open: () => openJournal(other) });
  await journal.append([{ atMs: 0, event: { type: 'opened' } }]);
  await expect(journal.reopen(trouble('outcome-unknown'))).rejects.toThrow(JournalGone);
  await journal.close();
});
