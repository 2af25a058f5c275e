import { expect, test, vi } from 'vitest';
import { findRun } from '../../src/engine/index.ts';
import type { LabStatus } from '../../src/lab/index.ts';
import type { StepState } from '../../src/run/index.ts';
import { expectEnd } from '../support/end.ts';
import { openScene, SHORT, VOYAGE_MS } from '../support/scene.ts';
import { neapWatched } from '../support/watched.ts';

// Goal: a run is turned round, looked at and left alone from any terminal, and two never meet on one server (promises 4
// and 8). Method: commands given in the middle of a wave, and runs and labs beside each other.

vi.setConfig({ testTimeout: VOYAGE_MS, maxConcurrency: 2 });

const atWave = (step: StepState | undefined) => (step?.step === 'act' ? step.wave : 0);
const isAsked = (step: StepState | undefined) => step?.step === 'gate' && step.phase === 'asked';
const offline = ({ servers }: LabStatus) => servers.filter((server) => server.offline).map(({ name }) => name);
const atHome = ({ servers }: LabStatus) =>
  servers.every((server) => !server.offline && !server.hung && server.inRotation && server.seenUp);

test.concurrent.each(['abort', 'rollback'])(
  'neap %s in the middle of a wave: home, exit 1, and every view says so',
  async (word) => {
    await using scene = await openScene();
    const lab = await scene.lab({ servers: 40 });
    const before = await scene.neap('status');
    expectEnd(before, 2);
    expect(before.stderr).toMatch(/there is no run yet.*Start one: neap run RUNBOOK/);
    const voyage = await scene.run(await scene.plan(lab), '--unattended');
    // The waves have begun, and so many are still to come that the word to halt arrives among them.
    await voyage.until(({ tracks: [main] }) => atWave(main!.steps[6]) >= 1, 'halt');
    const during = await scene.neap('status');
    expectEnd(during, 0);
    expect(during.stdout).toMatch(
      /^Run \S+: Database upgrade behind offline mode\nHalted: no new work, watching goes on\.\n/,
    );
    expect(during.stdout).toMatch(/^Step 7 enter offline mode: (?:[1-9]|[12]\d|3[0-8]) of 39 servers$/m);
    expect(during.stdout).toMatch(/^Next: neap resume \S+, or neap abort \S+$/m);
    const turned = await scene.neap(word, voyage.run, '--reason', 'the part is missing');
    expectEnd(turned, 1);
    expect(turned.stdout).toMatch(/Home and clean\..*: the part is missing/);
    const [ended, attached, status] = await Promise.all([
      voyage.ended,
      scene.neap('attach'),
      scene.neap('status', voyage.run),
    ]);
    expect([ended.code, attached.code, status.code]).toEqual([1, 1, 1]);
    for (const { stdout } of [ended, attached, status])
      expect(stdout).toMatch(/Home and clean\. It turned for home because \S+: the part is missing/);
    const world = await lab.status();
    expect(atHome(world)).toBe(true);
    const record = await lab.record();
    const count = (what: string) => record.filter((entry) => entry.what === what && entry.changed).length;
    expect(count('apictl offline on')).toBeGreaterThan(1);
    expect(count('apictl offline on')).toBeLessThan(40);
    expect(count('apictl offline off')).toBe(count('apictl offline on'));

    // It is over: nothing takes it up again.
    const refused = await scene.neap(word === 'abort' ? 'resume' : 'abort', voyage.run);
    expectEnd(refused, 2);
    expect(refused.stderr).toMatch(new RegExp(`run ${voyage.run} is closed.*Home and clean`));
    // And nothing of it is left to be taken back.
    const nothing = await scene.neap('rollback', voyage.run);
    expect(nothing).toMatchObject({ code: 0, stdout: expect.stringContaining('Nothing of it is to be taken back.') });
  },
);

