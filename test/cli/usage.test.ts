import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { neapEach } from '../support/each.ts';
import { neap } from '../support/neap.ts';
import { openScene, type Scene } from '../support/scene.ts';

// Goal: what cannot be asked like that is answered with 2, and with what, where and what to do (promise 14), before anybody
// was contacted. Method: the command line itself, on words and files that are wrong in one place each.

vi.setConfig({ testTimeout: 240_000, maxConcurrency: 4 });

type Refusal = readonly [words: readonly string[], said: RegExp];

/** What each of them left. */
async function left(scene: Scene, cases: readonly Refusal[]): Promise<readonly object[]> {
  const lines = cases.map(([words]) => words);
  const ran = await neapEach(scene.stateDir, lines);
  return ran.map((each, at) => ({ words: lines[at], ...each }));
}

/** Refused with 2 and these words, and nothing else was printed. */
function refused(cases: readonly Refusal[]): readonly object[] {
  return cases.map(([words, said]) => ({ words, code: 2, stdout: '', stderr: expect.stringMatching(said) }));
}

test.concurrent('wrong words about a runbook, an input, a server or a file: exit 2, and nobody is contacted', async () => {
  await using scene = await openScene();
  const lab = await scene.lab({ servers: 2 });
  const on = ['--fleet', lab.fleet];
  const cases: readonly Refusal[] = [
    [
      ['plan', 'database-upgrade', ...on, '--input', 'outage=20'],
      /Unrecognized key: "outage".*Nothing was contacted\. Correct --input; this runbook takes: outageMs, marginMs, capacityPerSecond/s,
    ],
    [
      ['plan', 'database-upgrade', ...on, '--input', 'outageMs=soon'],
      /expected number, received string\s+→ at outageMs\. Nothing was contacted\. Correct --input/,
    ],
    [
      ['plan', 'database-upgrade', ...on, '--input', 'outageMs'],
      /outageMs: the input is not usable: it is not key=value.*Write: --input outageMs=120000/,
    ],
    [
      ['plan', 'database-upgrade', ...on, '--except', 'api-99=gone'],
      /--except names api-99, which the fleet does not have.*`neap fleet check` lists the servers/,
    ],
    [
      ['plan', 'database-upgrade', ...on, '--except', 'api-01'],
      /--except api-01 has no reason.*Write: --except api-07="/,
    ],
    [
      ['plan', 'database-upgrade', ...on, '--except', 'api-01=x', '--except', 'api-02=y'],
      /group api has no server left/,
    ],
    [
      ['plan', 'no-such-runbook', ...on],
      /no-such-runbook: the runbook is not usable: there is no such file.*such as database-upgrade/,
    ],
    [
      ['plan', 'database-upgrade', '--fleet', 'nowhere.ts'],
      /nowhere\.ts: the fleet is not usable: there is no such file.*--fleet/,
    ],
    [['plan', 'database-upgrade'], /no fleet is named.*--fleet FILE/],
    [
      ['plan', 'database-upgrade', ...on, '--out', join(scene.stateDir, 'no/such/plan.json')],
      /no\/such\/plan\.json: the plan cannot be written: ENOENT.*Name a file in a folder that exists/,
    ],
  ];
  expect(await left(scene, cases)).toEqual(refused(cases));
  const asked = (await lab.record()).filter(({ what }) => !what.startsWith('cat '));
  // The last one was previewed before it could not be written; none changed anything.
  expect(asked.filter(({ writes }) => writes)).toEqual([]);
});

test.concurrent('a fleet file with a mistake: which file, where in it, and how to look again', async () => {
  await using scene = await openScene();
  const lab = await scene.lab({ servers: 2 });
  const text = await readFile(lab.fleet, 'utf8');
  const cases: readonly (readonly [text: string, said: RegExp])[] = [
    [
      text.replaceAll('"group": "api"', '"grupp": "api"'),
      /wrong-0\.ts: the fleet is not usable: .*grupp.*→ at servers\[0\].*`neap fleet check` reads it again/s,
    ],
    [text.replaceAll('"api-02"', '"api-01"'), /server api-01 is listed twice.*Give every server a name of its own/],
    [
      text.replace('"password": "file:', '"password": "secret:'),
      /a secret is a reference: env:NAME, file:\/path or command:/,
    ],
    ['export default {', /wrong-3\.ts: the fleet is not usable: it cannot be loaded: .*Correct it/],
  ];
  const files = cases.map((_, at) => join(scene.stateDir, `wrong-${at}.ts`));
  for (const [at, file] of files.entries()) await writeFile(file, cases[at]![0]);
  const lines = cases.map(([, said], at): Refusal => [['plan', 'database-upgrade', '--fleet', files[at]!], said]);
  expect(await left(scene, lines)).toEqual(refused(lines));
  // What it names reads the file again.
  expect(await scene.neap('fleet', 'check', '--fleet', files[0]!)).toMatchObject({ code: 2, stdout: '' });
  expect(await lab.record()).toEqual([]);
});

