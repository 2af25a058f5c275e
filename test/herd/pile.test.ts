import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { NEVER } from '../../src/herd/index.ts';
import { inFlight, leaving, left, nextOfPile, pileUp, type Pile } from '../../src/herd/world/pile.ts';

/** Rates that change at whole seconds, each with a wait of its own: counted request by request, a thousand to one. */
const arrivals = fc.array(
  fc.record({
    lastsS: fc.integer({ min: 1, max: 5 }),
    perSecond: fc.nat(5),
    waitMs: fc.constantFrom(1_000, 2_000, 7_000),
    fails: fc.boolean(),
  }),
  { minLength: 1, maxLength: 8 },
);

test('in flight, leaving and left are what counting one by one says', () => {
  fc.assert(
    fc.property(arrivals, fc.integer({ min: 0, max: 30 }), (steps, nowS) => {
      const each: { atMs: number; goesMs: number; fails: boolean }[] = [];
      const pile: Pile = [];
      let atMs = 0;
      for (const { lastsS, perSecond, waitMs, fails } of steps) {
        pile.push({ fromMs: atMs, perSecond, waitMs, fails });
        const grain = 100;
        for (let at = atMs; at < atMs + lastsS * 1_000; at += 1_000 / grain) {
          for (let k = 0; k < perSecond; k += 1) each.push({ atMs: at, goesMs: at + waitMs, fails });
        }
        atMs += lastsS * 1_000;
      }
      pile.push({ fromMs: atMs, perSecond: 0, waitMs: 1, fails: true });
      const nowMs = nowS * 1_000;
      const count = (of: (one: (typeof each)[number]) => boolean): number => each.filter(of).length / 100;
      expect(inFlight(pile, nowMs)).toBeCloseTo(
        count((one) => one.atMs < nowMs && one.goesMs >= nowMs),
        6,
      );
      const gone = left(pile, 0, nowMs);
      expect(gone.failed).toBeCloseTo(
        count((one) => one.goesMs < nowMs && one.fails),
        6,
      );
      expect(gone.answered).toBeCloseTo(
        count((one) => one.goesMs < nowMs && !one.fails),
        6,
      );
      expect(leaving(pile, nowMs)).toBeCloseTo(
        count((one) => one.goesMs >= nowMs && one.goesMs < nowMs + 1_000),
        6,
      );
    }),
    { numRuns: 150 },
  );
});

test('the next event is when it is full, or when somebody begins or ceases to leave', () => {
  const pile: Pile = [];
  pileUp(pile, 0, 150, { waitMs: 10_000, fails: true });
  expect(nextOfPile(pile, 0, 1_400)).toBeCloseTo(9_333.3, 1);
  expect(nextOfPile(pile, 0, 1_600)).toBe(10_000);
  pileUp(pile, 4_000, 0, { waitMs: 0, fails: false });
  expect(nextOfPile(pile, 4_000, 1_600)).toBe(10_000);
  expect(nextOfPile(pile, 10_000, 1_600)).toBe(14_000);
  pileUp(pile, 14_000, 0, { waitMs: 0, fails: false });
  expect(pile).toEqual([]);
  expect(nextOfPile(pile, 14_000, 1_600)).toBe(NEVER);
});
