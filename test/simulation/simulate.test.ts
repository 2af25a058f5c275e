import { expect, test } from 'vitest';
import { simulate, type Told } from './simulate.ts';

/** Long campaigns, over other seeds: `npm run simulate -- --seeds 1..200000`. */
const SEEDS = 300;

test(
  'the run machine keeps every promise in a world that fails, lies, stalls and changes, whatever the seed',
  { timeout: 120_000 },
  async () => {
    const all: Told[] = [];
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const told = await simulate(seed);
      if (told !== null) all.push(told);
    }
    // A simulation in which nothing happens proves nothing.
    expect(new Set(all.map(({ outcome }) => outcome))).toEqual(new Set(['done', 'home', 'human', 'stale']));
    expect(all.filter(({ engines }) => engines > 1).length).toBeGreaterThan(SEEDS / 10);
    expect(all.filter(({ resets }) => resets > 0).length).toBeGreaterThan(SEEDS / 20);
    expect(all.filter(({ events }) => events.some(({ event }) => event.type === 'renewed')).length).toBeGreaterThan(
      SEEDS / 20,
    );
    expect(all.filter(({ events }) => events.some(({ event }) => event.type === 'homeward')).length).toBeGreaterThan(
      SEEDS / 10,
    );
  },
);

test('the same seed is the same run, event for event', async () => {
  const [once, again] = [await simulate(7), await simulate(7)];
  expect(again?.events).toEqual(once?.events);
});
