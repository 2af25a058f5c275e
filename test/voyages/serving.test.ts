import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import type { RecordEntry } from '../../src/lab/index.ts';
import type { RunState } from '../../src/run/index.ts';
import { openScene, SHORT, type SceneLab, VOYAGE_MS } from '../support/scene.ts';

// Goal: load on those who serve, and connections to the database, are in the preview before anything is touched, and the
// run keeps to them. Method: labs whose balancer and database have the limits that their fleet files declare; the lab's
// own record is the witness.

vi.setConfig({ testTimeout: VOYAGE_MS, maxConcurrency: 2 });

const writes = (record: readonly RecordEntry[]) => record.filter((entry) => entry.writes && entry.via !== 'control');

test.concurrent('canary-takes-all: the whole traffic of the group on one server is refused, each wave with its load, and nothing is touched', async () => {
  await using scene = await openScene();
  const lab = await scene.lab({ scenario: 'canary-takes-all', servers: 12 });
  const planned = await scene.neap('plan', 'database-upgrade', '--fleet', lab.fleet, ...SHORT);
  expect(planned.code).toBe(4);
  const flat = planned.stdout.replaceAll(/\s+/g, ' ');
  expect(flat).toMatch(
    /Load on those who serve \(api\): 1,800 requests\/s in all; an offline server leaves the balancer/,
  );
  expect(flat).toMatch(
    /step 7, wave by wave: 200, 300, 600, 1,800\/s each, 9, 6, 3, 0 serving; on the way home 180, 257, 450, 1,800/,
  );
  expect(flat).toMatch(
    /Refused: step 7 .*wave 4 leaves 1,800 requests\/s on the last one that serves.* one server of api bears 330/,
  );
  expect(flat).toMatch(
    /Refused: step 13 \(leave offline mode\): the first of wave 1 to be back gets 1,800 requests\/s/,
  );
  expect(flat).toMatch(
    /cure 1: Hold admission at the balancer: holding\(holdAdmission\(api\), \[...\]\) around it keeps each server at 300 requests\/s; 83.3% of the requests/,
  );
  const forced = await scene.neap('run', 'database-upgrade', '--fleet', lab.fleet, ...SHORT, '--unattended');
  expect(forced.code).toBe(4);
  expect(writes(await lab.record())).toEqual([]);

  // What it is refused for, done by hand all the same: the traffic of those who left hangs the others, one after the other.
  for (const server of (await lab.status()).servers.slice(0, 7))
    await lab.byHand(server.name, (hands) => hands.call('offline-on'));
  await vi.waitFor(async () => {
    expect((await lab.status()).servers.filter(({ hung }) => hung)).toHaveLength(5);
  }, 10_000);
});

const HELD = `
import { defineRunbook, first, gate, holdAdmission, holding, inWaves, offlineMode, rest, z } from 'neap';
export default defineRunbook({
  title: 'Offline and back, behind a hold',
  reach: { api: ['ssh'] },
  inputs: z.strictObject({}),
  budget: { failures: 3 },
  window: { limitMs: 60 * 60_000 },
  steps: ({ api }) => [
    holding(holdAdmission(api), [
      inWaves({ canary: 1, by: 'domain', atMost: 3 }, offlineMode(api, { on: true })),
      gate('Work done?', { role: 'database', onTimeout: 'hold' }),
      inWaves({ canary: 1, atMost: 3 }, offlineMode(api, { on: false })),
    ]),
  ],
});
`;

test.concurrent('with admission held at the balancer the whole fleet goes offline and comes back, and nobody hangs', async () => {
  await using scene = await openScene();
  const lab = await scene.lab({ scenario: 'canary-takes-all', servers: 12 });
  const runbook = join(scene.stateDir, 'held.ts');
  const out = join(scene.stateDir, 'held.json');
  await writeFile(runbook, HELD);
  const planned = await scene.neap('plan', runbook, '--fleet', lab.fleet, '--out', out);
  expect(planned.code).toBe(0);
  expect(planned.stdout.replaceAll(/\s+/g, ' ')).toMatch(
    /step 4, wave by wave: 300, .*held at 300\/s each, and the balancer answers up to 83% itself/,
  );
  const ran = await scene.neap('run', out, '--unattended');
  expect(ran.code).toBe(0);
  const { servers } = await lab.status();
  expect(servers.filter(({ hung, offline }) => hung || offline)).toEqual([]);
  const said = (await lab.record()).flatMap(({ what }) => (what.startsWith('admission') ? [what] : []));
  expect(said).toEqual([...Array<string>(12).fill('admission held'), ...Array<string>(12).fill('admission free')]);
});

