import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { findRun } from '../../src/engine/index.ts';
import { expectEnd } from '../support/end.ts';
import { openScene, VOYAGE_MS } from '../support/scene.ts';

// Goal: what a run did with an older version of a step kind is taken back by today's, from the changes in its journal; a
// version that nobody reads any more is said, and nothing is touched. Method: a kind of one's own in a file that changes
// between the run and its way back.

vi.setConfig({ testTimeout: VOYAGE_MS });

const RUNBOOK = `
import { defineRunbook, z } from 'neap';
import { park } from './park.ts';
export default defineRunbook({
  title: 'Park servers',
  reach: { api: ['ssh'] },
  inputs: z.strictObject({}),
  budget: { failures: 3 },
  window: { limitMs: 60 * 60_000 },
  steps: ({ api }) => [park(api)],
});
`;

/** The kind as its author has it at some time: which version, what its change is, and what it keeps of before. */
function park(version: number, parts: { change: string; made: string; wanted: string; before: string; kept?: string }) {
  return `
import { defineStep, earlier, z } from 'neap';
const traffic = z.enum(['in', 'out']);
export const park = defineStep({
  name: 'park',
  version: ${version},
  reach: ['ssh'],
  reads: ['traffic'],
  alters: ['traffic'],
  input: z.strictObject({}),
  pinned: z.strictObject({ traffic }),
  readings: z.strictObject({}),
  change: ${parts.change},
  ${parts.kept ?? ''}
  idempotent: true,
  title: () => 'park',
  nature: () => 'risk',
  observe: async (_server, _input, read) => ({ pinned: { traffic: traffic.parse(await read.ask('traffic')) }, readings: {} }),
  decide: ({ traffic: now }) => now === 'out' ? { verdict: 'nothing' } : { verdict: 'change', change: ${parts.made}, diff: ['in -> out'] },
  perform: (_server, change, hands) => hands.call(change.${parts.wanted} === 'out' ? 'traffic-out' : 'traffic-in'),
  confirm: async (_server, change, read) => (await read.ask('traffic')) === change.${parts.wanted} ? { done: true } : { done: false, why: 'it is not' },
  expectedMs: () => 1_000,
  back: { undo: (_server, change, hands) => hands.call(change.${parts.before} === 'in' ? 'traffic-in' : 'traffic-out') },
});
void earlier;
`;
}

/** The same with somebody who is asked behind it, so that a run of it stays open. */
const ASKING = RUNBOOK.replace('defineRunbook, z', 'defineRunbook, gate, z').replace(
  '[park(api)]',
  "[park(api), gate('Go on?', { role: 'any', onTimeout: 'hold' })]",
);

const first = { change: 'z.strictObject({ from: traffic, to: traffic })', made: '{ from: now, to: "out" as const }' };
const later = {
  change: 'z.strictObject({ was: z.strictObject({ traffic }), becomes: traffic })',
  made: '{ was: { traffic: now }, becomes: "out" as const }',
  wanted: 'becomes',
  before: 'was.traffic',
};

const kept =
  'changes: { 1: earlier(z.strictObject({ from: traffic, to: traffic }), ({ from, to }) => ({ was: { traffic: from }, becomes: to })) },';

