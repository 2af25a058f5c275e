import { appendFile, copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';
import type { LabStatus, RecordEntry } from '../../src/lab/index.ts';
import type { PlanHeader } from '../../src/model/index.ts';
import type { RunState } from '../../src/run/index.ts';
import { expectEnd } from '../support/end.ts';
import { openScene, type Scene, type SceneLab, SHORT, VOYAGE_MS } from '../support/scene.ts';

// Goal: a run that is done is taken back days later, as its servers are then: previewed, approved by itself, and whole
// (promises 1, 2, 7 and 9). Method: half-applied fleets that a run mended, and the lab's record of what was put back.

vi.setConfig({ testTimeout: VOYAGE_MS, maxConcurrency: 2 });

const inService = ({ servers }: LabStatus) =>
  servers.filter(({ offline, hung, inRotation, seenUp }) => !offline && !hung && inRotation && seenUp);
const moves = (record: readonly RecordEntry[], server: string) =>
  record
    .filter((entry) => entry.server === server && entry.writes && entry.ok && !entry.what.startsWith('fence'))
    .map(({ what }) => what);
/** Everything that puts one server's files back, last first, out of the balancer meanwhile. */
const wayBack = ({ files }: Found): string[] => [
  'traffic out',
  ...files.map(({ path }) => `restore-file ${path}`).toReversed(),
  'apictl reload',
  'traffic in',
];
interface Found {
  readonly files: readonly { readonly path: string }[];
}

/** What is wrong with each server's configuration, as a fresh preview finds it. */
async function found(scene: Scene, lab: SceneLab): Promise<Record<string, Found>> {
  const { stdout } = await scene.neap('plan', 'recover-fleet', '--fleet', lab.fleet, '--json');
  const plan = JSON.parse(stdout) as {
    header: PlanHeader;
    slices: { verdicts: Record<string, Record<string, { change?: Found }>> }[];
  };
  const step = plan.header.steps.find(({ title }) => title.startsWith('prove configuration'))!.id;
  return Object.fromEntries(
    Object.entries(plan.slices[0]!.verdicts[step]!).flatMap(([server, { change }]) =>
      change ? [[server, change]] : [],
    ),
  );
}

/** A half-applied fleet, mended by a run that is done. */
async function mended(scene: Scene, runbook = 'recover-fleet') {
  const lab = await scene.lab({ scenario: 'half-applied', servers: 8 });
  const { 'api-07': reloaded, ...before } = await found(scene, lab);
  expect(Object.keys(before)).toEqual(['api-01', 'api-03', 'api-05']);
  // Only its process was stale: what that held cannot be had again.
  expect(reloaded).toMatchObject({ files: [] });
  const inputs = runbook === 'database-upgrade' ? SHORT : [];
  const ran = await scene.run(runbook, '--fleet', lab.fleet, ...inputs, '--unattended');
  expectEnd(await ran.ended, 0);
  expect(await found(scene, lab)).toEqual({});
  return { lab, before, run: ran.run, since: (await lab.record()).length };
}

test.concurrent('three days later: the preview first, then every file as it was, out of the balancer while it is put back', async () => {
  await using scene = await openScene();
  const { lab, before, run, since } = await mended(scene, 'database-upgrade');
  await lab.tell({ tell: 'skip', forMs: 72 * 3_600_000 });

  const shown = await scene.neap('rollback', run);
  expectEnd(shown, 4);
  expect(shown.stdout).toMatch(new RegExp(`This is the way back of run ${run} \\(done \\d{4}-`));
  expect(shown.stdout).toMatch(/undo of step 16: give traffic {2}\[risk; 3 at a time/);
  expect(shown.stdout).toMatch(/7 {2}enter offline mode {2}\[nothing to do: it stands as before already\] api-02/);
  expect(shown.stdout).toMatch(/14 {2}prove configuration.*\[no way back: only its process was\s+reloaded.*\] api-07/);
  expect(shown.stdout).toMatch(new RegExp(`Nothing was started. Take it back: neap rollback ${run} --yes`));
  expect((await lab.record()).slice(since).filter(({ server, writes }) => server !== null && writes)).toEqual([]);

  const back = await scene.neap('rollback', run, '--unattended');
  expect(back).toMatchObject({ code: 0 });
  const record = (await lab.record()).slice(since);
  for (const [server, was] of Object.entries(before)) expect(moves(record, server)).toEqual(wayBack(was));
  for (const server of ['api-02', 'api-04', 'api-06', 'api-07', 'api-08']) expect(moves(record, server)).toEqual([]);
  expect(await found(scene, lab)).toEqual(before);
  expect(inService(await lab.status())).toHaveLength(8);

  // Once more there is nothing left to do; and a way back has none itself.
  const again = await scene.neap('rollback', run);
  expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('Nothing of it is to be taken back.') });
  const [, itself] = /run (\S+) opened/.exec(back.stdout)!;
  expect(await scene.neap('rollback', itself!)).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(new RegExp(`it is itself the way back of run ${run}.*neap run \\S*database-upgrade`)),
  });
});

