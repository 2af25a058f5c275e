import { expect, test } from 'vitest';
import { mostInWindow } from '../../src/herd/formulas.ts';
import { february, scheduleSlots, tryOut, type Slot, type TrialRule } from '../../src/herd/index.ts';

const SERVICE: TrialRule['service'] = {
  ...february,
  requestsPerSecond: 1,
  overloadPerSecond: null,
  capacityPerSecond: 40,
};

function slotsOf(count: number, perSecond: number): readonly Slot[] {
  const servers = Array.from({ length: count }, (_, k) => ({
    name: `a${k}`,
    domain: `d${k % 4}`,
    deadlineMs: Infinity,
  }));
  return scheduleSlots({ servers, perSecond, startMs: 0, seed: 7 });
}

const rule = (slots: readonly Slot[], more: Partial<TrialRule> = {}): TrialRule => ({
  slots,
  service: SERVICE,
  each: 1,
  lateMs: 0,
  seed: 1,
  ...more,
});

test('slots that begin in time, beside caches that do not expire, peak at their bound, and nothing queues', () => {
  const service = { ...SERVICE, ttl: { minMs: 1e9, maxMs: 1e9, drawn: 'per-server' } as const };
  const { trials, peakP50, peakP99, worstDelayMs } = tryOut(rule(slotsOf(100, 10), { service }));
  expect({ trials, peakP50, peakP99, worstDelayMs }).toEqual({
    trials: 100,
    peakP50: 10,
    peakP99: 10,
    worstDelayMs: 0,
  });
  expect(peakP99).toBeLessThanOrEqual(mostInWindow(10, 999));
});

test('what expires beside them and begins late is met too: above the bound of the slots, below what is served', () => {
  const slots = slotsOf(200, 28);
  const quiet = tryOut(rule(slots));
  const late = tryOut(rule(slots, { lateMs: 500 }));
  expect(quiet.peakP99).toBeGreaterThan(28);
  expect(late.peakP99).toBeGreaterThanOrEqual(quiet.peakP50);
  expect(late.peakP99).toBeLessThan(40);
  expect(tryOut(rule(slots, { lateMs: 500 }))).toEqual(late);
});

test('a schedule that is none shows: all at once are a peak of all, and they wait for each other', () => {
  const { peakP50, worstDelayMs } = tryOut(rule(slotsOf(100, 1_000_000)));
  expect(peakP50).toBe(100);
  expect(worstDelayMs).toBeGreaterThan(2_000);
});

test('several values a server are several refreshes a slot', () => {
  const slots = slotsOf(60, 10);
  const service = { ...SERVICE, ttl: { minMs: 1e9, maxMs: 1e9, drawn: 'per-server' } as const };
  expect(tryOut(rule(slots, { service, each: 3 })).peakP50).toBe(30);
});

test('what is known of a value counts in place of a drawn one', () => {
  const slots = slotsOf(50, 1);
  const fresh = new Map(slots.map(({ server }) => [server, { ageMs: 0, ttlMs: 240_000 }] as const));
  const stale = new Map(slots.map(({ server }) => [server, { ageMs: 179_000, ttlMs: 180_000 }] as const));
  expect(tryOut(rule(slots, { known: fresh })).peakP99).toBeLessThanOrEqual(2);
  // All of them expire in the second second.
  expect(tryOut(rule(slots, { known: stale })).peakP50).toBeGreaterThan(25);
});
