import { expect, test, vi } from 'vitest';
import type { LabStatus, RecordEntry } from '../../src/lab/index.ts';
import type { StepState } from '../../src/run/index.ts';
import { expectEnd } from '../support/end.ts';
import { openScene, SHORT, VOYAGE_MS } from '../support/scene.ts';

// Goal: what February left behind is brought back, server by server, in an order that harms nobody (promises 9 and 10).
// Method: the lab's scenarios, and its own record and instants of what was done to whom.

vi.setConfig({ testTimeout: VOYAGE_MS, maxConcurrency: 2 });

const inService = ({ servers }: LabStatus) =>
  servers
    .filter(({ offline, hung, inRotation, seenUp }) => !offline && !hung && inRotation && seenUp)
    .map(({ name }) => name);
const on = (record: readonly RecordEntry[], server: string, what: RegExp) =>
  record.filter((entry) => entry.server === server && entry.ok && what.test(entry.what));
const isAsked = (step: StepState | undefined) => step?.step === 'gate' && step.phase === 'asked';
const resets = (record: readonly RecordEntry[]) =>
  record.filter(({ via, what }) => via === 'bmc' && what.startsWith('reset'));

test.concurrent('half-applied: four are named with their diffs, quarantined, mended and returned', async () => {
  await using scene = await openScene();
  const lab = await scene.lab({ scenario: 'half-applied', servers: 8 });
  const planned = await scene.neap('plan', 'database-upgrade', '--fleet', lab.fleet, ...SHORT, '--json');
  expectEnd(planned, 0);
  const { slices, header } = JSON.parse(planned.stdout) as {
    slices: { verdicts: Record<string, Record<string, { verdict: string; diff?: string[] }>> }[];
    header: { steps: { id: string; title: string }[] };
  };
  const step = header.steps.find(({ title }) => title.startsWith('prove configuration'))!.id;
  const found = Object.entries(slices[0]!.verdicts[step]!).filter(([, { verdict }]) => verdict === 'change');
  expect(found.map(([server]) => server)).toEqual(['api-01', 'api-03', 'api-05', 'api-07']);
  for (const [, { diff }] of found)
    expect(diff).toEqual([expect.stringMatching(/traffic: in -> out/), ...diff!.slice(1, -1), 'reload the process']);
  expect(found[3]![1].diff![1]).toMatch(/the file is right, but the process holds/);

  const before = (await lab.record()).length;
  const ran = await scene.neap('run', 'database-upgrade', '--fleet', lab.fleet, ...SHORT, '--unattended');
  expectEnd(ran, 0);
  const record = (await lab.record()).slice(before);
  for (const [server, { diff }] of found) {
    const moves = record.filter((entry) => entry.server === server && entry.writes && entry.ok).map(({ what }) => what);
    const mending = moves.slice(moves.indexOf('traffic out'));
    // Out of the balancer before anything is written, and in again last, with the process reloaded in between.
    expect(moves.filter((what) => what === 'traffic out')).toHaveLength(1);
    expect(mending.at(-1)).toBe('traffic in');
    expect(mending.at(-2)).toBe('apictl reload');
    expect(mending.slice(1, -2).filter((what) => what.includes('/srv/api/')).length > 0).toBe(
      diff!.length > 3 || diff!.some((line) => line.includes('content')),
    );
    expect(moves.slice(0, moves.indexOf('traffic out')).some((what) => what.includes('/srv/api/'))).toBe(false);
  }
  expect(
    record.filter(({ server, what }) => what.startsWith('traffic') && !found.some(([name]) => name === server)),
  ).toEqual([]);
  expect(inService(await lab.status())).toHaveLength(8);
  // And it is as declared: a fresh preview finds nothing to mend.
  const again = await scene.neap('plan', 'recover-fleet', '--fleet', lab.fleet);
  expectEnd(again, 0);
  // As wide as it is: where a line is broken depends on how long earlier runs took. No server is named, so it is all of them.
  expect(again.stdout.replaceAll(/\s+/g, ' ')).toMatch(
    / 4 prove configuration, mend [^[]+\[[^\]]+\]: nothing to do 5 /,
  );
});

