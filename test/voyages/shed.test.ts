import { readFile } from 'node:fs/promises';
import { expect, test, vi } from 'vitest';
import type { LabStatus } from '../../src/lab/index.ts';
import type { StepState } from '../../src/run/index.ts';
import { openScene, VOYAGE_MS } from '../support/scene.ts';

// Goal: an outage that outlasts its fuse costs users a page and no server its life. Method: the database stays away
// behind the gate until the caches expire; the lab itself says who hung, and when its page was turned.

vi.setConfig({ testTimeout: VOYAGE_MS, maxConcurrency: 2 });

/** Caches that expire within seconds of a lab, and not before a busy machine has come to the gate. */
const TTL = { minMs: 240_000, maxMs: 300_000, drawn: 'per-refresh' } as const;

/** A lab's second is long enough for a busy machine to shed in time. */
const UNHURRIED = 8;

const isAsked = (step: StepState | undefined) => step?.step === 'gate' && step.phase === 'asked';
const hung = ({ servers }: LabStatus) => servers.filter((server) => server.hung).map(({ name }) => name);

test.concurrent('the work overruns: load is shed before the first expiry, nobody hangs, and the page goes when the database is back', async () => {
  await using scene = await openScene();
  const lab = await scene.lab({ servers: 6, ttl: TTL, timeLapse: UNHURRIED });
  const voyage = await scene.run(await scene.plan(lab));
  const asked = (gate: number) => voyage.until(({ tracks: [main] }) => isAsked(main!.steps[gate - 1]));
  await asked(10);
  await lab.tell({ tell: 'database', state: 'away' });
  expect((await scene.neap('approve', voyage.run, '10', 'yes')).code).toBe(0);
  await asked(11);
  const counted = await voyage.until(({ counting }) => counting !== null && counting.read === 6);
  expect(counted.shed).toBeNull();
  expect((await scene.neap('status')).stdout).toMatch(
    /^Fuse: .* left at [\d:]+ UTC \(config on api-\d\d\), read again .* from 6 servers\. The database must be back by .*\nShed: the balancer's page goes on in .* unless/m,
  );

  const shed = await voyage.until((state) => state.shed?.phase === 'done');
  expect(shed.shed).toMatchObject({ wanted: 'on', ours: true });
  expect(shed.fuse!.expiresAtMs - shed.shed!.doneAtMs!).toBeGreaterThan(0);
  expect(await lab.status()).toMatchObject({ page: true });
  expect((await scene.neap('status')).stdout).toMatch(/^Shed: LOAD IS SHED: the balancer answers with its page since/m);
  // Well beyond the last expiry and the time that a pile-up takes.
  await voyage.until(({ nowMs, fuse }) => nowMs > fuse!.expiresAtMs + 90_000);
  expect(hung(await lab.status())).toEqual([]);

  await lab.tell({ tell: 'database', state: 'back' });
  expect((await scene.neap('approve', voyage.run, '11', 'yes')).code).toBe(0);
  const { code, stdout } = await voyage.ended;
  expect(stdout).toMatch(
    /sheds load: turns the balancer's page on\n.*the balancer answers with its page: nothing reaches the servers/,
  );
  expect(stdout).toMatch(/PAGE Run \S+: the outage has come within its margin/);
  expect(stdout).toMatch(/PAGE Run \S+ has shed its load before config on api-\d\d expires/);
  expect(stdout).toMatch(/the balancer's page is off: requests reach the servers/);
  expect(code).toBe(0);
  expect(await lab.status()).toMatchObject({ page: false });
  expect(hung(await lab.status())).toEqual([]);
  // Load comes back to warm caches.
  const record = await lab.record();
  const [on, off] = ['page on', 'page off'].map((what) => record.findIndex((entry) => entry.what === what));
  const warmed = record.slice(on, off).filter(({ what, changed }) => what.endsWith('cache refresh') && changed);
  expect(new Set(warmed.map(({ server }) => server)).size).toBe(6);
  const turned = record.filter(({ via, what }) => via === 'balancer' && what.startsWith('page'));
  expect(turned.map(({ what, changed }) => [what, changed])).toEqual([
    ['page on', true],
    ['page off', true],
  ]);
});

test.concurrent('a fuse that does not cover the outage is overridden by name and reason, and by nothing less; load is shed all the same', async () => {
  await using scene = await openScene();
  const lab = await scene.lab({ servers: 4, ttl: TTL, timeLapse: UNHURRIED });
  const words = ['--input', 'outageMs=195000', '--input', 'marginMs=40000'];
  const plan = `${scene.stateDir}/plan.json`;
  const refused = await scene.neap('plan', 'database-upgrade', '--fleet', lab.fleet, ...words, '--out', plan);
  expect(refused).toMatchObject({ code: 4, stdout: expect.stringMatching(/Refused: the planned outage of 195 s/) });
  expect((await scene.neap('run', plan, '--unattended', '--yes')).code).toBe(4);
  expect(await scene.neap('run', plan, '--override', 'fuse')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--override without a reason'),
  });
  const reason = 'the edge has been tried out; agreed with the duty manager';
  const voyage = await scene.run(plan, '--override', 'fuse', '--reason', reason);
  await voyage.until(({ tracks: [main] }) => isAsked(main!.steps[9]));
  await lab.tell({ tell: 'database', state: 'away' });
  expect(await scene.neap('approve', voyage.run, '10', 'yes')).toMatchObject({ code: 0 });
  expect((await scene.neap('status')).stdout).toMatch(/^Overridden by \S+: fuse \(fuse\)\.$/m);
  await voyage.until((state) => state.shed?.phase === 'done');
  await lab.tell({ tell: 'database', state: 'back' });
  await voyage.until(({ tracks: [main] }) => isAsked(main!.steps[10]));
  expect((await scene.neap('approve', voyage.run, '11', 'yes')).code).toBe(0);
  const { code, stdout } = await voyage.ended;
  expect(stdout).toContain(`overrides fuse (fuse): ${reason}`);
  expect(stdout).toMatch(/MIND: the fuse does not cover the outage|Fuse \d+ s/);
  expect(code).toBe(0);
  expect(hung(await lab.status())).toEqual([]);
  const report = `${scene.stateDir}/report.md`;
  expect((await scene.neap('report', voyage.run, '--markdown', report)).code).toBe(0);
  expect(await readFile(report, 'utf8')).toContain(reason);
});