test('a change of version 1 is taken back by version 2, and left alone by a version that cannot read it', async () => {
  await using scene = await openScene();
  const lab = await scene.lab({ servers: 3 });
  const [runbook, kind] = [join(scene.stateDir, 'parking.ts'), join(scene.stateDir, 'park.ts')];
  await writeFile(runbook, RUNBOOK);
  await writeFile(kind, park(1, { ...first, wanted: 'to', before: 'from' }));
  const old = join(scene.stateDir, 'old.json');
  expectEnd(await scene.neap('plan', runbook, '--fleet', lab.fleet, '--out', old), 0);
  const ran = await scene.neap('run', runbook, '--fleet', lab.fleet);
  expect(ran).toMatchObject({ code: 0, stderr: '' });
  const { run } = findRun(scene.stateDir, undefined);
  const inRotation = async () => (await lab.status()).servers.map((server) => server.inRotation);
  expect(await inRotation()).toEqual([false, false, false]);

  const before = (await lab.record()).length;
  await writeFile(kind, park(3, later));
  const stale = await scene.neap('run', old);
  expectEnd(stale, 6);
  expect(stale.stderr).toMatch(/stale: it was made with version 1 of the step kind park, and this is version 3/);
  const unread = await scene.neap('rollback', run, '--yes');
  expectEnd(unread, 2);
  expect(unread.stderr).toMatch(
    /api-01, step 1 \(park\): the change was written by version 1 of the step kind park, and this neap reads version 3 only\. Everything was left as it is\..*\{"from":"in","to":"out"\}/,
  );
  expect((await lab.record()).slice(before).filter(({ writes }) => writes)).toEqual([]);
  expect(await inRotation()).toEqual([false, false, false]);

  await writeFile(kind, park(2, { ...later, kept }));
  const back = await scene.neap('rollback', run, '--yes');
  expect(back).toMatchObject({ code: 0, stderr: '' });
  expect(await inRotation()).toEqual([true, true, true]);
  // What the way back is planned and journaled with is today's form.
  const { plan } = findRun(scene.stateDir, undefined);
  const made = JSON.parse(await readFile(plan, 'utf8')) as {
    header: { kinds: object };
    slices: { verdicts: Record<string, Record<string, object>> }[];
  };
  expect(made.header.kinds).toEqual([{ name: 'park', version: 2 }]);
  expect(made.slices[0]?.verdicts['1']?.['api-01']).toMatchObject({
    change: { was: { traffic: 'in' }, becomes: 'out' },
  });
});

test('a run whose kind was changed under it: it does not go on, and goes home as far as the kind reads what it did', async () => {
  await using scene = await openScene();
  const lab = await scene.lab({ servers: 3 });
  const [runbook, kind] = [join(scene.stateDir, 'parking.ts'), join(scene.stateDir, 'park.ts')];
  await writeFile(runbook, ASKING);
  const inRotation = async () => (await lab.status()).servers.map((server) => server.inRotation);
  /** Killed while it asks. */
  const orphan = async () => {
    await writeFile(kind, park(1, { ...first, wanted: 'to', before: 'from' }));
    const voyage = await scene.run(runbook, '--fleet', lab.fleet);
    await voyage.until(({ tracks: [main] }) => main!.cursor === 1);
    await scene.killEngine(voyage.run);
    expect(await inRotation()).toEqual([false, false, false]);
    return voyage.run;
  };

  const read = await orphan();
  // Somebody gave one of them back meanwhile: as it was before, in whatever form that is written.
  await lab.byHand('api-02', (hands) => hands.call('traffic-in'));
  const before = (await lab.record()).length;
  await writeFile(kind, park(2, { ...later, kept }));
  const forward = await scene.neap('resume', read);
  expectEnd(forward, 6);
  expect(forward.stderr).toMatch(
    new RegExp(
      `made with version 1 of the step kind park, and this is version 2.*as things are: neap abort ${read}\\.`,
    ),
  );
  const home = await scene.neap('abort', read);
  expect(home).toMatchObject({ code: 1, stderr: '', stdout: expect.stringContaining('Home and clean.') });
  expect(await inRotation()).toEqual([true, true, true]);
  const written = (await lab.record()).slice(before).filter(({ writes, what }) => writes && /traffic/.test(what));
  expect(new Set(written.map(({ server }) => server))).toEqual(new Set(['api-01', 'api-03']));

  const unread = await orphan();
  await writeFile(kind, park(3, later));
  const stuck = await scene.neap('abort', unread);
  expectEnd(stuck, 5);
  expect(stuck.stdout).toMatch(
    /the change was written by version 1 of the step kind park, and this neap reads version 3 only/,
  );
  expect(await inRotation()).toEqual([false, false, false]);
});
