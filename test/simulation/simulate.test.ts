import { expect, test, vi } from 'vitest';
import { BUGS } from './planted.ts';
import type { Shape } from './shape.ts';
import { shrink } from './shrink.ts';
import { simulate, SimulationFailed, type Told } from './simulate.ts';

// Two seconds of work in all; a machine with much else to do may take longer.
vi.setConfig({ testTimeout: 240_000 });

/** Long campaigns, over other seeds: `npm run simulate -- --seeds 1..200000`. */
const SEEDS = 100;

test('every promise is kept in a world that fails, lies, stalls and changes, whatever the seed', async () => {
  const all: Told[] = [];
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const told = await simulate(seed);
    if (told !== null) all.push(told);
  }
  // A simulation in which nothing happens proves nothing.
  expect(new Set(all.map(({ outcome }) => outcome))).toEqual(new Set(['done', 'home', 'human', 'stale']));
  expect(all.filter(({ engines }) => engines > 1).length).toBeGreaterThan(SEEDS / 10);
  const types = new Set(all.flatMap(({ events }) => events.map(({ event }) => event.type)));
  for (const type of ['renewed', 'homeward', 'armed', 'guard', 'jumped', 'mirror', 'lease', 'halted'])
    expect(types).toContain(type);
});

test('the same seed is the same run, event for event', async () => {
  const [once, again] = [await simulate(11), await simulate(11)];
  expect(once?.events.length).toBeGreaterThan(20);
  expect(again).toEqual(once);
});

test('wherever the engine dies, before a commit, after it or behind it, the run comes to its end and keeps every promise', async () => {
  const calm: Shape = {
    seed: 4,
    runbook: 'short',
    servers: 3,
    domains: 1,
    calmAtMs: 600_000,
    faults: 0,
    commitMs: 0,
    people: false,
    guards: false,
    mirror: false,
    balanced: false,
    freezes: [],
    opensAtMs: null,
    closesAtMs: null,
    mishaps: [],
  };
  const whole = await simulate(calm);
  expect(whole?.outcome).toBe('done');
  const outcomes: string[] = [];
  for (let append = 1; append <= (whole?.appends ?? 0); append += 1)
    for (const fate of ['before', 'after', 'behind', append % 2 ? 'lost' : 'there'] as const) {
      const told = await simulate({ ...calm, mishaps: [{ id: 'once', sort: 'disk', append, fate, downMs: 3_000 }] });
      outcomes.push(told?.outcome ?? 'refused');
    }
  expect(outcomes.length).toBeGreaterThan(200);
  // Who dies between the two calls of one change leaves half of it, and then a person is asked.
  expect(new Set(outcomes)).toEqual(new Set(['done', 'human']));
  expect(outcomes.filter((outcome) => outcome === 'human').length).toBeLessThan(5);
});

/** Those that a few seeds are enough for; `npm run simulate -- --planted` shows all of them. */
const QUICK_SEEDS = 12;

test.each(BUGS.filter(({ within }) => within <= QUICK_SEEDS))(
  'a planted bug is found: $name ($promise)',
  async ({ promise, planted, within }) => {
    const found: (string | null)[] = [];
    for (let seed = 1; seed <= within && !found.includes(promise); seed += 1)
      found.push(
        await simulate(seed, planted).then(
          () => null,
          (error: unknown) => (error instanceof SimulationFailed ? error.promise : String(error)),
        ),
      );
    expect(found).toContain(promise);
  },
);

test('a failing seed is shrunk to the least world that breaks the same promise', async () => {
  const planted = BUGS.find(({ name }) => name === 'a change that the plan does not hold')?.planted ?? {};
  const failed = await simulate(1, planted).then(
    () => null,
    (error: unknown) => error,
  );
  if (!(failed instanceof SimulationFailed)) throw new Error('it was not found');
  const least = await shrink(failed, planted);
  expect(least.promise).toBe(failed.promise);
  expect(least.shape.mishaps).toEqual([]);
  expect(least.shape.servers).toBe(3);
  expect(least.events).toBeLessThanOrEqual(failed.events);
  expect(least.transcript).toContain('main/0.0/api-1/look/0');
});
