import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { throttle, unthrottled, type Throttle, type ThrottleRule } from '../../src/herd/index.ts';

const RULE: ThrottleRule = {
  windowMs: 5_000,
  delayMs: 50,
  freezeDelayMs: 500,
  errorShare: 0.05,
  freezeErrorShare: 0.25,
};

/** One reading a second. */
function after(
  delays: readonly (number | null)[],
  ended: readonly (readonly boolean[])[] = [],
  from = unthrottled(0),
): Throttle {
  let now = from;
  for (const [k, delayMs] of delays.entries())
    now = throttle(RULE, now, { atMs: from.sinceMs + (k + 1) * 1_000, delayMs, ended: ended[k] ?? [], reads: true });
  return now;
}

const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);

describe('the pace', () => {
  test('is halved when the least delay of a whole window is above the limit, and once a window', () => {
    expect(after(times(4, 80)).share).toBe(1);
    expect(after(times(5, 80)).share).toBe(0.5);
    expect(after(times(9, 80)).share).toBe(0.5);
    expect(after(times(10, 80)).share).toBe(0.25);
  });

  test('does not mind a spike: one low reading in the window says that no queue stands', () => {
    expect(after([900, 900, 3, 900, 900]).share).toBe(1);
  });

  test('is frozen by a standing queue far above, and by many failures at once; goes on at half of what it was', () => {
    const frozen = after(times(5, 800));
    expect(frozen.share).toBe(0);
    expect(frozen.why).toBe('the delay was 800 ms at least for 5 s');
    const thawed = after(times(5, 3), [], frozen);
    expect(thawed.share).toBe(0.5);
    expect(
      after(
        [3, 3],
        [
          [true, true],
          [true, false],
        ],
      ).share,
    ).toBe(0);
  });

  test('two failures freeze nothing, and above the share they halve it', () => {
    expect(after(times(4, 3), [[true, true]]).share).toBe(1);
    expect(after(times(5, 3), [[], [], [], [], [true, ...times(9, false)]]).share).toBe(0.5);
    expect(after(times(5, 3), [[], [], [], [], [true, ...times(39, false)]]).share).toBe(1);
  });

  test('a dependency that does not answer in time is the longest delay; one that cannot be read slows, and stops nothing', () => {
    expect(after(times(5, Infinity)).share).toBe(0);
    expect(after(times(5, null)).share).toBe(0.5);
    expect(after(times(60, null)).share).toBe(1 / 16);
    expect(after(times(5, null), [], after(times(5, 800))).share).toBe(0.5);
  });

  test('comes back step by step, never by a leap, and where nothing reads the delay by errors alone', () => {
    const shares = [1, 2, 3, 4, 5].map((windows) => after(times(5 * windows, 3), [], after(times(10, 80))).share);
    expect(shares).toEqual([0.375, 0.5, 0.625, 0.75, 0.875]);
    const blind = throttle(RULE, unthrottled(0, 0.5), { atMs: 5_000, delayMs: null, reads: false });
    expect(blind.share).toBe(0.625);
  });

  test('is never above the bound and never below the least, whatever is seen', () => {
    const seen = fc.record({
      afterMs: fc.integer({ min: 1, max: 7_000 }),
      delayMs: fc.oneof(fc.constant(null), fc.constant(Infinity), fc.integer({ min: 0, max: 2_000 })),
      ended: fc.array(fc.boolean(), { maxLength: 6 }),
    });
    fc.assert(
      fc.property(fc.array(seen, { maxLength: 60 }), fc.constantFrom(0, 0.25, 1), (all, share) => {
        let now = unthrottled(0, share);
        let atMs = 0;
        for (const { afterMs, ...each } of all) {
          atMs += afterMs;
          const next = throttle(RULE, now, { ...each, atMs, reads: true });
          expect(next.share === 0 || (next.share >= 1 / 16 && next.share <= 1)).toBe(true);
          // Up only after a whole window, and only by a step or out of a freeze.
          expect(next.share - now.share).toBeLessThanOrEqual(now.share === 0 ? 0.5 : 0.125);
          now = next;
        }
      }),
    );
  });
});

test('a database that becomes slow is refreshed as fast as it can serve, not as fast as the plan allows', () => {
  const fair = run({ slots: 2_400, perSecond: 28, capacityAt: (atMs) => (atMs < 20_000 ? 40 : 8), loop: true });
  const blind = run({ slots: 2_400, perSecond: 28, capacityAt: (atMs) => (atMs < 20_000 ? 40 : 8), loop: false });
  expect(blind.worstDelayMs).toBeGreaterThan(60_000);
  expect(fair.worstDelayMs).toBeLessThan(15_000);
  // The pace that it finds uses most of what there is.
  expect(fair.served).toBeGreaterThan(0.7);
  expect(Math.max(...fair.shares)).toBe(1);
});

/** Slots against one queue, one refresh after the other, with the loop over them. */
function run(rule: {
  readonly slots: number;
  readonly perSecond: number;
  readonly capacityAt: (atMs: number) => number;
  readonly loop: boolean;
}): { worstDelayMs: number; served: number; shares: readonly number[] } {
  let now = unthrottled(0);
  let busyUntilMs = 0;
  let nextMs = 0;
  let begun = 0;
  let worstDelayMs = 0;
  let late = 0;
  const shares: number[] = [];
  for (let atMs = 0; begun < rule.slots && atMs < 600_000; atMs += 10) {
    if (rule.loop && atMs % 1_000 === 0)
      now = throttle(RULE, now, { atMs, delayMs: Math.max(0, busyUntilMs - atMs), reads: true });
    if (atMs % 1_000 === 0) shares.push(now.share);
    while (nextMs <= atMs && now.share > 0 && begun < rule.slots) {
      const delayMs = Math.max(0, busyUntilMs - atMs);
      worstDelayMs = Math.max(worstDelayMs, delayMs);
      busyUntilMs = atMs + delayMs + 1000 / rule.capacityAt(atMs);
      begun += 1;
      if (atMs > 120_000) late += 1;
      nextMs = atMs + 1000 / (rule.perSecond * now.share);
    }
  }
  const untilMs = shares.length * 1_000;
  return {
    worstDelayMs,
    served: (late * 1000) / Math.max(1, untilMs - 120_000) / 8,
    shares,
  };
}
