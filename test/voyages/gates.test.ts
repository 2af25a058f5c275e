import { expect, test, vi } from 'vitest';
import type { LabStatus } from '../../src/lab/index.ts';
import type { StepState } from '../../src/run/index.ts';
import { expectEnd } from '../support/end.ts';
import { openScene, VOYAGE_MS } from '../support/scene.ts';

// Goal: people decide at gates, from any terminal, and are told what they can answer. Method: one voyage through both of
// the runbook's gates, answered only by `neap approve`, and short ones for the answers that go home.

vi.setConfig({ testTimeout: VOYAGE_MS, maxConcurrency: 2 });

const isAsked = (step: StepState | undefined) => step?.step === 'gate' && step.phase === 'asked';
const offline = ({ servers }: LabStatus) => servers.filter((server) => server.offline).map(({ name }) => name);

test.concurrent('without a terminal a run waits at its gates; wrong words are refused with the right ones; "not yet" is asked again', async () => {
  await using scene = await openScene();
  const lab = await scene.lab({ servers: 3 });
  const voyage = await scene.run(await scene.plan(lab));
  const asked = (gate: number) => voyage.until(({ tracks: [main] }) => isAsked(main!.steps[gate - 1]));
  await asked(10);

  const [wrongGate, wrongAnswer, wrongRun] = await Promise.all([
    scene.neap('approve', voyage.run, '77', 'yes'),
    scene.neap('approve', voyage.run, '10', 'perhaps'),
    scene.neap('approve', '2026-01-01-000000', '10', 'yes'),
  ]);
  expect([wrongGate.code, wrongAnswer.code, wrongRun.code]).toEqual([2, 2, 2]);
  expect(wrongGate.stderr).toMatch(/gate 77 is not open now\. .*Open now: 10/);
  expect(wrongAnswer.stderr).toMatch(/"perhaps" is no answer to gate 10: yes, no/);
  expect(wrongRun.stderr).toMatch(new RegExp(`there is no run 2026-01-01-000000.*${voyage.run}`));

  const left = await scene.neap('attach', '--no-wait');
  expectEnd(left, 3);
  expect(left.stdout).toMatch(
    /gate 10: Hardware work may start\?\n.*Fuse \d+ s \(config on api-0\d expires first\); planned outage 10 s, margin 40 s/,
  );
  expect(left.stdout).toMatch(/The database must be back by [\d:]+ UTC; work may start until [\d:]+ UTC/);
  const [, run, gate, answer] = /^Waiting at gate 10: neap approve (\S+) (\S+) (\S+) \(or: no\)$/m.exec(left.stdout)!;
  expect(await scene.neap('approve', run!, gate!, answer!, '--as', 'demo')).toMatchObject({
    code: 0,
    stdout: `Gate 10 of run ${voyage.run}: yes\n`,
  });

  await asked(11);
  expect((await scene.neap('status')).stdout).toMatch(/^Next: neap approve \S+ 11 yes \(or: "not yet", failed\)$/m);
  expectEnd(await scene.neap('approve', voyage.run, '11', 'not yet'), 0);
  await voyage.until(({ tracks: [main] }) =>
    main!.steps.some((step) => step.step === 'gate' && step.asks === 2 && step.phase === 'asked'),
  );
  expect(offline(await lab.status())).toEqual(['api-01', 'api-02', 'api-03']);
  expectEnd(await scene.neap('approve', voyage.run, '11', 'yes', '--reason', 'seen by two of us'), 0);

  const { code, stdout } = await voyage.ended;
  expectEnd({ code, stdout }, 0);
  expect(stdout).toMatch(/gate 10: demo answered "yes"\n/);
  expect(stdout.match(/gate 11: Hardware work done\?/g)).toHaveLength(2);
  expect(stdout).toMatch(/gate 11: \S+ answered "yes" \(seen by two of us\)/);
  expect(offline(await lab.status())).toEqual([]);
});

test.concurrent('"no" to the start of the work goes home: exit 1', async () => {
  await using scene = await openScene();
  const lab = await scene.lab({ servers: 3 });
  const waiting = await scene.neap('run', await scene.plan(lab), '--no-wait');
  expectEnd(waiting, 3);
  expect(offline(await lab.status())).toEqual(['api-01', 'api-02', 'api-03']);
  const [, run, gate] = /neap approve (\S+) (\S+) yes/.exec(waiting.stdout)!;
  expectEnd(await scene.neap('approve', run!, gate!, 'no', '--reason', 'the part is missing'), 0);
  const ended = await scene.neap('attach');
  expectEnd(ended, 1);
  expect(ended.stdout).toMatch(
    /Home and clean\. It turned for home because \S+ answered "no" to "Hardware work may start\?"/,
  );
  const [, report] = /^Next: neap (report \S+ --html) report\.html$/m.exec(ended.stdout)!;
  expectEnd(await scene.neap(...report!.split(' '), `${scene.stateDir}/report.html`), 0);
  expect(offline(await lab.status())).toEqual([]);
});

test.concurrent('"failed" goes home, and holds the safe state while the database is away', async () => {
  await using scene = await openScene();
  const lab = await scene.lab({ servers: 3, model: { requestsPerSecond: 50 } });
  const voyage = await scene.run(await scene.plan(lab));
  await voyage.until(({ tracks: [main] }) => isAsked(main!.steps[9]));
  await lab.tell({ tell: 'database', state: 'away' });
  expectEnd(await scene.neap('approve', voyage.run, '10', 'yes'), 0);
  await voyage.until(({ tracks: [main] }) => isAsked(main!.steps[10]));
  expectEnd(await scene.neap('approve', voyage.run, '11', 'failed', '--reason', 'the new disks do not spin'), 0);
  await voyage.until(({ paged }) => Object.keys(paged).some((key) => key.startsWith('held/home')));
  const status = await scene.neap('status');
  expect(status.stdout).toMatch(/On its way home: \S+ answered "failed" to "Hardware work done\?"/);
  expect(status.stdout).toMatch(/held: api-0\d: the database does not answer from it/);
  expect(offline(await lab.status())).toEqual(['api-01', 'api-02', 'api-03']);
  await lab.tell({ tell: 'database', state: 'back' });
  const { code, stdout } = await voyage.ended;
  expectEnd({ code, stdout }, 1);
  expect(stdout).toMatch(
    /PAGE Holding the safe state before "undo: enter offline mode" on .*It goes on by itself when that is mended/,
  );
  expect(offline(await lab.status())).toEqual([]);
});
