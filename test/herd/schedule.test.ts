import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { mostInWindow } from '../../src/herd/formulas.ts';
import {
  feasible,
  lateServers,
  minimumCapacity,
  reslot,
  scheduleSlots,
  type Slot,
  type SlotRule,
  type SlotServer,
} from '../../src/herd/schedule.ts';

/** Plan times are as large as real ones, where doubles are coarse. */
const START_MS = 1_790_000_000_000;

const servers = fc
  .array(fc.record({ domain: fc.constantFrom('a', 'b', 'c'), inMs: fc.integer({ min: -5_000, max: 300_000 }) }), {
    maxLength: 60,
  })
  .map((list) =>
    list.map(({ domain, inMs }, k): SlotServer => ({ name: `s${k}`, domain, deadlineMs: START_MS + inMs })),
  );
const rules = fc.record({
  servers,
  perSecond: fc.double({ min: 0.05, max: 50, noNaN: true }),
  startMs: fc.constant(START_MS),
  seed: fc.integer(),
});

/** The most slots in any window of this length that begins with a slot: no other window holds more. */
function mostSlotsWithin(slots: readonly Slot[], windowMs: number): number {
  return Math.max(
    0,
    ...slots.map(({ atMs }) => slots.filter((other) => other.atMs >= atMs && other.atMs <= atMs + windowMs).length),
  );
}

test('every server gets one slot, none before the start, and the same rule gives the same slots', () => {
  fc.assert(
    fc.property(rules, (rule) => {
      const slots = scheduleSlots(rule);
      expect(slots.map(({ server }) => server).sort()).toEqual(rule.servers.map(({ name }) => name).sort());
      expect(slots.every(({ atMs }) => atMs >= rule.startMs)).toBe(true);
      expect(scheduleSlots({ ...rule, servers: rule.servers.toReversed() })).toEqual(slots);
    }),
  );
});

test('no window holds more than ceil(rate * window) + 1 slots, with a canary or without', () => {
  const canary = fc.option(
    fc.record({ servers: fc.subarray(['s0', 's1', 's2', 's3']), pauseMs: fc.integer({ min: 0, max: 60_000 }) }),
    { nil: undefined },
  );
  fc.assert(
    fc.property(rules, canary, fc.integer({ min: 0, max: 120_000 }), (rule, first, windowMs) => {
      const most = mostSlotsWithin(scheduleSlots({ ...rule, canary: first }), windowMs);
      expect(most).toBeLessThanOrEqual(mostInWindow(rule.perSecond, windowMs));
      expect(most).toBeLessThanOrEqual(Math.ceil((rule.perSecond * windowMs) / 1000) + 1);
    }),
  );
});

test('it meets every deadline exactly when the rate is feasible', () => {
  fc.assert(
    fc.property(rules, (rule) => {
      const deadlines = rule.servers.map(({ deadlineMs }) => deadlineMs);
      expect(lateServers(rule).length === 0).toBe(feasible(deadlines, rule.perSecond, rule.startMs));
    }),
    { numRuns: 400 },
  );
});

test('it is never beaten: where any order of a small fleet meets every deadline, this one does', () => {
  const small = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(small, fc.integer(), (ends, seed) => {
      // One slot a second; a deadline of n seconds means that the slot may be any of the first n.
      const possible = permutations(ends).some((order) => order.every((end, k) => k + 1 <= end));
      const rule: SlotRule = {
        servers: ends.map((end, k) => ({ name: `s${k}`, domain: `d${k % 2}`, deadlineMs: START_MS + end * 1000 })),
        perSecond: 1,
        startMs: START_MS,
        seed,
      };
      expect(lateServers(rule).length === 0).toBe(possible);
      expect(
        feasible(
          rule.servers.map(({ deadlineMs }) => deadlineMs),
          1,
          START_MS,
        ),
      ).toBe(possible);
    }),
    { numRuns: 200 },
  );
});

test('the minimum capacity suffices and a little less does not', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1_000, max: 500_000 }), { minLength: 1, maxLength: 40 }), (inMs) => {
      const deadlines = inMs.map((ms) => START_MS + ms);
      const perSecond = minimumCapacity(deadlines, START_MS);
      const list = deadlines.map((deadlineMs, k) => ({ name: `s${k}`, domain: 'a', deadlineMs }));
      expect(lateServers({ servers: list, perSecond, startMs: START_MS, seed: 1 })).toEqual([]);
      expect(lateServers({ servers: list, perSecond: perSecond * 0.999, startMs: START_MS, seed: 1 })).not.toEqual([]);
    }),
  );
});

