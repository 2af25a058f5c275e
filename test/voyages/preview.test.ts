import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import type { RecordEntry } from '../../src/lab/index.ts';
import { expectEnd } from '../support/end.ts';
import { openScene, SHORT, VOYAGE_MS } from '../support/scene.ts';

// Goal: what `neap plan` promises (promises 1, 5 and 10) is seen from the lab's side too. Method: every scenario that a
// preview must refuse, and the journal of commands held against the lab's own record.

vi.setConfig({ testTimeout: VOYAGE_MS, maxConcurrency: 2 });

/** As February's caches were. */
const SHORT_LIVED = { minMs: 180_000, maxMs: 240_000, drawn: 'per-server' } as const;

interface Said {
  readonly commands: readonly {
    readonly server: string;
    readonly how: string;
    readonly command: string;
    readonly writes: boolean;
  }[];
  readonly header: {
    readonly findings: readonly {
      readonly severity: string;
      readonly code: string;
      readonly what: string;
      readonly cures: readonly string[];
    }[];
  };
}

const read = (text: string): Said => JSON.parse(text) as Said;
const refusals = ({ header }: Said) => header.findings.filter(({ severity }) => severity === 'refusal');
const writes = (record: readonly RecordEntry[]) => record.filter((entry) => entry.writes && entry.via !== 'control');

test.concurrent('partition: half of the fleet out of reach is refused by name, and no power command is sent by either runbook', async () => {
  await using scene = await openScene();
  const lab = await scene.lab({ scenario: 'partition', silent: ['api-04', 'api-05', 'api-06'] });
  const [planned, recovering] = await Promise.all([
    scene.neap('plan', 'database-upgrade', '--fleet', lab.fleet, ...SHORT),
    scene.neap('run', 'recover-fleet', '--fleet', lab.fleet, '--unattended'),
  ]);
  expectEnd(planned, 4);
  expect(planned.stdout).toMatch(/Refused: api-04, api-05, api-06: SSH to .* did not answer/);
  // A line that takes nothing away may begin; whom it cannot reach it leaves alone, and a person is told whom.
  expectEnd(recovering, 5);
  expect(recovering.stdout).toMatch(/State not proven: .*api-04.*api-05.*api-06/);
  expect((await lab.record()).filter(({ via }) => via === 'bmc')).toEqual([]);
  expect((await lab.status()).servers.map(({ resets }) => resets)).toEqual([0, 0, 0, 0, 0, 0]);
});

test.concurrent('an outage longer than the fuse is refused with its numbers and cures, and nothing is touched', async () => {
  await using scene = await openScene();
  const lab = await scene.lab({ scenario: 'feb-2021', ttl: SHORT_LIVED });
  const out = join(scene.stateDir, 'plan.json');
  const planned = await scene.neap(
    'plan',
    'database-upgrade',
    '--fleet',
    lab.fleet,
    '--input',
    'outageMs=300000',
    '--out',
    out,
  );
  expect(planned).toMatchObject({ code: 4, stderr: '' });
  expect(planned.stdout).toMatch(/Fuse: 2 min 4\d s; planned outage 5 min, margin 20 s/);
  expect(planned.stdout).toMatch(/outage of 300 s with its margin of 20 s does not fit the fuse of 1[67]\d s/);
  for (const cure of [
    /Shorten the outage to 14\d s/,
    /Raise the lowest time to live to 3\d\d s/,
    /stale values/,
    /timeout of at most [\d.]+ s/,
    /concurrency at \d+ requests/,
    /at the edge/,
  ]) {
    expect(planned.stdout).toMatch(cure);
  }
  const ran = await scene.neap('run', out, '--unattended');
  expectEnd(ran, 4);
  expect(ran.stdout).toMatch(/Refused: this plan cannot be run/);
  // The cure that it names is one: as much, and not more.
  const cured = /Shorten the outage to (\d+) s/.exec(planned.stdout)?.[1];
  expect(
    await scene.neap('plan', 'database-upgrade', '--fleet', lab.fleet, '--input', `outageMs=${cured}000`),
  ).toMatchObject({ code: 0 });
  expect(
    await scene.neap('plan', 'database-upgrade', '--fleet', lab.fleet, '--input', `outageMs=${Number(cured) + 2}000`),
  ).toMatchObject({ code: 4 });
  expect(writes(await lab.record())).toEqual([]);
});