/** Takes a server away for as long as it restarts. */
const ROLLING = `
import { defineRunbook, defineStep, inWaves, z } from 'neap';
const restart = defineStep({
  name: 'restart',
  version: 1,
  reach: ['ssh'],
  reads: [],
  alters: ['power'],
  input: z.strictObject({}),
  pinned: z.strictObject({}),
  readings: z.strictObject({}),
  change: z.strictObject({}),
  idempotent: true,
  title: () => 'restart the service',
  nature: () => 'risk',
  observe: async () => ({ pinned: {}, readings: {} }),
  decide: () => ({ verdict: 'change', change: {}, diff: ['restart'] }),
  async perform(_server, _change, hands) {
    await hands.call('traffic-out');
    await new Promise((resolve) => setTimeout(resolve, 400));
    await hands.call('traffic-in');
  },
  confirm: async (_server, _change, read) => (await read.ask('traffic')) === 'in' ? { done: true } : { done: false, why: 'it is out' },
  expectedMs: () => 8_000,
  back: { irreversible: 'a restart cannot be taken back' },
});
export default defineRunbook({
  title: 'Restart all',
  reach: { api: ['ssh'] },
  inputs: z.strictObject({}),
  budget: { failures: 12 },
  window: { limitMs: 60 * 60_000 },
  steps: ({ api }) => [inWaves({ canary: 1, atMost: 9 }, restart(api))],
});
`;

/** The most that were out of the balancer at one time. */
function mostOut(record: readonly RecordEntry[]): number {
  const out = new Set<string | null>();
  let most = 0;
  for (const { what, server } of record) {
    if (what === 'traffic out') out.add(server);
    if (what === 'traffic in') out.delete(server);
    most = Math.max(most, out.size);
  }
  return most;
}

test.concurrent('waves of a restart are cut to what the others bear, the preview shows it, and the run keeps to it', async () => {
  await using scene = await openScene();
  const lab = await scene.lab({ scenario: 'canary-takes-all', servers: 12 });
  const runbook = join(scene.stateDir, 'rolling.ts');
  const out = join(scene.stateDir, 'rolling.json');
  await writeFile(runbook, ROLLING);
  const planned = await scene.neap('plan', runbook, '--fleet', lab.fleet, '--out', out);
  expect(planned.code).toBe(0);
  const flat = planned.stdout.replaceAll(/\s+/g, ' ');
  expect(flat).toMatch(
    /step 1, wave by wave: 164, 300, 200, 180\/s each, 11, 6, 9, 10 serving; waves were made smaller: 6 at a time, not 9/,
  );
  const ran = await scene.neap('run', out, '--unattended');
  expect(ran.code).toBe(0);
  // Six of twelve serve 300 requests a second each, and bear 330.
  const most = mostOut(await lab.record());
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThanOrEqual(6);
  expect((await lab.status()).servers.filter(({ hung }) => hung)).toEqual([]);
});

const online = async (lab: SceneLab): Promise<number> =>
  (await lab.status()).servers.filter(({ offline }) => !offline).length;

const waitsForRoom = ({ tracks: [main] }: RunState): boolean => {
  const act = main?.steps[main.cursor];
  return (
    act?.step === 'act' &&
    act.waves.some(({ targets }) =>
      Object.values(targets).some(
        ({ phase, failure }) => phase === 'held' && failure?.what.includes('connections') === true,
      ),
    )
  );
};

test.concurrent('few-connections: those who come back wait for room that pods elsewhere have taken, and go on when it is there', async () => {
  await using scene = await openScene();
  const lab = await scene.lab({ scenario: 'few-connections', servers: 12 });
  const plan = await scene.plan(lab);
  // Pods elsewhere take 150 more: nine of twelve fit beside them.
  await lab.tell({ tell: 'connections', others: 200 });
  const refused = await scene.neap('plan', 'database-upgrade', '--fleet', lab.fleet, ...SHORT);
  expect(refused.code).toBe(4);
  expect(refused.stdout.replaceAll(/\s+/g, ' ')).toMatch(
    /makes up to 968 connections to database, by what it has now, and it accepts 868/,
  );

  const voyage = await scene.run(plan, '--unattended');
  const held = await voyage.until(waitsForRoom);
  expect(held.closed).toBeNull();
  await vi.waitFor(async () => {
    expect(await online(lab)).toBe(10);
  }, 20_000);
  const status = await scene.neap('status', voyage.run);
  expect(status.stdout.replaceAll(/\s+/g, ' ')).toMatch(
    /with up to 64 more of this server it would have more than the 868 that it accepts/,
  );
  await lab.tell({ tell: 'connections', others: 50 });
  expect((await voyage.ended).code).toBe(0);
  expect(await online(lab)).toBe(12);
});