test('a fleet of 1000 that was reset together needs N / b = 4.17 slots a second, not N / (b - a) = 16.7', () => {
  const deadlines = Array.from({ length: 1_000 }, (_, k) => 180_000 + (60_000 * (k + 1)) / 1_000);
  expect(minimumCapacity(deadlines, 0)).toBeCloseTo(1_000 / 240, 6);
});

test('a deadline that has passed cannot be met, and one that never comes presses nobody', () => {
  expect(minimumCapacity([START_MS, START_MS + 1], START_MS)).toBe(Infinity);
  expect(minimumCapacity([Infinity, Infinity], START_MS)).toBe(0);
  expect(minimumCapacity([], START_MS)).toBe(0);
  expect(feasible([START_MS - 1], 1e9, START_MS)).toBe(false);
});

test('earlier deadlines go first, and failure domains take turns among equal ones', () => {
  const list = ['a', 'a', 'a', 'b', 'b', 'b', 'c', 'c', 'c'].map((domain, k) => ({
    name: `${domain}${k}`,
    domain,
    deadlineMs: START_MS + 180_000,
  }));
  const urgent = { name: 'urgent', domain: 'a', deadlineMs: START_MS + 2_000 };
  const slots = scheduleSlots({ servers: [...list, urgent], perSecond: 1, startMs: START_MS, seed: 7 });
  expect(slots[0]).toEqual({ server: 'urgent', atMs: START_MS });
  const domains = slots.slice(1).map(({ server }) => server.slice(0, 1));
  for (const turn of [domains.slice(0, 3), domains.slice(3, 6), domains.slice(6, 9)])
    expect(turn.toSorted()).toEqual(['a', 'b', 'c']);
});

test('the canary goes first whatever its deadline, and the pause lies behind it', () => {
  const list = [1, 2, 3].map((k) => ({ name: `s${k}`, domain: 'a', deadlineMs: START_MS + k * 10_000 }));
  const slots = scheduleSlots({
    servers: list,
    perSecond: 2,
    startMs: START_MS,
    canary: { servers: ['s3'], pauseMs: 5_000 },
    seed: 1,
  });
  expect(slots.map(({ server, atMs }) => [server, atMs - START_MS])).toEqual([
    ['s3', 0],
    ['s1', 5_500],
    ['s2', 6_000],
  ]);
});

test('missed slots shift, keep their order and never burst, even right after a slot that began late', () => {
  fc.assert(
    fc.property(
      rules,
      fc.integer({ min: -10_000, max: 600_000 }),
      fc.nat({ max: 60 }),
      fc.nat({ max: 30_000 }),
      (rule, sinceMs, done, lateMs) => {
        const slots = scheduleSlots(rule);
        const remaining = slots.slice(done);
        const nowMs = START_MS + sinceMs;
        const lastAtMs = done > 0 && slots[done - 1] !== undefined ? slots[done - 1]!.atMs + lateMs : undefined;
        const shifted = reslot(remaining, { perSecond: rule.perSecond, nowMs, lastAtMs });
        expect(shifted.map(({ server }) => server)).toEqual(remaining.map(({ server }) => server));
        for (const [k, { atMs }] of shifted.entries()) {
          expect(atMs).toBeGreaterThanOrEqual(Math.max(nowMs, remaining[k]!.atMs));
          const before = shifted[k - 1]?.atMs ?? lastAtMs ?? -Infinity;
          expect(atMs - before).toBeGreaterThanOrEqual(1000 / rule.perSecond - 0.01);
        }
      },
    ),
  );
});

test('a schedule that nothing delayed is left as it is', () => {
  const slots: readonly Slot[] = [1, 2, 3].map((k) => ({ server: `s${k}`, atMs: START_MS + k * 1_000 }));
  expect(reslot(slots, { perSecond: 1, nowMs: START_MS })).toEqual(slots);
});

function permutations(list: readonly number[]): number[][] {
  if (list.length <= 1) return [[...list]];
  return list.flatMap((first, k) =>
    permutations([...list.slice(0, k), ...list.slice(k + 1)]).map((rest) => [first, ...rest]),
  );
}
