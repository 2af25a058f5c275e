import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { forecastFuse, waitMs, type AwayManner, type Tries } from '../../src/herd/index.ts';
import { fleetOf } from './fleet.ts';

// Goal: how long a request waits for a database that is away is the sum of its attempts and of what it waits between
// them, and depends on how the database is away. Method: sums by hand, a property, and the forecast made of them.

const tries: Tries = {
  attempts: 3,
  connectTimeoutMs: 2_000,
  answerTimeoutMs: 10_000,
  refusedMs: 5,
  backoffMs: [100, 400],
};

describe('what a request waits', () => {
  test.each([
    ['refuse', 3 * 5 + 500],
    ['drop', 3 * 2_000 + 500],
    ['hang', 3 * 10_000 + 500],
    [null, 3 * 10_000 + 500],
  ] as const)('%s: %d ms', (manner, ms) => {
    expect(waitMs({ timeoutMs: 7_000, tries }, manner)).toBe(ms);
  });

  test('the last backoff counts for all further attempts; without any there is none', () => {
    expect(waitMs({ timeoutMs: 1, tries: { ...tries, attempts: 5 } }, 'refuse')).toBe(5 * 5 + 100 + 3 * 400);
    expect(waitMs({ timeoutMs: 1, tries: { ...tries, backoffMs: [] } }, 'refuse')).toBe(15);
  });

  test('where nothing more is declared, the declared timeout is what is waited, however the database is away', () => {
    for (const manner of ['refuse', 'drop', 'hang', null] as const)
      expect(waitMs({ timeoutMs: 7_000 }, manner)).toBe(7_000);
  });

  test('the worst is taken where nobody says how it will be away, and another attempt never makes it shorter', () => {
    const any = fc.record({
      attempts: fc.integer({ min: 1, max: 20 }),
      connectTimeoutMs: fc.integer({ min: 1, max: 60_000 }),
      answerTimeoutMs: fc.integer({ min: 1, max: 60_000 }),
      refusedMs: fc.integer({ min: 1, max: 60_000 }),
      backoffMs: fc.array(fc.nat({ max: 5_000 }), { maxLength: 5 }),
    });
    fc.assert(
      fc.property(any, (each) => {
        const all = (['refuse', 'drop', 'hang'] as AwayManner[]).map((manner) =>
          waitMs({ timeoutMs: 1, tries: each }, manner),
        );
        expect(waitMs({ timeoutMs: 1, tries: each }, null)).toBe(Math.max(...all));
        const more = { ...each, attempts: each.attempts + 1 };
        for (const manner of ['refuse', 'drop', 'hang', null] as const)
          expect(waitMs({ timeoutMs: 1, tries: more }, manner)).toBeGreaterThanOrEqual(
            waitMs({ timeoutMs: 1, tries: each }, manner),
          );
      }),
    );
  });
});

test('the same outage: fatal where the database hangs after accepting, survived where it refuses', () => {
  const question = (manner: AwayManner) => ({
    servers: fleetOf(12).map((server) => ({
      ...server,
      dependencyTimeoutMs: waitMs({ timeoutMs: 10_000, tries }, manner),
      refusedWaitMs: waitMs({ timeoutMs: 10_000, tries }, 'refuse'),
    })),
    refresh: null,
    outageMs: 240_000,
    marginMs: 30_000,
  });
  const hanging = forecastFuse(question('hang'));
  expect(hanging.accepted).toBe(false);
  expect(hanging.cures).toContainEqual(
    expect.objectContaining({
      code: 'refuse-connections',
      value: 515,
      text: expect.stringContaining('reject and not drop'),
    }),
  );
  expect(forecastFuse(question('refuse'))).toMatchObject({ accepted: true, fuseMs: null });
});
