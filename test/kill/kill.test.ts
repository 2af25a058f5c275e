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

test.concurrent.each([3, 8, 13])(
  'seed %i: killed, resumed, and nothing done twice',
  async (seed) => {
    const sailed = await voyage(seed, stateDir);
    expect({ faults: sailed.faults, kills: sailed.kills, exit: sailed.exitCode }).toMatchObject({ faults: [] });
    expect(sailed.kills.length).toBeGreaterThan(0);
  },
  120_000,
);
