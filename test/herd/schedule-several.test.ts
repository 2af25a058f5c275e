import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { mostInWindow } from '../../src/herd/formulas.ts';
import {
  bucketsOf,
  lateServers,
  scheduleSlots,
  type Slot,
  type SlotResource,
  type SlotRule,
} from '../../src/herd/index.ts';

const START_MS = 1_790_000_000_000;

const SHARDS = ['s1', 's2', 's3'] as const;

const several = fc
  .record({
    list: fc.array(fc.record({ shard: fc.constantFrom(...SHARDS), inMs: fc.integer({ min: -5_000, max: 300_000 }) }), {
      maxLength: 40,
    }),
    perSecond: fc.double({ min: 0.1, max: 40, noNaN: true }),
    shardEveryMs: fc.double({ min: 10, max: 20_000, noNaN: true }),
    loginEveryMs: fc.double({ min: 10, max: 5_000, noNaN: true }),
    canary: fc.nat({ max: 2 }),
    seed: fc.integer(),
  })
  .map(({ list, perSecond, shardEveryMs, loginEveryMs, canary, seed }): SlotRule => {
    const servers = list.map(({ shard, inMs }, k) => ({ name: `a${k}`, domain: shard, deadlineMs: START_MS + inMs }));
    const of = Object.fromEntries(servers.map(({ name, domain }) => [name, domain]));
    const also: SlotResource[] = [
      { name: 'shard', everyMs: shardEveryMs, of },
      { name: 'login', everyMs: loginEveryMs, of: null },
    ];
    const first = servers.slice(0, canary).map(({ name }) => name);
    return { servers, perSecond, also, startMs: START_MS, seed, canary: { servers: first, pauseMs: 3_000 } };
  });

test('every server has one slot, and no bucket of any resource gives more tokens in any window than its bound', () => {
  fc.assert(
    fc.property(several, fc.integer({ min: 0, max: 60_000 }), (rule, windowMs) => {
      const slots = scheduleSlots(rule);
      expect(slots.map(({ server }) => server).toSorted()).toEqual(rule.servers.map(({ name }) => name).toSorted());
      const resources = [{ name: 'slots', everyMs: 1000 / rule.perSecond, of: null }, ...(rule.also ?? [])];
      for (const [everyMs, taken] of spentOf(slots, resources))
        expect(mostWithin(taken, windowMs)).toBeLessThanOrEqual(mostInWindow(1000 / everyMs, windowMs + 0.01));
    }),
    { numRuns: 200 },
  );
});

test('it stands still only where nobody who waits has a token of everything it needs', () => {
  fc.assert(
    fc.property(several, (rule) => {
      const slots = scheduleSlots({ ...rule, canary: undefined });
      const resources = [{ name: 'slots', everyMs: 1000 / rule.perSecond, of: null }, ...(rule.also ?? [])];
      const last = new Map<string, number>();
      for (const { server, atMs } of slots) {
        const due = bucketsOf(resources, server).map(({ key, everyMs }) => (last.get(key) ?? -Infinity) + everyMs);
        const free = Math.max(START_MS, ...due);
        expect(atMs).toBeGreaterThanOrEqual(free - 0.01);
        for (const { key } of bucketsOf(resources, server)) last.set(key, atMs);
      }
    }),
    { numRuns: 100 },
  );
});

/** One slot a second; each shard takes one every `gap` seconds; a deadline of n means one of the first n seconds. */
interface Small {
  readonly jobs: readonly { readonly shard: number; readonly end: number }[];
  readonly gap: number;
}

const small: fc.Arbitrary<Small> = fc.record({
  jobs: fc.array(fc.record({ shard: fc.nat({ max: 2 }), end: fc.integer({ min: 1, max: 12 }) }), {
    minLength: 1,
    maxLength: 7,
  }),
  gap: fc.integer({ min: 1, max: 4 }),
});

