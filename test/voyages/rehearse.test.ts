import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { listRehearsals } from '../../src/engine/rehearsals.ts';
import type { Server } from '../../src/model/index.ts';
import type { RunState } from '../../src/run/index.ts';
import { openScene, type Scene, type SceneLab, VOYAGE_MS } from '../support/scene.ts';

// Goal: what nobody knew of is found out on one server before the window, and plans go by it. Method: whole rehearsals on
// labs, judged by the lab's record, and plans made before and after them.

vi.setConfig({ testTimeout: VOYAGE_MS, maxConcurrency: 2 });

/** Lab seconds that pass while a rehearsal is under way: the lab's caches live that long. */
const TTL = { minMs: 100_000, maxMs: 120_000, drawn: 'per-server' } as const;

const withoutClocks = (server: Server): Server => ({ ...server, service: { ...server.service, clocks: [] } });
const asHarmless = (server: Server): Server => ({
  ...server,
  service: {
    ...server.service,
    clocks: server.service.clocks.map((clock) => ({ ...clock, whenExpired: 'not-needed' as const })),
  },
});

const rehearse = (scene: Scene, lab: SceneLab, ...words: string[]) =>
  scene.neap(
    'rehearse',
    '--cut',
    'database',
    '--on',
    'api-01',
    '--fleet',
    lab.fleet,
    '--traffic',
    '0.01',
    ...words,
    '--unattended',
  );

const isMeasuring = ({ tracks: [main] }: RunState) => {
  const act = main!.steps[6];
  return act?.step === 'act' && act.startedAtMs !== null;
};

/** An upgrade that has no canary of its own: all that it knows is what was rehearsed before. */
const RELYING = `
import { defineRunbook, dependencyAnswers, gate, inSlots, inWaves, offlineMode, proveFuse, question, refreshCaches, z } from 'neap';
export default defineRunbook({
  title: 'Upgrade that relies on a rehearsal',
  reach: { api: ['ssh', 'http', 'bmc'] },
  inputs: z.strictObject({ outageMs: z.number() }),
  budget: { failures: 2 },
  window: { limitMs: 3_600_000 },
  steps: ({ api }, { outageMs }) => {
    const fuse = { outageMs, marginMs: 20_000 };
    return [
      inWaves({ atMost: 6 }, offlineMode(api, { on: true })),
      inSlots({ perSecond: 40, fraction: 0.7 }, refreshCaches(api)),
      proveFuse(api, fuse),
      gate('Hardware work may start?', { role: 'database', fuse, onTimeout: 'abort' }),
      question('Hardware work done?', { role: 'database', answers: { yes: 'go-on', failed: 'go-home' }, onTimeout: 'hold' }),
      dependencyAnswers(api, { from: 'database' }),
      inWaves({ atMost: 6 }, offlineMode(api, { on: false })),
    ];
  },
});
`;

async function relying(scene: Scene, lab: SceneLab, outageMs: number, ...words: string[]) {
  const runbook = join(scene.stateDir, 'relying.ts');
  await writeFile(runbook, RELYING);
  return scene.neap('plan', runbook, '--fleet', lab.fleet, '--input', `outageMs=${outageMs}`, ...words);
}

describe('February, with no clock declared at all', () => {
  test.concurrent('is caught by the rehearsal: the fuse is measured, the canary is back and proven, and the plan is refused by it', async () => {
    await using scene = await openScene();
    const lab = await scene.lab({ servers: 3, ttl: TTL, timeLapse: 10, edit: withoutClocks });
    const before = await relying(scene, lab, 300_000);
    expect(before.code).toBe(4);
    expect(before.stdout).toMatch(/Refused: nothing is known of what expires on api-01 and 2 more/);
    const [, remedy] = /Rehearse it: neap (rehearse .*?) --fleet/s.exec(before.stdout)!;
    expect(remedy!.replaceAll(/\s+/g, ' ')).toMatch(/^rehearse --cut database --on api-01 --outage \d+s --margin 20s$/);

    const { code, stdout, stderr } = await rehearse(scene, lab, '--outage', '300s', '--margin', '20s');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(
      /rehearsed: measured fuse .* on api-01 with its path to the database cut \(drop\): the first logged-in request/,
    );
    expect(stdout).toMatch(
      /Measured fuse: .*\nKept as evidence for group api and the database, version api 42\.1, cut: drop/,
    );
    const [kept] = await listRehearsals(scene.stateDir, lab.name);
    const { lastedMs, traffic, result } = kept!.rehearsal;
    expect(result).toBe('failed');
    // Its cache was refreshed a little before the cut, and a busy machine is slow to send.
    expect(lastedMs).toBeGreaterThan(60_000);
    expect(lastedMs).toBeLessThan(125_000);
    expect(traffic).toMatchObject({ share: 0.01, productionPerSecond: 150 });

    const status = await lab.status();
    expect(status.servers.map(({ offline, hung }) => ({ offline, hung }))).toEqual(
      Array.from({ length: 3 }, () => ({ offline: false, hung: false })),
    );
    const commands = (await lab.record()).filter(({ server, writes }) => server === 'api-01' && writes);
    expect(commands.map(({ what }) => what).filter((what) => /path (cut|restore)/.test(what))).toHaveLength(2);

    const after = await relying(scene, lab, 300_000);
    expect(after.code).toBe(4);
    expect(after.stdout.replaceAll(/\s+/g, ' ')).toMatch(
      /Refused: an outage of 300 s and a margin of 20 s are longer than what was shown: run \S+ measured a fuse of \d+ s on api-01/,
    );
    const report = await scene.neap('report', '--markdown', join(scene.stateDir, 'report.md'));
    expect(report.code).toBe(0);
  });
});

