import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { forecastScenario, plannedScenario, type Figures, type FuseQuestion } from '../../src/herd/index.ts';
import { fleetOf } from './fleet.ts';

/** The simulated forecast of a planned outage moves in one direction only where there is but one. */

interface Numbers {
  readonly outageMs: number;
  readonly timeoutMs: number;
  readonly rate: number;
  readonly memory: number;
  readonly ttlMs: number;
  readonly seed: number;
}

const numbers: fc.Arbitrary<Numbers> = fc.record({
  outageMs: fc.integer({ min: 10_000, max: 400_000 }),
  timeoutMs: fc.integer({ min: 500, max: 20_000 }),
  rate: fc.integer({ min: 20, max: 300 }),
  memory: fc.integer({ min: 200, max: 3_000 }),
  ttlMs: fc.integer({ min: 30_000, max: 300_000 }),
  seed: fc.nat(1_000),
});

function figuresOf({ outageMs, timeoutMs, rate, memory, ttlMs, seed }: Numbers): Figures {
  const question: FuseQuestion = {
    servers: fleetOf(8).map((server) => ({
      ...server,
      clocks: server.clocks.map((clock) => ({ ...clock, ttlMs: { min: ttlMs, max: ttlMs * 1.3 } })),
      dependencyTimeoutMs: timeoutMs,
      load: { requestsPerSecond: rate, memoryPerRequestBytes: 1, memoryFreeBytes: memory },
    })),
    refresh: { perSecond: 28, overheadMs: 1_000 },
    outageMs,
    marginMs: 10_000,
  };
  const { cases } = forecastScenario(
    plannedScenario({
      title: '',
      source: '',
      question: () => question,
      facts: [],
      manner: null,
      capacityPerSecond: null,
    }),
    {
      whatIf: [],
      seeds: [seed],
    },
  );
  return cases[0]!.outcome.figures;
}

test.each([
  ['a longer outage', (from: Numbers): Numbers => ({ ...from, outageMs: from.outageMs * 1.5 })],
  ['a longer dependency timeout', (from: Numbers): Numbers => ({ ...from, timeoutMs: from.timeoutMs * 2 })],
  ['more requests', (from: Numbers): Numbers => ({ ...from, rate: from.rate * 1.5 })],
  ['less memory', (from: Numbers): Numbers => ({ ...from, memory: from.memory / 2 })],
  ['a shorter time to live', (from: Numbers): Numbers => ({ ...from, ttlMs: from.ttlMs / 2 })],
] as const)('%s never saves a server', (_, worse) => {
  fc.assert(
    fc.property(numbers, (from) => {
      const [before, after] = [figuresOf(from), figuresOf(worse(from))];
      expect(after.deadAtMost).toBeGreaterThanOrEqual(before.deadAtMost);
      expect(after.firstDeadMs ?? Infinity).toBeLessThanOrEqual(before.firstDeadMs ?? Infinity);
    }),
    { numRuns: 15 },
  );
});

test('the preview and the simulation agree: what is accepted hangs nobody, and the fuse is never longer than it burns', () => {
  let collapsed = 0;
  fc.assert(
    fc.property(numbers, (from) => {
      const question: FuseQuestion = {
        servers: fleetOf(8).map((server) => ({
          ...server,
          dependencyTimeoutMs: from.timeoutMs,
          load: { requestsPerSecond: from.rate, memoryPerRequestBytes: 1, memoryFreeBytes: from.memory },
        })),
        refresh: { perSecond: 28, overheadMs: 1_000 },
        outageMs: from.outageMs,
        marginMs: 10_000,
      };
      const { cases } = forecastScenario(
        plannedScenario({
          title: '',
          source: '',
          question: () => question,
          facts: [],
          manner: null,
          capacityPerSecond: null,
        }),
        {
          whatIf: [],
          seeds: [from.seed],
        },
      );
      const [planned, stays] = cases;
      const hung = planned!.verdict === 'refused' ? 0 : planned!.outcome.figures.deadAtMost;
      expect(hung).toBe(0);
      if (stays!.verdict === 'collapse') collapsed += 1;
      const cures = cases.filter(({ name }) => /^with |margin/.test(name));
      expect(cures.filter(({ outcome }) => outcome.figures.deadAtMost > 0).map(({ name }) => name)).toEqual([]);
    }),
    { numRuns: 25 },
  );
  expect(collapsed).toBeGreaterThan(5);
});
