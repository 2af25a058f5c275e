import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { readRun } from '../../src/cli/session.ts';
import { placeOf } from '../../src/engine/index.ts';
import type { LabStatus } from '../../src/lab/index.ts';
import type { RunEvent, StepState } from '../../src/run/index.ts';
import { expectEnd } from '../support/end.ts';
import { neap, otherNeap } from '../support/neap.ts';
import { openScene, type Scene, VOYAGE_MS } from '../support/scene.ts';

// Goal: a run whose engine is dead is taken home without one more thing being risked, and by a newer neap too
// (promise 3). Method: engines killed in the middle of the waves; a copy of neap that says it is another version.

vi.setConfig({ testTimeout: VOYAGE_MS, maxConcurrency: 2 });

const inWaves = (step: StepState | undefined) => step?.step === 'act' && step.wave >= 1;
const atHome = ({ servers }: LabStatus) =>
  servers.every((server) => !server.offline && !server.hung && server.inRotation && server.seenUp);

/** A run whose engine was killed while it took one server after the other offline. */
async function orphan(scene: Scene) {
  const lab = await scene.lab({ servers: 40 });
  const voyage = await scene.run(await scene.plan(lab), '--unattended');
  await voyage.until(({ tracks: [main] }) => inWaves(main!.steps[6]));
  await scene.killEngine(voyage.run);
  expectEnd(await voyage.ended, 5);
  return { lab, run: voyage.run };
}

/** What the journal has behind the line that its last engine begins with. */
async function sinceLastEngine(scene: Scene, run: string): Promise<readonly RunEvent[]> {
  const { events } = await readRun(placeOf(scene.stateDir, run));
  return events.slice(events.findLastIndex(({ event }) => event.type === 'engine')).map(({ event }) => event);
}

test.concurrent.each(['abort', 'rollback'])(
  'neap %s of a run whose engine is dead: the new engine goes home from its first decision on',
  async (word) => {
    await using scene = await openScene();
    const { lab, run } = await orphan(scene);
    const home = await scene.neap(word, run, '--reason', 'the part is missing');
    expect(home).toMatchObject({ code: 1, stdout: expect.stringMatching(/Home and clean\..*: the part is missing/) });
    const [, next, ...rest] = await sinceLastEngine(scene, run);
    expect(next).toMatchObject({ type: 'abort', reason: 'the part is missing' });
    const done = rest.flatMap((event) => (event.type === 'intended' ? [event.effect.effect] : []));
    expect(done).toContain('undo');
    expect(done).not.toContain('perform');
    expect(atHome(await lab.status())).toBe(true);
  },
);

test.concurrent('taken back to behind a step that has not begun: refused, and no engine is started for it', async () => {
  await using scene = await openScene();
  const { run } = await orphan(scene);
  const { stderr, code } = await scene.neap('rollback', run, '--to', '13');
  expect([code, stderr]).toEqual([
    2,
    expect.stringMatching(new RegExp(`step 13 has not begun.*Take all of it home: neap abort ${run}`)),
  ]);
  expect((await sinceLastEngine(scene, run)).map(({ type }) => type)).not.toContain('abort');
  const { events } = await readRun(placeOf(scene.stateDir, run));
  expect(events.filter(({ event }) => event.type === 'engine')).toHaveLength(1);
});

test.concurrent('neap is upgraded in mid-run: the new one does not go on, and goes home', async () => {
  await using scene = await openScene();
  const { lab, run } = await orphan(scene);
  const folder = join(scene.stateDir, 'newer');
  await mkdir(folder);
  const launcher = await otherNeap(folder, '9.9.9');
  const newer = (...words: string[]) => neap(scene.stateDir, words, { launcher });
  expect((await newer('--version')).stdout).toBe('9.9.9\n');

  const forward = await newer('resume', run);
  expectEnd(forward, 6);
  expect(forward.stderr).toMatch(
    new RegExp(`made by neap \\d\\S+, and this is 9\\.9\\.9.* take it home as things are: neap abort ${run}\\.`),
  );

  // What it must come home to is what the plan was made with.
  const fleet = await readFile(lab.fleet, 'utf8');
  await writeFile(lab.fleet, fleet.replaceAll('"connectTimeoutMs": 30000', '"connectTimeoutMs": 29000'));
  const changed = await newer('abort', run);
  expectEnd(changed, 6);
  expect(changed.stderr).toMatch(
    new RegExp(
      `the fleet ${lab.fleet} was changed since \\(.*9\\.9\\.9\\)\\..*Put that back .*, then: neap abort ${run}\\.`,
    ),
  );
  expect(changed.stderr).not.toContain('neap resume');
  await writeFile(lab.fleet, fleet);

  expect(await newer('abort', run)).toMatchObject({ code: 1, stdout: expect.stringContaining('Home and clean.') });
  const [engine, next] = await sinceLastEngine(scene, run);
  expect([engine, next]).toMatchObject([{ type: 'engine', neap: '9.9.9' }, { type: 'abort' }]);
  expect(atHome(await lab.status())).toBe(true);
});
