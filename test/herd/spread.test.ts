import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  chanceCoherence,
  coherence,
  coherenceAfter,
  coherenceOfCycles,
  coldStartMs,
  ownTtlMs,
  scheduleSlots,
} from '../../src/herd/index.ts';

const PERIOD_MS = 210_000;
const TTL = { minMs: 180_000, maxMs: 240_000 };

test('coherence is 1 for expiries at one instant, 0 for even ones, and does not care when it is looked at', () => {
  expect(
    coherence(
      Array.from({ length: 50 }, () => 7_000),
      PERIOD_MS,
    ),
  ).toBeCloseTo(1, 12);
  expect(
    coherence(
      Array.from({ length: 50 }, (_, k) => (k * PERIOD_MS) / 50),
      PERIOD_MS,
    ),
  ).toBeCloseTo(0, 12);
  expect(coherence([], PERIOD_MS)).toBe(0);
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 1_000_000 }), { minLength: 1 }), fc.nat({ max: 1_000_000 }), (all, byMs) => {
      const moved = all.map((atMs) => atMs + byMs + 3 * PERIOD_MS);
      expect(coherence(moved, PERIOD_MS)).toBeCloseTo(coherence(all, PERIOD_MS), 6);
    }),
  );
});

test('expiries over a span have the coherence of sinc: after one reset of times to live between 180 and 240 s, 0.87', () => {
  const even = Array.from({ length: 2_000 }, (_, k) => 180_000 + (60_000 * k) / 2_000);
  expect(coherence(even, PERIOD_MS)).toBeCloseTo(coherenceAfter(60_000, PERIOD_MS), 3);
  expect(coherenceAfter(60_000, PERIOD_MS)).toBeCloseTo(0.871, 3);
  expect(coherenceAfter(0, PERIOD_MS)).toBe(1);
  expect(coherenceAfter(PERIOD_MS, PERIOD_MS)).toBeCloseTo(0, 12);
});

test('times to live of their own part a fleet in 3 cycles, drawn anew in 12', () => {
  const own = [1, 2, 3, 4, 5].map((cycles) => Number(coherenceOfCycles(TTL, cycles, 'per-server').toFixed(3)));
  expect(own).toEqual([0.871, 0.543, 0.161, 0.121, 0.217]);
  expect(coherenceOfCycles(TTL, 5, 'per-refresh')).toBeCloseTo(0.5, 2);
  expect(coherenceOfCycles(TTL, 11, 'per-refresh')).toBeGreaterThan(0.2);
  expect(coherenceOfCycles(TTL, 12, 'per-refresh')).toBeLessThan(0.2);
});

test('a time to live of its own is the same each time, fills its range evenly, and hardly two servers share one', () => {
  const names = Array.from({ length: 1_000 }, (_, k) => `api-${String(k).padStart(4, '0')}`);
  const ttls = names.map((name) => ownTtlMs(name, TTL));
  expect(ttls).toEqual(names.map((name) => ownTtlMs(name, TTL)));
  expect(Math.min(...ttls)).toBeGreaterThanOrEqual(180_000);
  expect(Math.max(...ttls)).toBeLessThanOrEqual(240_000);
  // 1,000 of 60,001 values: n^2 / 2m = 8 pairs are to be expected, and in whole seconds nearly all would share one.
  expect(new Set(ttls).size).toBeGreaterThan(970);
  const tenths = Array.from(
    { length: 10 },
    (_, k) => ttls.filter((ttl) => Math.floor((ttl - 180_000) / 6_000.2) === k).length,
  );
  expect(Math.max(...tenths)).toBeLessThan(145);
  expect(Math.min(...tenths)).toBeGreaterThan(60);
});

test('a fleet that was reset together is apart after its slots, and nobody expired before one', () => {
  fc.assert(
    fc.property(fc.integer({ min: 30, max: 400 }), fc.integer(), (count, seed) => {
      const servers = Array.from({ length: count }, (_, k) => ({
        name: `a${k}`,
        domain: `d${k % 4}`,
        deadlineMs: ownTtlMs(`a${k}/${seed}`, TTL),
      }));
      expect(
        coherence(
          servers.map(({ deadlineMs }) => deadlineMs),
          PERIOD_MS,
        ),
      ).toBeGreaterThan(0.75);
      const perSecond = count / 180;
      const slots = scheduleSlots({ servers, perSecond, startMs: 0, seed });
      const expiries = slots.map(({ server, atMs }) => atMs + ownTtlMs(`${server}/${seed}`, TTL));
      expect(coherence(expiries, PERIOD_MS)).toBeLessThan(0.3);
    }),
    { numRuns: 50 },
  );
});

test('a cold fleet is warm when what is free has served it, and few servers lie together by chance alone', () => {
  expect(coldStartMs(1_000, 28)).toBeCloseTo(35_714, 0);
  expect(coldStartMs(1_000, 28, 4.8)).toBeCloseTo(43_103, 0);
  expect(coldStartMs(1_000, 4, 4.8)).toBe(Infinity);
  expect(coldStartMs(0, 4, 4.8)).toBe(0);
  expect(chanceCoherence(1_000)).toBeCloseTo(0.095, 3);
  expect(chanceCoherence(4)).toBe(1);
});
