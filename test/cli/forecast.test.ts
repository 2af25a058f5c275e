import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { plot } from '../../src/cli/views/plot.ts';
import type { ScenarioForecast } from '../../src/herd/index.ts';
import { neapEach } from '../support/each.ts';
import { openScene } from '../support/scene.ts';

vi.setConfig({ testTimeout: 90_000 });

test('a curve in plain characters: the lowest of a column is solid, and what lies above it is not', () => {
  const lines = plot(
    [
      [0, 100],
      [1_000, 100],
      [2_000, 0],
      [2_001, 100],
      [3_000, 50],
      [4_000, 50],
    ],
    { columns: 26, rows: 4, top: 100, label: String, time: (atMs) => `${atMs / 1_000}s` },
  );
  expect(lines).toEqual([
    '100 |##########.....',
    '    |##########.....',
    '    |##########.....######',
    '  0 |##########.....######',
    '    +---------------------',
    '     0s   1s   2s   3s  4s',
  ]);
  expect(plot([], { columns: 20, rows: 2, top: 0, label: String, time: String })).toHaveLength(4);
});

test('neap forecast tells an incident and a plan, as text, page and JSON, and says what it cannot tell', async () => {
  await using scene = await openScene();
  const lab = await scene.lab({ servers: 4 });
  const page = join(scene.stateDir, 'forecast.html');
  const on = ['database-upgrade', '--fleet', lab.fleet];
  const small = ['--what-if', 'servers=20'];
  const [incident, json, planned, refused, ...wrong] = await neapEach(scene.stateDir, [
    ['forecast', '--scenario', 'feb-2021', ...small, '--html', page],
    ['forecast', '--scenario', 'feb-2021', ...small, '--json', '--seed', '7'],
    ['forecast', ...on],
    ['forecast', ...on, '--input', 'outageMs=9000000'],
    ['forecast', '--scenario', 'feb-2021', '--what-if', 'time=1s'],
    ['forecast', '--scenario', 'feb-2022'],
    ['forecast'],
    ['forecast', ...on, '--scenario', 'feb-2021'],
    ['forecast', '--scenario', 'feb-2021', '--seed', 'x'],
    ['forecast', ...on, '--what-if', 'servers=3'],
  ]);
  expect([incident!.code, json!.code, planned!.code, refused!.code]).toEqual([0, 0, 0, 0]);
  expect(incident!.stdout).toMatch(/^COLLAPSE: as it happened/m);
  for (const line of `${incident!.stdout}${planned!.stdout}${refused!.stdout}`.split('\n')) {
    expect(line.length > 80 && !line.includes(scene.stateDir) ? line : '').toBe('');
    expect(line).toMatch(/^[\u0020-\u007E’]*$/);
  }
  const told = JSON.parse(json!.stdout) as ScenarioForecast;
  expect([told.name, told.seeds]).toEqual(['feb-2021', [7, 8, 9, 10, 11]]);
  expect(planned!.stdout).toMatch(/^UNHARMED: as planned; an outage of 120 s/m);
  expect(planned!.stdout).toMatch(/it does not come back +COLLAPSE +4 hung/);
  expect(planned!.stdout).toMatch(/page at the margin +PAGE/);
  expect(refused!.stdout).toMatch(/^REFUSED: as planned[^]*with stale-on-error +UNHARMED/m);

  const markup = await readFile(page, 'utf8');
  expect(markup).toContain("default-src 'none'");
  expect(markup).not.toMatch(/<script|https?:\/\/(?!www\.w3\.org)/);
  expect((await stat(page)).mode & 0o777).toBe(0o600);

  const said = [
    /there is nothing called time to change.*There are: servers=200, rate=150/s,
    /there is no scenario called feb-2022.*There are: feb-2021, jan-2025, dec-2018, jul-2023/s,
    /neither or both of a runbook and a scenario are named/,
    /neither or both of a runbook and a scenario are named/,
    /--seed x is no seed/,
    /there is nothing called servers to change.*There are: outage=2m, margin=20s/s,
  ];
  expect(wrong.map(({ code, stdout }) => [code, stdout])).toEqual(said.map(() => [2, '']));
  for (const [at, words] of said.entries()) expect(wrong[at]!.stderr).toMatch(words);
});