describe('what is declared harmless', () => {
  test.concurrent('is not believed before it was outlived; then it is, until the software is another', async () => {
    await using scene = await openScene();
    const lab = await scene.lab({ servers: 3, scenario: 'healthy', ttl: TTL, edit: asHarmless });
    const before = await relying(scene, lab, 200_000);
    expect(before.code).toBe(4);
    expect(before.stdout.replaceAll(/\s+/g, ' ')).toMatch(
      /Warning: config is declared not-needed on .* and no rehearsal has outlived it: it counts as fatal/,
    );

    const { code, stdout } = await rehearse(scene, lab, '--outage', '200s', '--margin', '20s');
    expect(code).toBe(0);
    expect(stdout).toMatch(/api-01 served for 3 min .* without the database\. It outlived config\./);

    const after = await relying(scene, lab, 200_000);
    expect(after.stdout).toMatch(/Fuse: no expiry is fatal/);
    expect(after.stdout).toMatch(/Rehearsal: api-01 went on for 3 min/);
    expect(after.code).toBe(0);

    const other = { ...lab, fleet: join(scene.stateDir, 'other.ts') };
    await writeFile(
      other.fleet,
      `import fleet from '${lab.fleet}';\nexport default { ...fleet, servers: fleet.servers.map((server) => ({ ...server, service: { ...server.service, version: { run: 'echo 43' } } })) };\n`,
    );
    const upgraded = await relying(scene, other, 200_000);
    expect(upgraded.code).toBe(4);
    expect(upgraded.stdout.replaceAll(/\s+/g, ' ')).toMatch(
      /Refused: api-01 runs version 43, and run \S+ rehearsed version api 42\.1 cure: Rehearse it again: neap rehearse/,
    );
  });
});

describe('an engine that is killed under the cut', () => {
  test.concurrent('leaves a cut that removes itself; resumed, what nobody watched shows nothing and is done again', async () => {
    await using scene = await openScene();
    const lab = await scene.lab({ servers: 2, ttl: TTL, timeLapse: 10 });
    const plan = join(scene.stateDir, 'rehearse.json');
    const made = await rehearse(scene, lab, '--out', plan);
    expect(made.code).toBe(0);
    const voyage = await scene.run(plan, '--unattended');
    await voyage.until(isMeasuring);
    await scene.killEngine(voyage.run);
    await vi.waitFor(
      async () => expect((await lab.status()).servers.find(({ name }) => name === 'api-01')?.cut).toBe(false),
      { timeout: 60_000, interval: 500 },
    );
    const resumed = await scene.neap('resume', voyage.run);
    expect(resumed.code).toBe(0);
    expect(resumed.stdout).toMatch(/nothing is shown of api-01: another engine took the run over meanwhile/);
    expect(resumed.stdout).toMatch(/time was lost: everything from step 4 to 8 is done again/);
    const [kept] = await listRehearsals(scene.stateDir, lab.name);
    expect(kept).toMatchObject({ run: voyage.run, rehearsal: { result: 'failed' } });
    const [canary] = (await lab.status()).servers;
    expect(canary).toMatchObject({ name: 'api-01', offline: false, hung: false });
  });
});

test.concurrent('words that do not fit are refused with those that do', async () => {
  await using scene = await openScene();
  const lab = await scene.lab({ servers: 2 });
  const of = (...words: string[]) => scene.neap('rehearse', ...words, '--fleet', lab.fleet);
  const [server, dependency, share] = await Promise.all([
    of('--cut', 'database', '--on', 'api-99'),
    of('--cut', 'disk', '--on', 'api-01'),
    of('--cut', 'database', '--on', 'api-01', '--traffic', '2'),
  ]);
  expect([server.code, dependency.code, share.code]).toEqual([2, 2, 2]);
  expect(server.stderr).toMatch(/the fleet has no server api-99/);
  expect(dependency.stderr).toMatch(/api-01 has no dependency disk\..*It has: database/);
  expect(share.stderr).toMatch(/--traffic 2 is no share/);
});
