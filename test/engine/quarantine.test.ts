import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { endQuarantine, keepInQuarantine, listQuarantine, type Quarantined } from '../../src/engine/quarantine.ts';
import { quarantineFindings } from '../../src/engine/quarantine-findings.ts';
import type { Foresight } from '../../src/plan/index.ts';
import { giveTraffic, takeOut } from '../../src/index.ts';
import { planOf } from '../support/made-up.ts';

let stateDir = '';
beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'neap-quarantine-'));
});
afterEach(() => rm(stateDir, { recursive: true, force: true }));

const entry = (server: string, more: Partial<Quarantined> = {}): Quarantined => ({
  fleet: 'mail/eu',
  server,
  run: 'r1',
  sinceMs: 1,
  why: 'it did not go offline',
  out: true,
  ...more,
});

test('who is kept out stands there until it is ended, for its own fleet only and for its owner’s eyes', async () => {
  expect(await listQuarantine(stateDir, null)).toEqual([]);
  await keepInQuarantine(stateDir, entry('api-2'));
  await keepInQuarantine(stateDir, entry('api-1'));
  await keepInQuarantine(stateDir, entry('api-1', { fleet: '..' }));
  expect((await listQuarantine(stateDir, 'mail/eu')).map(({ server }) => server)).toEqual(['api-1', 'api-2']);
  expect(await listQuarantine(stateDir, 'other')).toEqual([]);
  expect(await listQuarantine(stateDir, null)).toHaveLength(3);
  const folder = join(stateDir, 'quarantine', 'of-mail%2Feu');
  expect((await stat(join(folder, 'api-1.json'))).mode & 0o777).toBe(0o600);
  // Nothing is left beside them.
  expect(await readdir(folder)).toHaveLength(2);
  await endQuarantine(stateDir, { fleet: 'mail/eu', server: 'api-1' });
  await endQuarantine(stateDir, { fleet: 'mail/eu', server: 'api-1' });
  expect((await listQuarantine(stateDir, 'mail/eu')).map(({ server }) => server)).toEqual(['api-2']);
});

test('what the same run learns later is written; what another run says does not rewrite since when and why', async () => {
  await keepInQuarantine(stateDir, entry('api-1', { out: false }));
  await keepInQuarantine(stateDir, entry('api-1'));
  await keepInQuarantine(stateDir, entry('api-1', { run: 'r2', why: 'left out' }));
  expect(await listQuarantine(stateDir, 'mail/eu')).toEqual([entry('api-1')]);
});

test('a record that cannot be read is an error, and nobody is taken in meanwhile', async () => {
  await keepInQuarantine(stateDir, entry('api-1'));
  await writeFile(join(stateDir, 'quarantine', 'of-mail%2Feu', 'api-1.json'), '{"fleet":');
  await expect(listQuarantine(stateDir, 'mail/eu')).rejects.toThrow(/a record of quarantine cannot be read/);
});

test('a plan that takes something from who is kept out is refused; one that only gives back is not', () => {
  const risky = planOf({ servers: 2, steps: (api) => [takeOut(api), giveTraffic(api)] });
  const outlineOf = ({ header, slices }: typeof risky) => ({
    steps: header.steps,
    servers: slices.flatMap(({ servers }) => servers) as never,
  });
  const none = new Map<string, Foresight>();
  expect(quarantineFindings(outlineOf(risky), [entry('api-1')], none, 'fleet.ts')).toMatchObject([
    {
      severity: 'refusal',
      what: 'api-1 is in quarantine since run r1: it did not go offline',
      cures: [
        'Bring it back, proven: neap fleet rejoin api-1 --fleet fleet.ts',
        expect.stringContaining('--except api-1='),
      ],
    },
  ]);
  const gives = planOf({ servers: 2, steps: (api) => [giveTraffic(api)] });
  expect(quarantineFindings(outlineOf(gives), [entry('api-1')], none, 'fleet.ts')).toEqual([]);
});

test('who would be given traffic that nothing in the plan took is out already: somebody elsewhere may know why', () => {
  const risky = planOf({ servers: 2, steps: (api) => [takeOut(api), giveTraffic(api)] });
  const foresights = new Map<string, Foresight>([
    [
      'api-2',
      {
        pending: {},
        left: null,
        verdicts: {
          '1': { verdict: 'nothing' },
          '2': { verdict: 'change', change: { from: 'out', to: 'in' }, diff: [] },
        },
      },
    ],
  ]);
  const servers = risky.slices.flatMap((slice) => slice.servers) as never;
  expect(quarantineFindings({ steps: risky.header.steps, servers }, [], foresights, 'fleet.ts')).toMatchObject([
    { severity: 'warning', what: expect.stringMatching(/^api-2: out of the balancer already/) },
  ]);
});
