import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { loadFleet, planClock } from '../../src/engine/index.ts';
import { waitsForOpening } from '../../src/run/index.ts';
import { expectEnd } from '../support/end.ts';
import { neap } from '../support/neap.ts';
import { openScene, type SceneLab, SHORT, VOYAGE_MS } from '../support/scene.ts';

// Goal: a run waits for its window whatever becomes of its engine, is not begun when there is no time for it, and a person
// can decide otherwise, by name and with a reason. Method: the command line on a lab, in the lab's time.

vi.setConfig({ testTimeout: VOYAGE_MS, maxConcurrency: 2 });

const MIN = 60_000;

/** An instant of the lab's time, as a person writes it. */
async function inMinutes(lab: SceneLab, minutes: number): Promise<string> {
  const { value } = await loadFleet(lab.fleet, process.cwd());
  return new Date(planClock(value.clock).nowMs() + minutes * MIN).toISOString();
}

test.concurrent('neap run before its window opens: waits, also behind a killed engine, and then does it', async () => {
  await using scene = await openScene();
  const lab = await scene.lab({ servers: 3 });
  const opens = ['--opens', await inMinutes(lab, 10 * 60), '--closes', await inMinutes(lab, 12 * 60)];
  const preview = await scene.neap(
    'plan',
    'database-upgrade',
    '--fleet',
    lab.fleet,
    ...SHORT,
    ...opens,
    '--zone',
    'Asia/Tokyo',
  );
  expect(preview.stdout).toMatch(/Window: opens \S+ \S+ \S+\s+Asia\/Tokyo\s+\(.*UTC\)/);
  const voyage = await scene.run(await scene.plan(lab, ...opens), '--unattended');
  const waiting = await scene.neap('status');
  expect(waiting.stdout).toMatch(/Waits for its window to open; nothing is done on any server/);
  await scene.killEngine(voyage.run);
  await lab.tell({ tell: 'skip', forMs: 10 * 60 * MIN - 4 * MIN });
  const done = await scene.neap('resume', voyage.run);
  expectEnd(done, 0);
  expect(done.stdout).toMatch(/waits until its window opens[\s\S]*the window is open\n[\s\S]*step 1 check server/);
  // What the engine claims a server with lies there before; of the service nothing is touched.
  const began = (await lab.record()).filter(({ what, changed }) => changed && what.startsWith('apictl'));
  expect(began.length).toBeGreaterThan(0);
  expect(Math.min(...began.map(({ atMs }) => atMs))).toBeGreaterThanOrEqual(Date.parse(opens[1] ?? ''));
});

test.concurrent('a freeze in the way: exit 4, until a person decides against it by name', async () => {
  await using scene = await openScene();
  const lab = await scene.lab({ servers: 3 });
  const day = (await inMinutes(lab, -24 * 60)).slice(0, 10).replaceAll('-', '');
  const event = [
    'BEGIN:VEVENT',
    'UID:1',
    'SUMMARY:Elections',
    `DTSTART;VALUE=DATE:${day}`,
    'DURATION:P5D',
    'END:VEVENT',
  ];
  await writeFile(join(scene.stateDir, 'freezes.ics'), ['BEGIN:VCALENDAR', ...event, 'END:VCALENDAR', ''].join('\r\n'));
  await writeFile(
    join(scene.stateDir, 'neap.config.ts'),
    `export default { freezes: [{ calendar: 'freezes.ics' }], zone: 'UTC' };\n`,
  );
  const here = (...words: string[]) => neap(scene.stateDir, words, { cwd: scene.stateDir });
  const planned = await here('plan', 'database-upgrade', '--fleet', lab.fleet, ...SHORT, '--out', 'plan.json');
  expectEnd(planned, 0);
  expect(planned.stdout).toMatch(/Freeze: "Elections"[\s\S]*Warning: the freeze "Elections" holds now/);

  const refused = await here('run', 'plan.json', '--unattended');
  expect({ code: refused.code, stderr: refused.stderr }).toEqual({
    code: 4,
    stderr: expect.stringMatching(
      /the freeze "Elections" lasts from .* UTC .*Nothing was started.*--override freeze --reason/,
    ),
  });
  const unreasoned = await here('run', 'plan.json', '--override', 'freeze');
  expect(unreasoned).toMatchObject({ code: 2, stderr: expect.stringMatching(/without a reason/) });

  const voyage = await here(
    'run',
    'plan.json',
    '--unattended',
    '--override',
    'freeze',
    '--reason',
    'agreed with the board',
  );
  expectEnd(voyage, 0);
  expect(voyage.stdout).toMatch(/overrides freeze \(Elections\): agreed with the board/);
  const over = await here('override', (await runs(here)) ?? '', 'freeze', '--reason', 'again');
  expect(over).toMatchObject({ code: 2, stderr: expect.stringMatching(/is closed/) });
});

async function runs(here: (...words: string[]) => ReturnType<typeof neap>): Promise<string | undefined> {
  return /Run (\S+):/.exec((await here('status')).stdout)?.[1];
}

test.concurrent('a person who gives a window longer is heard; a plan that does not fit one is refused', async () => {
  await using scene = await openScene();
  const lab = await scene.lab({ servers: 12 });
  const closes = ['--closes', await inMinutes(lab, 55)];
  const voyage = await scene.run(await scene.plan(lab, ...closes), '--unattended');
  await voyage.until((state) => !waitsForOpening(state) && (state.tracks[0]?.cursor ?? 0) >= 6, 'halt');
  const wrong = await scene.neap('override', voyage.run, 'window', '--reason', 'x');
  expect(wrong).toMatchObject({ code: 2, stderr: expect.stringMatching(/say how much longer/) });
  const given = await scene.neap('override', voyage.run, 'window', '3h', '--reason', 'the part came late');
  expect(given).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/overrides window \(until .*\): the part came late/),
  });
  expect((await scene.neap('status')).stdout).toMatch(/Overridden by \S+: window \(until /);
  const home = await scene.neap('abort', voyage.run, '--reason', 'enough seen');
  expectEnd(home, 1);
  const late = await scene.neap(
    'plan',
    'database-upgrade',
    '--fleet',
    lab.fleet,
    '--input',
    // Whatever the earlier run showed of how long things take.
    'outageMs=3000000',
    '--closes',
    await inMinutes(lab, 40),
  );
  expect(late).toMatchObject({
    code: 4,
    stdout: expect.stringMatching(/and the window is \d+ min until\s+it\s+closes/),
  });
});