test('with shards of one interval it is never beaten by any order of a small fleet', () => {
  fc.assert(
    fc.property(small, fc.integer(), (fleet, seed) => {
      const servers = fleet.jobs.map(({ end }, k) => ({
        name: `a${k}`,
        domain: `d${k % 2}`,
        deadlineMs: START_MS + end * 1000,
      }));
      const of = Object.fromEntries(fleet.jobs.map(({ shard }, k) => [`a${k}`, `s${shard}`]));
      const also = [{ name: 'shard', everyMs: fleet.gap * 1000, of }];
      const late = lateServers({ servers, perSecond: 1, also, startMs: START_MS, seed });
      expect(late.length === 0).toBe(canBeMet(fleet));
    }),
    { numRuns: 1_000 },
  );
});

test('of two on one shard the first begins a whole interval before the second must, although a third expires sooner', () => {
  const of = { a1: 's', a2: 's' };
  const servers = [
    { name: 'b', domain: 'd', deadlineMs: START_MS + 2_000 },
    { name: 'a1', domain: 'd', deadlineMs: START_MS + 3_000 },
    { name: 'a2', domain: 'd', deadlineMs: START_MS + 4_000 },
  ];
  const rule = { servers, perSecond: 1, startMs: START_MS, seed: 1, also: [{ name: 'shard', everyMs: 3_000, of }] };
  expect(scheduleSlots(rule).map(({ server, atMs }) => [server, atMs - START_MS])).toEqual([
    ['a1', 0],
    ['b', 1_000],
    ['a2', 3_000],
  ]);
  expect(lateServers(rule)).toEqual([]);
});

test('a share of the slots for each domain holds in any stretch, and who draws on nothing of it is free of it', () => {
  const servers = Array.from({ length: 40 }, (_, k) => ({
    name: `a${k}`,
    domain: k < 30 ? 'large' : 'small',
    deadlineMs: START_MS + 1_000_000,
  }));
  const of = Object.fromEntries(servers.slice(0, 39).map(({ name, domain }) => [name, domain]));
  const slots = scheduleSlots({
    servers,
    perSecond: 2,
    startMs: START_MS,
    seed: 3,
    also: [{ name: 'domain', everyMs: 1_000, of }],
  });
  const large = slots.filter(({ server }) => of[server] === 'large').map(({ atMs }) => atMs);
  for (const windowMs of [0, 999, 1_000, 5_000])
    expect(mostWithin(large, windowMs)).toBe(Math.floor(windowMs / 1_000) + 1);
  expect(bucketsOf([{ name: 'domain', everyMs: 1, of }], 'a39')).toEqual([]);
});

/** By bucket: how far apart its tokens are, and when they were taken. */
function spentOf(
  slots: readonly Slot[],
  resources: readonly SlotResource[],
): readonly (readonly [number, readonly number[]])[] {
  const spent = new Map<string, [number, number[]]>();
  for (const { server, atMs } of slots)
    for (const { key, everyMs } of bucketsOf(resources, server)) {
      const bucket = spent.get(key) ?? [everyMs, []];
      bucket[1].push(atMs);
      spent.set(key, bucket);
    }
  return [...spent.values()];
}

function mostWithin(instants: readonly number[], windowMs: number): number {
  return Math.max(0, ...instants.map((from) => instants.filter((at) => at >= from && at <= from + windowMs).length));
}

/** Whether any order, each begun as soon as its tokens allow, meets every deadline: all of them are tried. */
function canBeMet({ jobs, gap }: Small): boolean {
  const begin = (left: readonly number[], nextAt: number, shards: readonly number[]): boolean =>
    left.length === 0 ||
    left.some((k) => {
      const job = jobs[k];
      if (!job) return false;
      const at = Math.max(nextAt, shards[job.shard] ?? 0);
      if (at + 1 > job.end) return false;
      return begin(
        left.filter((other) => other !== k),
        at + 1,
        shards.with(job.shard, at + gap),
      );
    });
  return begin(
    jobs.map((_, k) => k),
    0,
    [0, 0, 0],
  );
}
