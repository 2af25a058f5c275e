import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import type { RecordEntry } from '../../src/lab/index.ts';
import type { RunState } from '../../src/run/index.ts';
import { expectEnd } from '../support/end.ts';
import { neap } from '../support/neap.ts';
import { openScene, type Scene, type SceneLab, SHORT, VOYAGE_MS } from '../support/scene.ts';

// Goal: whose the servers are is known everywhere. Method: two state folders that know nothing of each other, and a run
// whose engine is dead.

vi.setConfig({ testTimeout: VOYAGE_MS, maxConcurrency: 2 });

/** Claimed, and nothing done yet: the first question is asked until somebody answers it. */
const ASKING = `
import { defineRunbook, gate, inWaves, offlineMode, z } from 'neap';
export default defineRunbook({
  title: 'There and back',
  reach: { api: ['ssh', 'http'] },
  inputs: z.strictObject({}),
  budget: { failures: 3 },
  window: { limitMs: 3_600_000 },
  steps: ({ api }) => [
    gate('Begin?', { role: 'any', onTimeout: 'hold' }),
    inWaves({ atMost: 20 }, offlineMode(api, { on: true })),
    inWaves({ atMost: 20 }, offlineMode(api, { on: false })),
  ],
});
`;

/** Previews it, and gives the plan's path. */
async function askingPlan(scene: Scene, lab: SceneLab): Promise<string> {
  const [runbook, out] = [join(scene.stateDir, 'asking.ts'), join(scene.stateDir, 'asking.json')];
  await writeFile(runbook, ASKING);
  expectEnd(await scene.neap('plan', runbook, '--fleet', lab.fleet, '--out', out), 0);
  return out;
}

const isAsked = ({ tracks: [main] }: RunState): boolean => {
  const [gate] = main!.steps;
  return gate?.step === 'gate' && gate.phase === 'asked';
};

/** The state folder of somebody on another machine. */
async function elsewhere(): Promise<{ readonly stateDir: string } & AsyncDisposable> {
  const stateDir = await mkdtemp(join(tmpdir(), 'neap-elsewhere-'));
  return { stateDir, [Symbol.asyncDispose]: () => rm(stateDir, { recursive: true, force: true }) };
}

function fences(record: readonly RecordEntry[]): string[] {
  return record.filter(({ what }) => what.startsWith('fence')).map(({ what }) => what);
}

async function changed(lab: SceneLab, from: number): Promise<readonly RecordEntry[]> {
  return (await lab.record()).slice(from).filter((entry) => entry.changed);
}

test.concurrent('another machine is refused by the servers’ own records, all of them or none; a preview only reads them', async () => {
  await using scene = await openScene();
  await using other = await elsewhere();
  const lab = await scene.lab({ servers: 4 });
  const plan = await askingPlan(scene, lab);
  expect(fences(await lab.record())).toEqual([]);
  const run = await scene.run(plan);
  await run.until(isAsked);
  const before = (await lab.record()).length;
  const second = await neap(other.stateDir, ['run', plan, '--unattended']);
  expectEnd(second, 4);
  expect(second.stderr).toMatch(
    new RegExp(`belong to run ${run.run}, by \\S+ on \\S+ since \\S+Z, as the servers' own records say`),
  );
  expect(second.stderr).toContain(`neap fleet unfence ${run.run}`);
  expect(await changed(lab, before)).toEqual([]);
  const preview = await neap(other.stateDir, ['plan', 'database-upgrade', '--fleet', lab.fleet, ...SHORT]);
  expect(preview.stdout.replaceAll(/\s+/g, ' ')).toContain(`belong to run ${run.run}, by`);
  expect(await changed(lab, before)).toEqual([]);
  expectEnd(await scene.neap('abort', run.run), 1);
  // Home and let go of: the other one may begin.
  const third = await neap(other.stateDir, ['run', plan, '--unattended']);
  expect(third).toMatchObject({ code: 0 });
});

test.concurrent('a run whose engine is dead keeps its servers until it is ended: resumed, aborted, or unfenced where its journal is lost', async () => {
  await using scene = await openScene();
  await using other = await elsewhere();
  const lab = await scene.lab({ servers: 3 });
  const plan = await askingPlan(scene, lab);
  const dead = await scene.run(plan);
  await dead.until(isAsked);
  await scene.killEngine(dead.run);
  const second = await scene.neap('run', plan, '--unattended');
  expectEnd(second, 4);
  expect(second.stderr).toMatch(
    new RegExp(`belong to run ${dead.run}, by .* last seen \\d+ s ago.*neap resume ${dead.run}`),
  );
  // Here it can be gone on with, so it is not ended by force.
  const here = await scene.neap('fleet', 'unfence', dead.run, '--fleet', lab.fleet, '--reason', 'it is dead');
  expect(here).toMatchObject({ code: 2, stderr: expect.stringContaining(`neap resume ${dead.run}`) as string });
  const unsaid = await neap(other.stateDir, ['fleet', 'unfence', dead.run, '--fleet', lab.fleet]);
  expectEnd(unsaid, 2);
  const there = await neap(other.stateDir, [
    'fleet',
    'unfence',
    dead.run,
    '--fleet',
    lab.fleet,
    '--reason',
    'scrapped',
  ]);
  expect(there).toMatchObject({ code: 0, stdout: expect.stringContaining('api-01, api-02, api-03: free') as string });
  expect(await readFile(join(other.stateDir, 'unfenced.jsonl'), 'utf8')).toContain('"reason":"scrapped"');
  expectEnd(await neap(other.stateDir, ['run', plan, '--unattended']), 0);
  // Whoever comes back to it after that is told, and nothing is done.
  const before = (await lab.record()).length;
  const late = await scene.neap('resume', dead.run);
  expectEnd(late, 4);
  expect(late.stderr).toMatch(/this run was ended on api-01/);
  expect(await changed(lab, before)).toEqual([]);
});
