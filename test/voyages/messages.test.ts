import { expect, test, vi } from 'vitest';
import type { Server } from '../../src/model/index.ts';
import type { StepState } from '../../src/run/index.ts';
import { expectEnd } from '../support/end.ts';
import { neap } from '../support/neap.ts';
import { openScene, type Scene, VOYAGE_MS } from '../support/scene.ts';

// Goal: every message of a failure names server, step, state left and what to do now, and the commands that it names work
// (promise 14). Method: failures of several sorts on one lab, their messages held against a pattern, and every `neap ...`
// in them run.

vi.setConfig({ testTimeout: VOYAGE_MS, maxConcurrency: 2 });

/** The commands that a text names, as they could be copied from it. */
function commandsIn(text: string): string[][] {
  const found = [
    ...text.matchAll(/neap ((?:status|attach|report|resume|abort|approve|fleet check|run|plan)(?: [-\w./:]+)*)/g),
  ].map(([, words]) => words!);
  return [...new Set(found)]
    .filter((words) => !/RUNBOOK|\bshows\b/.test(words) || words.startsWith('status'))
    .map((words) => words.replace(/^(status)(?: (?:shows|for).*)$/, '$1').split(' '));
}

/** Runs each; what is asked wrongly would end with 2. */
async function runAll(scene: Scene, commands: readonly (readonly string[])[]): Promise<void> {
  expect(commands.length).toBeGreaterThan(0);
  for (const words of commands) {
    const ran = await neap(scene.stateDir, words, { cwd: scene.stateDir });
    expect({ words, code: ran.code, stderr: ran.stderr }).toEqual({
      words,
      code: expect.toBeOneOf([0, 1, 4, 5]),
      stderr: '',
    });
  }
}

/** Server, step, what, state left, what to do, and a command. */
const OUT =
  /(api-0\d) is out of the run at step (\d+) "[^"]+": .+\. (?:It was left|Nothing was|It ran|It may be|What it had)[^.]*\. .+\. See: neap status \S+$/;
/** The same in `neap status`, which ends with the command, and says whether the server gets traffic. */
const STATUS_OUT =
  /^Out(?: of the run and of the balancer)?: (api-0\d), at step (\d+) "[^"]+": .+\. (?:It was left|Nothing was|It ran|It may be|What it had)[^.]*\. .+$/;

test.concurrent('servers that fall out, each in its own way', async () => {
  await using scene = await openScene();
  const refusing = { run: 'false' };
  const edit = (server: Server): Server =>
    server.name === 'api-05'
      ? { ...server, service: { ...server.service, offline: { ...server.service.offline, on: refusing } } }
      : server;
  const lab = await scene.lab({ servers: 6, edit });
  const plan = await scene.plan(lab);
  await lab.byHand('api-04', (hands) => hands.call('offline-on'));
  await lab.tell({ tell: 'half-apply', server: 'api-06' });
  // Three is the whole budget, and spent in giving back it turns nobody round any more.
  const ran = await scene.neap('run', plan, '--unattended');
  const [out, status] = [
    ran.stdout.split('\n').filter((line) => line.includes('is out of the run')),
    await scene.neap('status'),
  ];
  expect(out.map((line) => OUT.exec(line)?.slice(1, 3).join(' ') ?? line).toSorted()).toEqual([
    'api-04 7',
    'api-05 7',
    'api-06 14',
  ]);
  const told = status.stdout.split('\n').filter((line) => line.startsWith('Out'));
  expect(told.map((line) => STATUS_OUT.exec(line)?.slice(1, 3).join(' ') ?? line).toSorted()).toEqual([
    'api-04 7',
    'api-05 7',
    'api-06 14',
  ]);
  await runAll(scene, commandsIn([...out, ...told, status.stdout.split('\n').at(-2)!].join('\n')));
});

test.concurrent('a server that hangs on the way: the page, the gate, the recovery, and its boot', async () => {
  await using scene = await openScene();
  const lab = await scene.lab({ servers: 4, silent: ['api-03'], model: { bootMs: 5_000 } });
  const voyage = await scene.run(await scene.plan(lab));
  const asks = (step: StepState | undefined) => step?.step === 'gate' && step.phase === 'asked';
  // Only the canary is worked on until step 7.
  await voyage.until(({ tracks: [main] }) => main!.cursor >= 1, 'halt');
  await lab.tell({ tell: 'hang', server: 'api-03' });
  await scene.goOn(voyage.run);
  const { tracks } = await voyage.until(
    ({ tracks: [, recovery] }) => recovery?.kind === 'contingency' && asks(recovery.steps[recovery.cursor]),
  );
  expect(tracks[1]!.servers).toEqual(['api-03']);
  const status = await scene.neap('status');
  const [, next] = /^Next: neap (approve \S+ \S+ yes)/m.exec(status.stdout)!;
  // Gates are answered one after another, each by the command that status names for it.
  for (let words: string | undefined = next; words !== undefined;) {
    await scene.neap(...words.split(' '));
    const before = words;
    await voyage
      .until(
        ({ closed, tracks: all }) =>
          closed !== null ||
          all.some(
            ({ steps, cursor, id }) => asks(steps[cursor]) && !before.includes(` ${id === 'main' ? cursor + 1 : id} `),
          ),
      )
      .catch(() => null);
    words = /^Next: neap (approve \S+ \S+ yes)/m.exec((await scene.neap('status')).stdout)?.[1];
  }
  const { code, stdout } = await voyage.ended;
  expectEnd({ code, stdout }, 0);
  expect(stdout).toMatch(
    /^.*api-03 is out of the run at step 7 "enter offline mode": .+ did not (answer|end) within \d+ ms\. .+\. .+\. See: neap status \S+$/m,
  );
  expect(stdout).toMatch(
    /api-03 is hung: SSH silent, HTTP silent, the balancer sees it down, power On, control targets answer/,
  );
  expect(stdout).toMatch(
    /PAGE Run \S+ waits for a person \(role power\): Hard-reset over the BMC\? Answer: neap approve \S+ c1:c1\.2 yes \(or: no\)$/m,
  );
  expect(stdout).toMatch(/Recovered on the way: api-03\./);
  const resets = (await lab.record()).filter(({ via }) => via === 'bmc');
  expect(resets.map(({ server, what }) => [server, what])).toEqual([['api-03', 'reset ForceRestart']]);
  expect(
    (await lab.status()).servers.every(
      ({ offline, hung, inRotation, seenUp }) => !offline && !hung && inRotation && seenUp,
    ),
  ).toBe(true);
});
