import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { readRun } from '../../src/cli/session.ts';
import { placeOf } from '../../src/engine/index.ts';
import type { LabStatus, RecordEntry } from '../../src/lab/index.ts';
import { allFlying, type RunState } from '../../src/run/index.ts';
import { expectEnd } from '../support/end.ts';
import { openScene, type Scene, type SceneLab, VOYAGE_MS } from '../support/scene.ts';
import { neapWatched } from '../support/watched.ts';

// Goal: a guard that trips in the middle of a run stops it, and what is declared for that follows (promises 7 and 8).
// Method: a command that looks for a file, raised in the middle of a slow step; the lab's record says who was touched when.

vi.setConfig({ testTimeout: VOYAGE_MS, maxConcurrency: 2 });

const RUNBOOK = `
import { atRate, byHand, command, defineRunbook, gate, giveTraffic, guarded, inSlots, offlineMode, refreshCaches, takeOut, whenGuard, z } from 'neap';
export default defineRunbook({
  title: 'Out and back under a guard',
  reach: { api: ['ssh', 'http', 'bmc'] },
  inputs: z.strictObject({ flag: z.string(), onTrip: z.enum(['stop', 'home']).default('stop'), shed: z.boolean().default(false) }),
  budget: { failures: 3 },
  window: { limitMs: 3_600_000 },
  steps: ({ api }, { flag, onTrip }) => [
    guarded(
      command({
        title: 'No flag is up',
        run: ['sh', '-c', 'test ! -e "$0" || { echo "the flag is up"; exit 2; }', flag],
        everyMs: 2_000,
        forMs: 0,
        clearForMs: 4_000,
        noDataMs: 60_000,
        onTrip,
      }),
      [atRate({ perMinute: 20 }, takeOut(api))],
    ),
    inSlots({ perSecond: 40, fraction: 0.5 }, refreshCaches(api, {})),
    giveTraffic(api),
  ],
  contingencies: ({ api }, { shed }) => [
    ...(shed
      ? [
          whenGuard(api, { title: 'Answer at the edge', guard: 'No flag is up', afterwards: 'home' }, (armed) => [
            gate('Answer at the edge now?', { role: 'any', onTimeout: 'hold' }),
            offlineMode(armed, { on: true }),
            offlineMode(armed, { on: false }),
          ]),
        ]
      : []),
    byHand(api, { title: 'Back in' }, (armed) => [refreshCaches(armed, {}), giveTraffic(armed)]),
  ],
});
`;

interface Guarded {
  readonly lab: SceneLab;
  readonly flag: string;
  readonly plan: string;
}

