import { expect, test } from 'vitest';
import { defineRunbook, inSlots, offlineMode, proveFuse, refreshCaches, z } from '../../src/index.ts';
import { fleetSchema, type Runbook, type Server } from '../../src/model/index.ts';
import type { Reader, StepContext } from '../../src/ports/index.ts';
import { knownClocks } from '../../src/run/index.ts';
import { clocksOf } from '../../src/steps/index.ts';
import { Drive, goesWell, seen } from '../support/drive.ts';
import { paperFleet } from '../support/fleet.ts';
import { compiled, outlineOf } from '../support/plans.ts';

// Goal: a clock whose age nobody can read is unknown until neap has refreshed it, and from then on lives for its shortest
// time at the least; what resets it makes it unknown again. Method: a server on paper, its kinds by hand, and a journal.

const paper = paperFleet({ servers: 1 });
const [server] = fleetSchema.parse({
  ...paper,
  servers: paper.servers.map((each) => ({
    ...each,
    service: { ...each.service, clocks: each.service.clocks.map((clock) => ({ ...clock, read: undefined })) },
  })),
}).servers as [Server];
/** Nothing can be asked of it: whoever tries fails the test. */
const mute = {} as Reader;
const context = (nowMs: number, more: Partial<StepContext> = {}): StepContext => ({
  expected: [],
  nowMs,
  sinceMs: 0,
  priorBootId: null,
  keep: 'k',
  ...more,
});
const targets = { group: 'api', part: { of: 'all' } } as const;
const kindOf = (spec: { kind: unknown }) =>
  spec.kind as {
    observe: (server: Server, input: object, read: Reader, context: StepContext) => Promise<{ readings: never }>;
    judge: (readings: never, input: object) => object;
    confirm: (server: Server, change: object, read: Reader, context: StepContext) => Promise<object>;
  };
const proof = kindOf(proveFuse(targets, { outageMs: 60_000, marginMs: 20_000 }));
const refresh = kindOf(refreshCaches(targets));
const judged = async (nowMs: number, known: StepContext['known'] = []) =>
  proof.judge((await proof.observe(server, {}, mute, context(nowMs, { known }))).readings, {
    outageMs: 60_000,
    marginMs: 20_000,
  });

test('before a refresh its verdict is "unknown: refresh first"', async () => {
  expect(await clocksOf(server, mute, 1_000)).toMatchObject([{ unknown: true, readAtMs: 1_000 }]);
  expect(await judged(1_000)).toMatchObject({ holds: false, why: expect.stringContaining('unknown, refresh first') });
});

test('after a refresh that was confirmed at t it has its shortest time to live, less what went by since', async () => {
  const confirmed = await refresh.confirm(
    server,
    { refresh: ['sessions'] },
    mute,
    context(12_000, { sinceMs: 10_000 }),
  );
  expect(confirmed).toMatchObject({
    done: true,
    readings: { clocks: [{ ageMs: 2_000, ttlMs: 180_000, readAtMs: 12_000 }] },
  });
  const { clocks } = (confirmed as { readings: { clocks: NonNullable<StepContext['known']> } }).readings;
  expect(await judged(109_999, clocks)).toEqual({ holds: true });
  expect(await judged(110_000, clocks)).toMatchObject({
    holds: false,
    why: expect.stringContaining('sessions expires in 80 s'),
  });
});

test('the journal knows a refresh, until something resets the cache behind it', () => {
  const runbook = defineRunbook({
    title: 'refresh, then offline',
    reach: { api: ['ssh'] },
    inputs: z.strictObject({}),
    budget: { failures: 1 },
    window: { limitMs: 3_600_000 },
    steps: ({ api }) => [inSlots({ perSecond: 1000, fraction: 1 }, refreshCaches(api)), offlineMode(api, { on: true })],
  }) as unknown as Runbook;
  const plan = compiled({ runbook, fleet: paper, laid: outlineOf(runbook, paper) });
  const clocks = [{ name: 'sessions', whenExpired: 'fatal', ageMs: 0, ttlMs: 180_000, readAtMs: 5 }];
  const well = goesWell({ to: 'on' });
  const drive = new Drive(plan, (effect, nowMs) => {
    const isRefresh = 'place' in effect && effect.place.step === 0;
    if (effect.effect === 'look')
      return { type: 'looked', id: effect.id, outcome: seen(isRefresh ? { refresh: ['sessions'] } : { to: 'on' }) };
    if (effect.effect === 'confirm' && isRefresh) return { type: 'confirmed', id: effect.id, readings: { clocks } };
    return isRefresh || nowMs >= 50 ? well(effect, nowMs) : undefined;
  });
  drive.nowMs = 5;
  drive.until(10);
  const { index } = drive.machine;
  // It was meant to be reset: whether it was, nobody knows yet.
  expect(knownClocks(drive.state, 'api-1', index)).toEqual([]);
  const before = drive.state.tracks.map((track) => ({ ...track, steps: track.steps.slice(0, 1) }));
  expect(knownClocks({ ...drive.state, tracks: before }, 'api-1', index)).toMatchObject([
    { name: 'sessions', readAtMs: 5 },
  ]);
});