test.concurrent('two runs that share a server: the second is refused by name, and touches nothing', async () => {
  await using scene = await openScene();
  const lab = await scene.lab({ servers: 3 });
  const plan = await scene.plan(lab);
  const first = await scene.run(plan);
  await first.until(({ tracks: [main] }) => isAsked(main!.steps[9]));
  const before = (await lab.record()).length;
  const second = await scene.neap('run', plan, '--unattended');
  expectEnd(second, 4);
  expect(second.stderr).toMatch(
    new RegExp(`api-01, \\S*api-02, \\S*api-03 belong to run ${first.run}, by .* since 20`),
  );
  const [, named] = /See it: neap (status \S+?)\. /.exec(second.stderr)!;
  expect(named).toBe(`status ${first.run}`);
  expectEnd(await scene.neap(...named!.split(' ')), 0);
  // The one that was refused is no run that anybody would look for.
  expect((await scene.neap('status')).stdout).toContain(`Run ${first.run}:`);
  expect((await lab.record()).slice(before)).toEqual([]);
  expectEnd(await scene.neap('abort', first.run), 1);
  // Whoever is home is free for another.
  expectEnd(await scene.neap('run', plan, '--unattended'), 0);
  expect(atHome(await lab.status())).toBe(true);
});

test.concurrent('two labs beside each other: each its own fleet, told by name', async () => {
  await using scene = await openScene();
  const [left, right] = await Promise.all([
    scene.lab({ name: 'left', servers: 2 }),
    scene.lab({ name: 'right', servers: 3 }),
  ]);
  const unnamed = await scene.neap('lab', 'tell', 'status');
  expectEnd(unnamed, 2);
  expect(unnamed.stderr).toMatch(/several labs run: left, right.*Name one of them/);
  expectEnd(await scene.neap('lab', 'tell', 'database', 'refuse', '--name', 'right'), 0);
  expect([(await left.status()).database.state, (await right.status()).database.state]).toEqual(['up', 'refusing']);
  expectEnd(await scene.neap('lab', 'tell', 'database', 'back', '--name', 'right'), 0);
  const before = (await right.record()).length;
  expectEnd(await scene.neap('run', 'database-upgrade', '--fleet', left.fleet, ...SHORT, '--unattended'), 0);
  expect((await right.record()).slice(before)).toEqual([]);
  expect(offline(await left.status())).toEqual([]);
  expect(await scene.neap('lab', 'down', 'left')).toMatchObject({ code: 0, stdout: 'Ended: left\n' });
  expect((await right.status()).servers).toHaveLength(3);
  expect(await scene.neap('lab', 'down', '--all')).toMatchObject({ code: 0, stdout: 'Ended: right\n' });
});

test.concurrent('an engine that was killed: status and attach say so, and the resume that they name brings the run to its end', async () => {
  await using scene = await openScene();
  const lab = await scene.lab({ servers: 4 });
  const voyage = await scene.run(await scene.plan(lab), '--unattended');
  await voyage.until(({ tracks: [main] }) => main!.cursor === 6);
  await scene.killEngine(voyage.run);
  const { code, stderr } = await voyage.ended;
  expectEnd({ code, stderr }, 5);
  const [, resume] = /The engine of run \S+ is gone; .* Go on with it: neap (resume \S+)/.exec(stderr)!;
  const [status, attached] = await Promise.all([scene.neap('status'), scene.neap('attach', '--no-wait')]);
  expect([status.code, attached.code]).toEqual([5, 5]);
  expect(status.stdout).toMatch(/Its engine is gone\.$/m);
  expect(status.stdout).toContain(`Next: neap ${resume}`);
  const resumed = await scene.neap(...resume!.split(' '));
  expectEnd(resumed, 0);
  expect(atHome(await lab.status())).toBe(true);
});

test.concurrent.each(['SIGHUP', 'SIGKILL'] as const)(
  'the terminal is gone (%s): the run goes on, and attach shows it to its end',
  async (signal) => {
    await using scene = await openScene();
    const lab = await scene.lab({ servers: 4 });
    const plan = await scene.plan(lab);
    // What ends the terminal's session ends everything in it, and the engine is not in it.
    const view = neapWatched(scene.stateDir, ['run', plan], true);
    await view.said;
    process.kill(-view.pid, signal);
    await view.ended;
    const { run } = findRun(scene.stateDir, undefined);
    const attached = neapWatched(scene.stateDir, ['attach', run]);
    // It watches before the run can go on to its end.
    await attached.said;
    for (const gate of ['10', '11'])
      await vi.waitFor(async () => expectEnd(await scene.neap('approve', run, gate, 'yes'), 0), {
        timeout: 120_000,
        interval: 300,
      });
    const ended = await attached.ended;
    expectEnd(ended, 0);
    expect(ended.stdout).toMatch(/step 16 give traffic: 4 of 4 done[\s\S]*closed: Done\./);
    expect(atHome(await lab.status())).toBe(true);
  },
);
