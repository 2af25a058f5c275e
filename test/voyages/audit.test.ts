import { copyFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test, vi } from 'vitest';
import { findRun, listRuns } from '../../src/engine/index.ts';
import { expectEnd } from '../support/end.ts';
import { neap, type NeapRan } from '../support/neap.ts';
import { openScene, type Scene, VOYAGE_MS } from '../support/scene.ts';

// Goal: what a run did can be proven to others, and what is done to its journal afterwards is found out: by the chain, or
// by the heads that were told outside. Method: real runs whose heads go to a file; then their journals are spoilt.

vi.setConfig({ testTimeout: VOYAGE_MS, maxConcurrency: 2 });

/** A folder to work in, with a configuration. */
async function project(scene: Scene, config: object): Promise<(...words: string[]) => Promise<NeapRan>> {
  const cwd = join(scene.stateDir, 'project');
  await mkdir(cwd, { mode: 0o700 });
  const text = `import { defineConfig } from 'neap';\nexport default defineConfig(${JSON.stringify(config)});\n`;
  await writeFile(join(cwd, 'neap.config.ts'), text);
  return (...words) => neap(scene.stateDir, words, { cwd });
}

const appendTo = (path: string) => ['sh', '-c', `cat >> ${path}`];

test.concurrent('a run that is done: sound by itself, exported, and cut or rewritten as its anchors show', async () => {
  await using scene = await openScene();
  const lab = await scene.lab({ servers: 4 });
  const plan = await scene.plan(lab);
  const heads = join(scene.stateDir, 'heads.log');
  const here = await project(scene, {
    ticket: 'required',
    journal: { anchor: { to: 'command', command: appendTo(heads) } },
  });
  const refused = await here('run', plan, '--unattended');
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringMatching(/every run must name a ticket.*--ticket/) });
  expect(listRuns(scene.stateDir)).toEqual([]);
  expectEnd(await here('run', plan, '--unattended', '--ticket', 'OPS-7'), 0);
  const { run, journal } = findRun(scene.stateDir, undefined);
  await scene.engineGone(run);

  const status = JSON.parse((await here('status', '--json')).stdout) as { answerable: object };
  expect(status.answerable).toMatchObject({ ticket: 'OPS-7', key: expect.stringMatching(/^SHA256:/) as string });
  const lines = (await readFile(heads, 'utf8')).trim().split('\n');
  expect(lines.length).toBeGreaterThan(3);
  expect((await here('audit', 'verify', run, '--anchor', heads)).stdout).toContain(
    `${lines.length} of ${lines.length} anchors fit`,
  );

  // Elsewhere, with no state of that machine.
  const out = join(scene.stateDir, 'audit.jsonl');
  expectEnd(await here('audit', 'export', run, '--out', out), 0);
  expect((await stat(out)).mode & 0o777).toBe(0o600);
  const first = await readFile(out, 'utf8');
  expectEnd(await here('audit', 'export', run, '--out', out), 2);
  expect(await readFile(out, 'utf8')).toBe(first);
  const elsewhere = await mkdtemp(join(tmpdir(), 'neap-elsewhere-'));
  try {
    const copy = join(elsewhere, 'given.jsonl');
    await copyFile(out, copy);
    const given = await neap(elsewhere, ['audit', 'verify', copy], { cwd: elsewhere });
    expect(given).toMatchObject({ code: 0, stdout: expect.stringMatching(new RegExp(`^Run ${run}: sound`)) });
    expect(first).toContain('"ticket":"OPS-7"');
    await writeFile(copy, first.replace('"ticket":"OPS-7"', '"ticket":"OPS-8"'));
    expectEnd(await neap(elsewhere, ['audit', 'verify', copy]), 1);
  } finally {
    await rm(elsewhere, { recursive: true, force: true });
  }

  spoil(journal, 'DELETE FROM event WHERE seq > 60');
  expectEnd(await here('audit', 'verify', run), 0);
  const cut = await here('audit', 'verify', run, '--anchor', heads);
  expectEnd(cut, 1);
  expect(cut.stdout).toMatch(/NOT SOUND\n {2}anchor +event \d+ was told .* ends at event 60: its tail was cut off/);
  spoil(journal, "UPDATE event SET event = replace(event, 'api-', 'apx-') WHERE seq >= 20");
  const changed = await here('audit', 'verify', run);
  expectEnd(changed, 1);
  expect(changed.stdout).toMatch(/chain +event \d+ is not what was written\n {2}Events 1 to \d+ stand/);
});

function spoil(path: string, sql: string): void {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}

test.concurrent('a run under way is verified through its engine; a sink that fails stops nothing and is paged once', async () => {
  await using scene = await openScene();
  const lab = await scene.lab({ servers: 4 });
  const plan = await scene.plan(lab);
  const pages = join(scene.stateDir, 'pages.log');
  const here = await project(scene, {
    page: { command: appendTo(pages) },
    journal: { anchor: { to: 'command', command: ['false'] } },
  });
  expectEnd(await here('run', plan, '--no-wait', '--ticket', 'OPS-9'), 3);
  const { run } = findRun(scene.stateDir, undefined);
  const live = await here('audit', 'verify');
  expect(live).toMatchObject({ code: 0, stdout: expect.stringMatching(/Told by the run's engine.*verify it again/) });
  const { gates } = JSON.parse((await here('status', '--json')).stdout) as { gates: { gate: string }[] };
  expectEnd(await here('approve', run, gates[0]!.gate, 'no'), 0);
  expectEnd(await here('attach', run), 1);
  await scene.engineGone(run);

  const kept = (await readFile(pages, 'utf8')).trim().split('\n');
  expect(kept.filter((page) => page.includes('cannot be told outside'))).toHaveLength(1);
  // The pages themselves are anchors.
  for (const page of kept) expect(page).toMatch(new RegExp(`\\[head ${run} \\d+:[0-9a-f]{16}\\]$`));
  const verified = await here('audit', 'verify', run, '--anchor', pages);
  expect(verified).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(`${kept.length} of ${kept.length} anchors fit`),
  });
  const out = join(scene.stateDir, 'audit.jsonl');
  await here('audit', 'export', run, '--out', out);
  const told = (await readFile(out, 'utf8')).split('\n').filter((line) => line.includes('"type":"anchor"'));
  expect(told).toHaveLength(1);
});