test.concurrent('the journal of commands holds nothing that writes, and the lab has recorded the same, entry by entry', async () => {
  await using scene = await openScene();
  const lab = await scene.lab({});
  const planned = await scene.neap('plan', 'database-upgrade', '--fleet', lab.fleet, '--json');
  expectEnd(planned, 0);
  const { commands } = read(planned.stdout);
  expect(commands.filter((command) => command.writes)).toEqual([]);
  const record = await lab.record();
  expect(record.filter((entry) => entry.writes || entry.changed)).toEqual([]);
  const tally = (entries: readonly (readonly [server: string | null, what: string])[]) =>
    entries.map(([server, what]) => `${server}: ${what.replace('read files', 'read-files')}`).toSorted();
  const sent = tally(commands.filter(({ how }) => how === 'ssh').map(({ server, command }) => [server, command]));
  expect(sent).toEqual(tally(record.map(({ server, what }) => [server, what])));
  // Six servers, and the balancer's page.
  expect(new Set(commands.map(({ server }) => server)).size).toBe(7);
  // Every other way is a plain GET, or a BMC's reading.
  expect(
    commands.filter(({ how, command }) => how !== 'ssh' && !/^(GET |read the power state$)/.test(command)),
  ).toEqual([]);
});

test.concurrent('bmc-down: refused, since what hangs there could not be brought back', async () => {
  await using scene = await openScene();
  const lab = await scene.lab({ scenario: 'bmc-down' });
  const planned = await scene.neap('plan', 'database-upgrade', '--fleet', lab.fleet, ...SHORT, '--json');
  expectEnd(planned, 4);
  const found = refusals(read(planned.stdout));
  expect(found.map(({ what }) => /^(.*): its BMC is not ready/.exec(what)?.[1])).toEqual(['api-04, api-05, api-06']);
  for (const { cures } of found) expect(cures).toEqual(['Mend the BMC, or leave the server out with --except']);
  expectEnd(await scene.neap('run', 'database-upgrade', '--fleet', lab.fleet, ...SHORT, '--unattended'), 4);
  expect(writes(await lab.record())).toEqual([]);
});

test.concurrent('--except: named with its reason, and refused while the balancer still gives the server traffic', async () => {
  await using scene = await openScene();
  const lab = await scene.lab({ scenario: 'bmc-down', servers: 5 });
  const except = ['api-03', 'api-04', 'api-05'].flatMap((server) => [
    '--except',
    `${server}=disk replaced, back on Monday`,
  ]);
  const out = join(scene.stateDir, 'plan.json');
  const early = await scene.neap('plan', 'database-upgrade', '--fleet', lab.fleet, ...SHORT, ...except);
  expectEnd(early, 4);
  expect(early.stdout).toMatch(
    /api-04 is left out \(disk replaced, back on Monday\), and the balancer still gives it traffic/,
  );
  for (const server of ['api-03', 'api-04', 'api-05']) await lab.byHand(server, (hands) => hands.call('traffic-out'));
  const planned = await scene.neap('plan', 'database-upgrade', '--fleet', lab.fleet, ...SHORT, ...except, '--out', out);
  expect(planned).toMatchObject({ code: 0 });
  expect(planned.stdout).toMatch(/Warning: api-04 is left out: disk replaced, back on Monday/);
  const before = (await lab.record()).length;
  expectEnd(await scene.neap('run', out, '--unattended'), 0);
  const later = (await lab.record()).slice(before);
  expect(new Set(later.map(({ server }) => server))).toEqual(new Set(['api-01', 'api-02']));
  expect((await readFile(out, 'utf8')).includes('disk replaced')).toBe(true);
});