test.concurrent('what somebody changed since refuses the plan by name; left out, it stays as they made it', async () => {
  await using scene = await openScene();
  const { lab, before, run, since } = await mended(scene);
  await lab.byHand('api-03', (hands) =>
    hands.putFile({
      path: '/srv/api/app.conf',
      text: 'theirs\n',
      mode: '0644',
      owner: 'root:root',
      backup: '/srv/api/.app.conf.theirs',
    }),
  );
  const theirs = (await found(scene, lab))['api-03'];
  const refused = await scene.neap('rollback', run, '--unattended');
  expectEnd(refused, 4);
  expect(refused.stdout).toMatch(
    /Refused: api-03: since the run somebody changed what step 4 had done[\s\S]*--except[\s]+api-03=/,
  );
  const unknown = await Promise.all([
    scene.neap('rollback', run, '--only', 'api-09'),
    scene.neap('rollback', run, '--to', '99'),
  ]);
  expect(unknown.map(({ code }) => code)).toEqual([2, 2]);
  expect(unknown[0].stderr).toMatch(/--only names api-09, which was not in the run. .*It had api-01, api-02/);
  expect(unknown[1].stderr).toMatch(/it has no step 99. .*Its steps are 1, 2, 3,/);
  expect((await lab.record()).slice(since).filter(({ server, writes }) => writes && server !== 'api-03')).toEqual([]);

  const out = join(scene.stateDir, 'back.json');
  const made = await scene.neap('rollback', run, '--except', 'api-03=theirs now', '--out', out);
  expect(made).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('api-03 is left out: theirs now. It stays as it is'),
  });
  expectEnd(await scene.neap('run', out, '--unattended'), 0);
  expect(await found(scene, lab)).toEqual({ ...before, 'api-03': theirs });
});

test.concurrent('one server only, killed before its question is answered, and resumed: put back once, and nobody else touched', async () => {
  await using scene = await openScene();
  const runbook = join(scene.stateDir, 'recover.ts');
  const shipped = await readFile(fileURLToPath(new URL('../../runbooks/recover-fleet.ts', import.meta.url)), 'utf8');
  await writeFile(
    runbook,
    shipped
      .replace('import {', 'import { askBeforeUndo,')
      .replace('    proveConfiguration(api),', '    askBeforeUndo(proveConfiguration(api)),'),
  );
  const { lab, before, run, since } = await mended(scene, runbook);
  const out = join(scene.stateDir, 'back.json');
  expectEnd(await scene.neap('rollback', run, '--only', 'api-05', '--out', out), 0);
  const back = await scene.run(out);
  const asks = ({ tracks: [main] }: RunState) =>
    main!.steps.findIndex((step) => step.step === 'gate' && step.phase === 'asked');
  const gate = String(asks(await back.until((state) => asks(state) >= 0)) + 1);
  await scene.killEngine(back.run);
  expectEnd(await back.ended, 5);
  expect(moves((await lab.record()).slice(since), 'api-05')).toEqual([]);
  expectEnd(await scene.neap('resume', back.run, '--detach'), 0);
  expectEnd(await scene.neap('approve', back.run, gate, 'yes'), 0);
  expectEnd(await scene.neap('attach', back.run), 0);
  const record = (await lab.record()).slice(since);
  expect(moves(record, 'api-05')).toEqual(wayBack(before['api-05']!));
  for (const server of ['api-01', 'api-03']) expect(moves(record, server)).toEqual([]);
  expect(await found(scene, lab)).toEqual({ 'api-05': before['api-05'] });
  expect(inService(await lab.status())).toHaveLength(8);
});

test.concurrent('a runbook that is other code by now is a stale way back: exit 6, and nothing is contacted', async () => {
  await using scene = await openScene();
  const runbook = join(scene.stateDir, 'recover.ts');
  await copyFile(fileURLToPath(new URL('../../runbooks/recover-fleet.ts', import.meta.url)), runbook);
  const { lab, run } = await mended(scene, runbook);
  await appendFile(runbook, '// Mended since.\n');
  const since = (await lab.record()).length;
  expect(await scene.neap('rollback', run)).toMatchObject({
    code: 6,
    stderr: expect.stringMatching(/was changed since.*Put the runbook back as it was then/),
  });
  expect((await lab.record()).slice(since)).toEqual([]);
});

test.concurrent('of a run under way, what came after a step; the rest of it when that is over', async () => {
  await using scene = await openScene();
  const lab = await scene.lab({ servers: 4 });
  const offline = async () => (await lab.status()).servers.filter((server) => server.offline).map(({ name }) => name);
  const voyage = await scene.run(await scene.plan(lab));
  await voyage.until(({ tracks: [main] }) => main!.steps[9]?.step === 'gate' && main!.cursor === 9);
  expect(await offline()).toHaveLength(4);
  const refused = await Promise.all([
    scene.neap('rollback', voyage.run, '--only', 'api-02'),
    scene.neap('rollback', voyage.run, '--to', '13'),
    scene.neap('rollback', voyage.run, '--to', 'x'),
  ]);
  expect(refused.map(({ code }) => code)).toEqual([2, 2, 2]);
  expect(refused.map(({ stderr }) => stderr)).toEqual([
    expect.stringMatching(
      /is under way, and --only is for a run that is over: its servers go home together.*neap rollback/,
    ),
    expect.stringMatching(/step 13 has not begun: the run is at step 10/),
    expect.stringMatching(/the main line has no step x; it has 1, 2/),
  ]);
  const part = await scene.neap('rollback', voyage.run, '--to', '2', '--reason', 'the canary stays');
  expectEnd(part, 5);
  expect(part.stdout).toMatch(
    /In place, as was asked: step 2 "enter offline mode" on api-01\. Take that back too: neap rollback/,
  );
  expect(await offline()).toEqual(['api-01']);
  const rest = await scene.neap('rollback', voyage.run, '--yes');
  expectEnd(rest, 0);
  expect(rest.stdout).toMatch(/undo of step 2: enter offline mode {2}\[restore/);
  expect(await offline()).toEqual([]);
});
