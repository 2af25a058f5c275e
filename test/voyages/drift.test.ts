import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import type { LabStatus, RecordEntry } from '../../src/lab/index.ts';
import { expectEnd } from '../support/end.ts';
import { openScene, SHORT, VOYAGE_MS } from '../support/scene.ts';

// Goal: `neap run plan.json` runs exactly that plan (promises 2 and 6): what changed since is left out by name, and a plan
// that can no longer be trusted is stale. Method: somebody else changes servers between plan and run, and the lab is
// asked what was done to whom.

vi.setConfig({ testTimeout: VOYAGE_MS, maxConcurrency: 2 });

const DAY_MS = 24 * 3_600_000;

const writesOn = (record: readonly RecordEntry[], server: string) =>
  record.filter((entry) => entry.writes && entry.server === server);
const inService = ({ servers }: LabStatus) =>
  servers
    .filter(({ offline, hung, inRotation, seenUp }) => !offline && !hung && inRotation && seenUp)
    .map(({ name }) => name);

test.concurrent('a server changed by somebody else is left out, named and counted; the others are done', async () => {
  await using scene = await openScene();
  const lab = await scene.lab({});
  const plan = await scene.plan(lab);
  await lab.byHand('api-05', (hands) => hands.call('offline-on'));
  const before = (await lab.record()).length;
  const ran = await scene.neap('run', plan, '--unattended');
  expectEnd(ran, 0);
  expect(ran.stdout).toMatch(
    /closed: Done\. Quarantined, .*: api-05 \(the plan says a change, and now it would be nothing to do\)/,
  );
  const status = JSON.parse((await scene.neap('status', '--json')).stdout) as { budget: object; out: object };
  expect(status.budget).toEqual({ spent: 1, failures: 3 });
  expect(Object.keys(status.out)).toEqual(['api-05']);
  const later = (await lab.record()).slice(before);
  // Nothing is done to it but that it is taken out of the way.
  expect(
    writesOn(later, 'api-05')
      .map(({ what }) => what)
      .filter((what) => !what.startsWith('fence')),
  ).toEqual(['traffic out']);
  // Each of the others went in and out again, once.
  for (const server of ['api-01', 'api-02', 'api-03', 'api-04', 'api-06']) {
    expect(
      writesOn(later, server)
        .filter(({ what }) => what.startsWith('apictl offline'))
        .map(({ what }) => what),
    ).toEqual(['apictl offline on', 'apictl offline off']);
  }
  const end = await lab.status();
  expect(inService(end)).toEqual(['api-01', 'api-02', 'api-03', 'api-04', 'api-06']);
  expect(end.servers[4]).toMatchObject({ offline: true, inRotation: false });
});

test.concurrent('the canary changed: the plan is stale, and nothing is touched', async () => {
  await using scene = await openScene();
  const lab = await scene.lab({});
  const plan = await scene.plan(lab);
  await lab.byHand('api-01', (hands) => hands.call('offline-on'));
  const before = (await lab.record()).length;
  const ran = await scene.neap('run', plan, '--unattended');
  expectEnd(ran, 6);
  expect(ran.stdout).toMatch(/the canary api-01: the plan says a change, and now it would be nothing to do/);
  expect((await lab.record()).slice(before).filter(({ writes }) => writes)).toEqual([]);
});

test.concurrent('a plan made 72 hours earlier, 2 of 40 servers changed since: it runs on 38 and names the 2', async () => {
  await using scene = await openScene();
  const lab = await scene.lab({ servers: 40 });
  const plan = await scene.plan(lab);
  await lab.tell({ tell: 'skip', forMs: 3 * DAY_MS });
  await lab.byHand('api-11', (hands) => hands.call('offline-on'));
  await lab.byHand('api-30', (hands) => hands.call('offline-on'));
  const before = (await lab.record()).length;
  const ran = await scene.neap('run', plan, '--unattended');
  expect(ran.stdout).toMatch(/closed: Done\. Quarantined, .*: api-\d\d \(.*\); api-\d\d \(/);
  expectEnd(ran, 0);
  const status = JSON.parse((await scene.neap('status', '--json')).stdout) as { out: object };
  expect(Object.keys(status.out).toSorted()).toEqual(['api-11', 'api-30']);
  const entered = (await lab.record())
    .slice(before)
    .filter(({ what, changed }) => what === 'apictl offline on' && changed);
  expect(new Set(entered.map(({ server }) => server)).size).toBe(38);
  expect(entered).toHaveLength(38);
  expect(inService(await lab.status())).toHaveLength(38);
});

test.concurrent('a plan that is older than a week is stale: exit 6, and nothing is touched', async () => {
  await using scene = await openScene();
  const lab = await scene.lab({ servers: 2 });
  const plan = await scene.plan(lab);
  await lab.tell({ tell: 'skip', forMs: 8 * DAY_MS });
  const before = (await lab.record()).length;
  const ran = await scene.neap('run', plan, '--unattended');
  expectEnd(ran, 6);
  expect(ran.stderr).toMatch(
    /the plan is stale: it was to be run within a week.*Nothing was started.*neap plan RUNBOOK/s,
  );
  expect((await lab.record()).slice(before)).toEqual([]);
});

test.concurrent('other code than the plan was made with is another plan: a changed runbook or fleet, and a plan changed by hand', async () => {
  await using scene = await openScene();
  const lab = await scene.lab({ servers: 2 });
  const runbook = join(scene.stateDir, 'mine.ts');
  await writeFile(runbook, await readFile(new URL('../../runbooks/database-upgrade.ts', import.meta.url), 'utf8'));
  const fleet = join(scene.stateDir, 'fleet.ts');
  await writeFile(fleet, await readFile(lab.fleet, 'utf8'));
  const out = join(scene.stateDir, 'plan.json');
  expect(await scene.neap('plan', runbook, '--fleet', fleet, ...SHORT, '--out', out)).toMatchObject({ code: 0 });
  const before = (await lab.record()).length;
  const text = await readFile(out, 'utf8');

  await writeFile(out, text.replace('"failures": 3', '"failures": 4'));
  const tampered = await scene.neap('run', out, '--unattended');
  expectEnd(tampered, 2);
  expect(tampered.stderr).toMatch(
    /plan\.json: the plan is not usable: it was changed after it was made.*Nothing was started\. Make it anew/s,
  );
  await writeFile(out, text);

  await writeFile(fleet, (await readFile(fleet, 'utf8')).replace('"domain": "rack-b"', '"domain": "rack-z"'));
  const otherFleet = await scene.neap('run', out, '--unattended');
  expectEnd(otherFleet, 6);
  expect(otherFleet.stderr).toMatch(/the plan is stale: the fleet \S+fleet\.ts was changed since/);
  await writeFile(fleet, await readFile(lab.fleet, 'utf8'));

  await writeFile(runbook, `${await readFile(runbook, 'utf8')}// changed\n`);
  const otherRunbook = await scene.neap('run', out, '--unattended');
  expectEnd(otherRunbook, 6);
  expect(otherRunbook.stderr).toMatch(
    /the plan is stale: the runbook \S+mine\.ts was changed since.*Nothing was started/s,
  );
  expect((await lab.record()).slice(before)).toEqual([]);
});
