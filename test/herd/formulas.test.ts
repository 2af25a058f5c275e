import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  erlangB,
  fillMs,
  highestInFlight,
  inFlight,
  meanThatFits,
  mostInWindow,
  placesInMemory,
  spreadMs,
} from '../../src/herd/formulas.ts';

test("Little's law gives the pile of February 2021: 150 requests/s that wait 10 s each", () => {
  expect(inFlight(150, 10_000)).toBe(1_500);
});

test.each([
  [150, 9.33],
  [300, 4.67],
  [600, 2.33],
])('56 GB of 40 MB requests at %d a second are used up after %d s', (requestsPerSecond, seconds) => {
  expect(fillMs(placesInMemory(56e9, 40e6), requestsPerSecond) / 1000).toBeCloseTo(seconds, 2);
});

test('Erlang B reproduces the bimodal latency of the SRE book, chapter 22: 80.4% errors', () => {
  const offered = inFlight(950, 100) + inFlight(50, 100_000);
  expect(offered).toBeCloseTo(5_095, 6);
  expect(erlangB(1_000, offered)).toBeCloseTo(0.8038, 4);
});

test('Erlang B is the ratio of its definition where that can be computed', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 30 }), fc.double({ min: 0.01, max: 60, noNaN: true }), (places, offered) => {
      let term = 1;
      let sum = 1;
      for (let k = 1; k <= places; k++) {
        term *= offered / k;
        sum += term;
      }
      expect(erlangB(places, offered)).toBeCloseTo(term / sum, 9);
    }),
  );
});

test('Erlang B has its limits: nothing offered, no place, places without number', () => {
  expect(erlangB(10, 0)).toBe(0);
  expect(erlangB(0, 5)).toBe(1);
  expect(erlangB(10_000, 1)).toBe(0);
  expect(erlangB(1e12, 2e12)).toBeCloseTo(0.5, 6);
});

test('meanThatFits is the largest mean whose peak fits', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000_000 }), (places) => {
      const mean = meanThatFits(places);
      expect(highestInFlight(mean)).toBeCloseTo(places, 5);
    }),
  );
});

test('1000 servers at 50 a second are spread over 20 s, so TTLs of 180 s leave 160 s', () => {
  expect(180 - spreadMs(1_000, 50) / 1000).toBe(160);
});

test('a window of 10 s holds at most 21 slots of half a second', () => {
  expect(mostInWindow(2, 10_000)).toBe(21);
  expect(mostInWindow(0.3, 10_000)).toBe(4);
});