test.concurrent('dead-server: recovered over Redfish once a person said yes, and proven by its boot', async () => {
  await using scene = await openScene();
  const lab = await scene.lab({ scenario: 'dead-server', silent: ['api-04'], model: { bootMs: 5_000 } });
  const voyage = await scene.run('recover-fleet', '--fleet', lab.fleet);
  await voyage.until(({ tracks: [, recovery] }) => recovery !== undefined && isAsked(recovery.steps[recovery.cursor]));
  const { gates } = JSON.parse((await scene.neap('status', '--json')).stdout) as {
    gates: { gate: string; question: string; answers: string[] }[];
  };
  expect(gates).toMatchObject([{ gate: 'c1:c1.2', question: 'Hard-reset over the BMC?', answers: ['yes', 'no'] }]);
  // It waits for the person.
  expect(resets(await lab.record())).toEqual([]);
  expect(on(await lab.record(), 'api-04', /^traffic out$/)).toHaveLength(1);
  const answered = await scene.neap(
    'approve',
    voyage.run,
    gates[0]!.gate,
    'yes',
    '--as',
    'demo',
    '--reason',
    'seen on the console',
  );
  expect(answered).toMatchObject({ code: 0, stderr: '' });
  const { code, stdout } = await voyage.ended;
  expectEnd({ code, stdout }, 0);
  expect(stdout).toMatch(/demo answered "yes" \(seen on the console\)/);
  expect(stdout).toMatch(/Recovered on the way: api-04/);
  const record = await lab.record();
  expect(resets(record).map(({ server, what }) => [server, what])).toEqual([['api-04', 'reset ForceRestart']]);
  const [reset] = resets(record);
  const [given] = on(record, 'api-04', /^traffic in$/);
  const [pinged] = on(record, 'api-04', /^apictl database ping$/);
  const [proven] = on(record, 'api-04', /^cat .*boot_id$/);
  expect(proven!.atMs).toBeGreaterThan(reset!.atMs);
  expect(pinged!.atMs).toBeGreaterThan(reset!.atMs);
  expect(given!.atMs).toBeGreaterThan(pinged!.atMs);
  const status = await lab.status();
  expect(inService(status)).toHaveLength(6);
  expect(status.servers.map((server) => server.resets)).toEqual([0, 0, 0, 1, 0, 0]);
});

test.concurrent('dead-fleet: full service, nobody reset twice, nobody given traffic before the database answers from it', async () => {
  await using scene = await openScene();
  const lab = await scene.lab({
    scenario: 'dead-fleet',
    servers: 10,
    silent: Array.from({ length: 9 }, (_, index) => `api-${String(index + 2).padStart(2, '0')}`),
    timeLapse: 40,
    model: { bootMs: 5_000 },
  });
  const ran = await scene.neap(
    'run',
    'recover-fleet',
    '--fleet',
    lab.fleet,
    '--input',
    'resetsPerMinute=120',
    '--unattended',
  );
  expect(ran.stdout).toMatch(/closed: Done\. .*Recovered on the way/);
  expectEnd(ran, 0);
  // So many at once: power was disarmed until a person re-armed it.
  expect(ran.stdout).toMatch(/so many at once: power is disarmed/);
  const [record, status] = [await lab.record(), await lab.status()];
  expect(inService(status)).toHaveLength(10);
  expect(status.servers.map((server) => server.resets)).toEqual([0, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
  for (const { name } of status.servers.slice(1)) {
    const [reset] = resets(record).filter(({ server }) => server === name);
    const [given] = on(record, name, /^traffic in$/);
    const answered = on(record, name, /^apictl database ping$/).find(({ atMs }) => atMs > reset!.atMs);
    expect(given!.atMs).toBeGreaterThan(answered!.atMs);
    expect(on(record, name, /^traffic out$/)[0]!.atMs).toBeLessThan(reset!.atMs);
  }
});
