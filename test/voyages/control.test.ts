import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';
import type { LabStatus } from '../../src/lab/index.ts';
import type { StepState } from '../../src/run/index.ts';
import { openScene, SHORT } from '../support/scene.ts';

// Goal: a run is turned round, looked at and left alone from any terminal, and two never meet on one server (promises 4
// and 8). Method: commands given in the middle of a wave, and runs and labs beside each other.

vi.setConfig({ testTimeout: 90_000, maxConcurrency: 2 });

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
    expect(before.code).toBe(2);
    expect(before.stderr).toMatch(/there is no run yet.*Start one: neap run RUNBOOK/);
    const voyage = await scene.run(await scene.plan(lab), '--unattended');
    // The waves have begun, and so many are still to come that the word to halt arrives among them.
    await voyage.until(({ tracks: [main] }) => atWave(main!.steps[6]) >= 1, 'halt');
    const during = await scene.neap('status');
    expect(during.code).toBe(0);
    expect(during.stdout).toMatch(
      /^Run \S+: Database upgrade behind offline mode\nHalted: no new work, watching goes on\.\n/,
    );
    expect(during.stdout).toMatch(/^Step 7 enter offline mode: (?:[1-9]|[12]\d|3[0-8]) of 39 servers$/m);
    expect(during.stdout).toMatch(/^Next: neap resume \S+, or neap abort \S+$/m);
    const turned = await scene.neap(word, voyage.run, '--reason', 'the part is missing');
    expect(turned.code).toBe(1);
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
    expect(refused.code).toBe(2);
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
  expect(second.code).toBe(4);
  expect(second.stderr).toMatch(
    new RegExp(`api-01, \\S*api-02, \\S*api-03 belong to run ${first.run}, by .* since 20`),
  );
  const [, named] = /See it: neap (status \S+?)\. /.exec(second.stderr)!;
  expect(named).toBe(`status ${first.run}`);
  expect((await scene.neap(...named!.split(' '))).code).toBe(0);
  // The one that was refused is no run that anybody would look for.
  expect((await scene.neap('status')).stdout).toContain(`Run ${first.run}:`);
  expect((await lab.record()).slice(before)).toEqual([]);
  expect((await scene.neap('abort', first.run)).code).toBe(1);
  // Whoever is home is free for another.
  expect((await scene.neap('run', plan, '--unattended')).code).toBe(0);
  expect(atHome(await lab.status())).toBe(true);
});

test.concurrent('two labs beside each other: each its own fleet, told by name', async () => {
  await using scene = await openScene();
  const [left, right] = await Promise.all([
    scene.lab({ name: 'left', servers: 2 }),
    scene.lab({ name: 'right', servers: 3 }),
  ]);
  const unnamed = await scene.neap('lab', 'tell', 'status');
  expect(unnamed.code).toBe(2);
  expect(unnamed.stderr).toMatch(/several labs run: left, right.*Name one of them/);
  expect((await scene.neap('lab', 'tell', 'database', 'refuse', '--name', 'right')).code).toBe(0);
  expect([(await left.status()).database.state, (await right.status()).database.state]).toEqual(['up', 'refusing']);
  expect((await scene.neap('lab', 'tell', 'database', 'back', '--name', 'right')).code).toBe(0);
  const before = (await right.record()).length;
  expect((await scene.neap('run', 'database-upgrade', '--fleet', left.fleet, ...SHORT, '--unattended')).code).toBe(0);
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
  expect(code).toBe(5);
  const [, resume] = /The engine of run \S+ is gone; .* Go on with it: neap (resume \S+)/.exec(stderr)!;
  const [status, attached] = await Promise.all([scene.neap('status'), scene.neap('attach', '--no-wait')]);
  expect([status.code, attached.code]).toEqual([5, 5]);
  expect(status.stdout).toMatch(/Its engine is gone\.$/m);
  expect(status.stdout).toContain(`Next: neap ${resume}`);
  const resumed = await scene.neap(...resume!.split(' '));
  expect(resumed.code).toBe(0);
  expect(atHome(await lab.status())).toBe(true);
});

test.concurrent.each(['SIGHUP', 'SIGKILL'] as const)(
  'the terminal is gone (%s): the run goes on, and attach shows it to its end',
  async (signal) => {
    await using scene = await openScene();
    const lab = await scene.lab({ servers: 4 });
    const plan = await scene.plan(lab);
    // A session of its own, as a terminal's: what ends it ends everything in it, and the engine is not in it.
    const view = spawn(fileURLToPath(new URL('../../bin/neap', import.meta.url)), ['run', plan, '--unattended'], {
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, NEAP_STATE_DIR: scene.stateDir },
    });
    await new Promise((resolve) => view.stdout.once('data', resolve));
    const gone = new Promise((resolve) => view.once('close', resolve));
    process.kill(-view.pid!, signal);
    await gone;
    const attached = await scene.neap('attach');
    expect(attached.code).toBe(0);
    expect(attached.stdout).toMatch(/step 16 give traffic: 4 of 4 done[\s\S]*closed: Done\./);
    expect(atHome(await lab.status())).toBe(true);
  },
);