async function guarded(scene: Scene, ...inputs: string[]): Promise<Guarded> {
  const lab = await scene.lab({ servers: 40 });
  const flag = join(scene.stateDir, 'flag');
  const runbook = join(scene.stateDir, 'runbook.ts');
  const plan = join(scene.stateDir, 'guarded.json');
  await writeFile(runbook, RUNBOOK);
  const words = ['--fleet', lab.fleet, '--input', `flag=${flag}`, ...inputs.flatMap((input) => ['--input', input])];
  const planned = await scene.neap('plan', runbook, ...words, '--out', plan);
  if (planned.code !== 0) throw new Error(planned.stdout + planned.stderr);
  expect(planned.stdout).toMatch(/g1 {2}guard: No flag is up {2}\[steps 1; read every 2 s; trips at the first bad/);
  expect(planned.stdout).toMatch(/now: good, sh: exit 0/);
  return { lab, flag, plan };
}

const touched = ({ tracks: [main] }: RunState): number => {
  const step = main!.steps[0];
  const targets = step?.step === 'act' ? step.waves.flatMap((wave) => Object.values(wave.targets)) : [];
  return targets.filter(({ phase }) => phase === 'done').length;
};
const inRotation = ({ servers }: LabStatus) => servers.filter((server) => server.inRotation && !server.offline).length;
const moved = (record: readonly RecordEntry[], what: string) =>
  record.filter((entry) => entry.what === what && entry.changed);
const isStill = ({ guards, flying }: RunState) =>
  guards['g1']?.standing === 'trip' && allFlying(flying).every(({ effect }) => effect === 'page');

test.concurrent('a guard trips in mid-run: nothing more is taken, one page, and it goes on by itself', async () => {
  await using scene = await openScene();
  const { lab, flag, plan } = await guarded(scene);
  const voyage = await scene.run(plan, '--unattended');
  // So many are still to come that the flag is up among them.
  await voyage.until((state) => touched(state) >= 4, 'halt');
  await writeFile(flag, '');
  const still = await voyage.until(isStill);
  await scene.goOn(voyage.run);
  const status = await scene.neap('status', voyage.run);
  expect(status.stdout).toMatch(/^Guard "No flag is up" is tripped since \S+ UTC: the flag is up \(exit 2\)\.$/m);
  await rm(flag);
  const { code, stdout } = await voyage.ended;
  expectEnd({ code, stdout }, 0);
  expect(stdout.match(/PAGE .*guard "No flag is up" is tripped/g)).toHaveLength(1);
  const { events } = await readRun(placeOf(scene.stateDir, voyage.run));
  const { atMs: nowMs } = events.find(
    ({ atMs, event }) => atMs > still.nowMs && event.type === 'guard' && event.standing === 'clear',
  )!;
  const out = moved(await lab.record(), 'traffic out').map(({ atMs }) => atMs);
  expect(out).toHaveLength(40);
  expect(out.filter((atMs) => atMs > still.nowMs && atMs < nowMs)).toEqual([]);
  expect(out.filter((atMs) => atMs >= nowMs).length).toBeGreaterThan(0);
  expect(inRotation(await lab.status())).toBe(40);
});

test.concurrent('on trip: home: it comes home, and says why', async () => {
  await using scene = await openScene();
  const { lab, flag, plan } = await guarded(scene, 'onTrip=home');
  const voyage = await scene.run(plan, '--unattended');
  // Halt stops acting, never observing: what a guard turns for home goes home all the same.
  await voyage.until((state) => touched(state) >= 4, 'halt');
  await writeFile(flag, '');
  const { code, stdout } = await voyage.ended;
  expectEnd({ code, stdout }, 1);
  expect(stdout).toMatch(/turns for home: guard "No flag is up" is tripped since \S+ UTC: the flag is up/);
  const record = await lab.record();
  const out = moved(record, 'traffic out').length;
  expect(out).toBeGreaterThanOrEqual(4);
  expect(out).toBeLessThan(40);
  expect(moved(record, 'traffic in')).toHaveLength(out);
  expect(inRotation(await lab.status())).toBe(40);
});

test.concurrent('a contingency whose gate was answered ahead: a bad reading begins it, and the run goes home after it', async () => {
  await using scene = await openScene();
  const { lab, flag, plan } = await guarded(scene, 'shed=true');
  const voyage = await scene.run(plan);
  await voyage.until((state) => touched(state) >= 2, 'halt');
  expect((await scene.neap('approve', voyage.run, 'c1.1', 'yes')).stdout).toMatch(/yes, when it is asked/);
  expect((await scene.neap('status', voyage.run)).stdout).toMatch(/^Answered ahead: gate c1\.1 .*"yes" by /m);
  await writeFile(flag, '');
  const { code, stdout } = await voyage.ended;
  expect(stdout).toMatch(/contingency c1 armed by guard g1 for api-01/);
  expect(stdout).not.toMatch(/PAGE .*waits for a person/);
  expect(stdout).toMatch(/turns for home: contingency c1 "Answer at the edge" is through/);
  expectEnd({ code, stdout }, 1);
  const record = await lab.record();
  expect(moved(record, 'apictl offline on')).toHaveLength(40);
  expect(inRotation(await lab.status())).toBe(40);
});

test.concurrent('a contingency armed by hand, and an engine killed while the guard is tripped: the next one reads it anew', async () => {
  await using scene = await openScene();
  const { lab, flag, plan } = await guarded(scene);
  const voyage = await scene.run(plan, '--unattended');
  await voyage.until((state) => touched(state) >= 4, 'halt');
  await writeFile(flag, '');
  await voyage.until(isStill);
  await scene.killEngine(voyage.run);
  await voyage.ended;
  expectEnd(await scene.neap('resume', voyage.run, '--detach'), 0);
  const armed = await scene.neap(
    'arm',
    voyage.run,
    'Back in',
    '--only',
    'api-01,api-02',
    '--reason',
    'they are needed',
  );
  expect(armed).toMatchObject({ code: 0, stderr: '' });
  expect((await scene.neap('arm', voyage.run, 'c9', '--reason', 'x')).stderr).toMatch(
    /no contingency c9; by hand there is c1 "Back in"/,
  );
  const attached = neapWatched(scene.stateDir, ['attach', voyage.run]);
  // It watches before the run can go on to its end.
  await attached.said;
  await rm(flag);
  const { code, stdout } = await attached.ended;
  expectEnd({ code, stdout }, 0);
  expect(stdout).toMatch(/contingency c1 armed by \S+ \(they are needed\) for api-01, api-02/);
  expect(inRotation(await lab.status())).toBe(40);
});
