import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { flowQueue, NEVER, nextOfQueue, queueDelayMs, servedShare, type Queue } from '../../src/herd/index.ts';

const limits = { capacityPerSecond: 100, room: 300, patienceMs: 2_000 };

test('a queue grows by what comes beyond its capacity, up to its room, and drains again', () => {
  const queue: Queue = { backlog: 0, atMs: 0, perSecond: 150 };
  expect(servedShare(queue, limits)).toBe(1);
  // Two seconds of delay are 200 in the queue, four seconds of an excess of 50.
  expect(nextOfQueue(queue, limits, [])).toBe(4_000);
  flowQueue(queue, limits, 4_000);
  expect(queueDelayMs(queue, limits)).toBe(2_000);
  // Whoever comes now is served after he has gone: all of the work is for nobody.
  expect(servedShare(queue, limits)).toBe(0);
  flowQueue(queue, limits, 60_000);
  expect(queue.backlog).toBe(300);
  queue.perSecond = 0;
  expect(nextOfQueue(queue, limits, [])).toBe(61_000);
  flowQueue(queue, limits, 63_000);
  expect([queue.backlog, nextOfQueue(queue, limits, [])]).toEqual([0, NEVER]);
});

test('a queue that is shorter than anybody’s patience serves capacity over demand', () => {
  const queue: Queue = { backlog: 150, atMs: 0, perSecond: 200 };
  expect(servedShare(queue, { ...limits, room: 150 })).toBe(0.5);
});

test('between two events the share that is served does not change, and the level is what small steps say', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 400 }),
      fc.integer({ min: 0, max: 300 }),
      fc.integer({ min: 1, max: 9_999 }),
      (perSecond, backlog, spanMs) => {
        const queue: Queue = { backlog, atMs: 0, perSecond };
        let level = backlog;
        for (let at = 0; at < spanMs; at += 1) level = Math.min(300, Math.max(0, level + (perSecond - 100) / 1_000));
        const nextMs = nextOfQueue(queue, limits, []);
        const share = servedShare(queue, limits);
        flowQueue(queue, limits, spanMs);
        expect(queue.backlog).toBeCloseTo(level, 6);
        expect(spanMs < nextMs ? servedShare(queue, limits) : share).toBe(share);
      },
    ),
    { numRuns: 300 },
  );
});
