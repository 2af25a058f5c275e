import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ConnectionRoom } from '../../src/engine/connection-room.ts';
import { FailureError, type PlanNeed } from '../../src/model/index.ts';
import { Chance } from '../support/chance.ts';

// Goal: servers that come back at once never open more connections together than there is room for, and nobody waits
// for ever. Method: a database that is counted, and servers that open what they were let in for a while later.

const MAX = 100;
const read = { command: ['count'], timeoutMs: 1_000 };
const limits = { database: { connections: { max: MAX, perSecond: 10, others: [], now: read } } };
type Need = Extract<PlanNeed, { need: 'connections' }>;
const need = (each: number): Need => ({ need: 'connections', dependency: 'database', each, max: MAX });

test('property: whoever is let in fits, whatever was read when; in the end all have come in that fit', async () => {
  const wish = fc.record({
    seed: fc.nat(),
    each: fc.integer({ min: 1, max: 40 }),
    before: fc.integer({ min: 0, max: 110 }),
  });
  await fc.assert(
    fc.asyncProperty(wish, async ({ seed, each, before }) => {
      const chance = new Chance(seed);
      let nowMs = 0;
      let open = before;
      let worst = before;
      const room = new ConnectionRoom({ limits, count: async () => open, clock: { nowMs: () => nowMs } });
      const waiting = Array.from({ length: 12 }, (_, index) => `api-${index}`);
      const opening: { readonly server: string; readonly atMs: number }[] = [];
      for (let turn = 0; turn < 400; turn += 1) {
        nowMs += chance.whole(0, 700);
        for (const { server } of opening.filter(({ atMs }) => atMs <= nowMs)) {
          open += each;
          worst = Math.max(worst, open);
          room.opened(server);
        }
        opening.splice(0, opening.length, ...opening.filter(({ atMs }) => atMs > nowMs));
        const asking = waiting.filter(() => chance.happens(0.3));
        const answers = await Promise.all(asking.map((server) => room.has(need(each), server, false)));
        for (const [index, server] of asking.entries()) {
          if (!answers[index]?.holds) continue;
          waiting.splice(waiting.indexOf(server), 1);
          opening.push({ server, atMs: nowMs + chance.whole(100, 4_000) });
        }
      }
      expect(worst).toBeLessThanOrEqual(Math.max(before, MAX));
      expect(12 - waiting.length).toBe(Math.min(12, Math.max(0, Math.floor((MAX - before) / each))));
    }),
    { numRuns: 100 },
  );
});

test('what cannot be read keeps back what takes away, and not what gives back', async () => {
  const silent = new FailureError({ kind: 'output', what: 'no answer', where: '', state: '', remedy: '' });
  const room = new ConnectionRoom({ limits, count: () => Promise.reject(silent), clock: { nowMs: () => 0 } });
  expect(await room.has(need(1), 'api-1', true)).toEqual({
    holds: false,
    why: 'the connections of database cannot be read: no answer',
  });
  expect(await room.has(need(1), 'api-1', false)).toEqual({ holds: true });
});

test('who was let in and is not heard of again is forgotten after a minute', async () => {
  let nowMs = 0;
  const room = new ConnectionRoom({ limits, count: async () => 90, clock: { nowMs: () => nowMs } });
  expect(await room.has(need(10), 'api-1', false)).toEqual({ holds: true });
  expect(await room.has(need(10), 'api-2', false)).toMatchObject({ holds: false });
  nowMs = 61_000;
  expect(await room.has(need(10), 'api-2', false)).toEqual({ holds: true });
});