test.concurrent('wrong words elsewhere: exit 2, and the right ones', async () => {
  await using scene = await openScene();
  const notPlan = join(scene.stateDir, 'plan.json');
  await writeFile(notPlan, '{}');
  const cases: readonly Refusal[] = [
    [
      ['run', notPlan],
      /plan\.json: the plan is not usable: it is no plan of this version of neap.*Make it anew: neap plan RUNBOOK --out plan\.json/,
    ],
    [['run', 'gone.json'], /gone\.json: the plan is not usable: it cannot be read.*neap plan --out/],
    [['run', notPlan, '--input', 'outageMs=1'], /plan/],
    [['frobnicate'], /unknown command 'frobnicate'/],
    [['plan', 'x', '--flet', 'y'], /unknown option '--flet'\n\(Did you mean --fleet\?\)/],
    [['report'], /there is no run yet.*Start one: neap run RUNBOOK/],
    [['resume', '2026-01-01-abcdef'], /there is no run 2026-01-01-abcdef/],
    [['lab', 'up', '--scenario', 'sunny'], /there is no scenario sunny.*feb-2021/],
    [['lab', 'tell', 'status'], /no lab is running.*neap lab up/],
  ];
  expect(await left(scene, cases)).toEqual(refused(cases));
});

test.concurrent('every command has --help, with an example', async () => {
  await using scene = await openScene();
  const top = await scene.neap('--help');
  expect(top.code).toBe(0);
  const names = [...top.stdout.slice(top.stdout.indexOf('Commands:')).matchAll(/^ {2}([a-z]+)\b/gm)]
    .map(([, name]) => name!)
    .filter((name) => name !== 'help');
  expect(names).toEqual(
    expect.arrayContaining([
      'init',
      'plan',
      'run',
      'attach',
      'status',
      'resume',
      'approve',
      'abort',
      'rollback',
      'report',
      'audit',
      'fleet',
      'lab',
      'demo',
    ]),
  );
  const all = names.flatMap((name) =>
    name === 'fleet'
      ? [['fleet', 'check']]
      : name === 'lab'
        ? ['up', 'down', 'tell'].map((each) => ['lab', each])
        : name === 'audit'
          ? ['verify', 'export'].map((each) => ['audit', each])
          : [[name]],
  );
  const helps = await neapEach(
    scene.stateDir,
    all.map((words) => [...words, '--help']),
  );
  for (const [at, words] of all.entries()) {
    expect({ words, code: helps[at]?.code }).toEqual({ words, code: 0 });
    expect(helps[at]?.stdout).toMatch(new RegExp(`Examples?:\\n  neap ${words.join(' ')}`));
  }
});

test.concurrent('neap init writes a project whose files load, and leaves what is there alone', async () => {
  await using scene = await openScene();
  const folder = join(scene.stateDir, 'maintenance');
  await mkdir(folder);
  const here = (...words: string[]) => neap(scene.stateDir, words, { cwd: folder });
  expect((await here('init')).code).toBe(0);
  expect((await readdir(folder, { recursive: true })).toSorted()).toEqual([
    'files',
    'files/app.conf',
    'fleet.ts',
    'neap.config.ts',
    'package.json',
    'runbooks',
    'runbooks/database-upgrade.ts',
    'runbooks/recover-fleet.ts',
    'runbooks/rehearse.ts',
    'runbooks/rejoin.ts',
    'runbooks/spread-expiries.ts',
  ]);
  await writeFile(join(folder, 'files/app.conf'), 'mine\n');
  expect((await here('init')).stdout).toMatch(/^kept .*app\.conf$/m);
  expect(await readFile(join(folder, 'files/app.conf'), 'utf8')).toBe('mine\n');
  // Its names are those of no machine: everything else is in order.
  const checked = await here('fleet', 'check');
  expect(checked.code).toBe(1);
  expect(checked.stdout).toMatch(/^api-01:\n {2}ssh: SSH to \S+ failed: (ENOTFOUND|EAI_AGAIN)\. Try it by hand: ssh /m);
  expect(checked.stdout).toMatch(/^2 of 2 servers are not ready\.$/m);
  const planned = await here('plan', 'runbooks/database-upgrade.ts');
  expect(planned.code).toBe(4);
  expect(planned.stdout).toMatch(/Refused: api-01, api-02: SSH to \S+ failed: (ENOTFOUND|EAI_AGAIN)/);
});
