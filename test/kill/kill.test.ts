import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { voyage } from './voyage.ts';

// Goal: kill -9 of the engine at any moment, then resume, ends as if nothing had happened, with no step done twice
// (promise 3). Method: three seeded voyages on labs of their own; `npm run test:kill` sails fifty.
let stateDir = '';
beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'neap-kill-'));
});
afterAll(() => rm(stateDir, { recursive: true, force: true }));

test('killed at random moments, resumed, and nothing done twice', async () => {
  // One of each story: rolled back, recovered after a hang, plain.
  const sailed = await Promise.all([8, 13, 3].map((seed) => voyage(seed, stateDir)));
  expect(sailed.flatMap(({ seed, kills, faults }) => faults.map((fault) => ({ seed, kills, fault })))).toEqual([]);
  // A voyage can end before its moment has come; all three cannot.
  expect(sailed.flatMap(({ kills }) => kills).length).toBeGreaterThan(0);
}, 300_000);
