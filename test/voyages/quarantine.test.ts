import { expect, test, vi } from 'vitest';
import type { RecordEntry } from '../../src/lab/index.ts';
import type { Server } from '../../src/model/index.ts';
import { expectEnd } from '../support/end.ts';
import { openScene, VOYAGE_MS } from '../support/scene.ts';

// Goal: a server that cannot go offline is out of the way while the database is away, stays out until it is proven, and
// no later plan takes it in. Method: one server's switch is broken; the lab's record says who had traffic when.

vi.setConfig({ testTimeout: VOYAGE_MS, maxConcurrency: 2 });

const BROKEN = 'api-04';
const broken = (server: Server): Server =>
  server.name === BROKEN
    ? { ...server, service: { ...server.service, offline: { ...server.service.offline, on: { run: 'false' } } } }
    : server;
const traffic = (record: readonly RecordEntry[], server: string): string[] =>
  record.flatMap((entry) =>
    entry.server === server && entry.changed && entry.what.startsWith('traffic') ? [entry.what] : [],
  );

test.concurrent('out of the balancer, recorded, refused by later plans, and back when it is proven', async () => {
  await using scene = await openScene();
  const lab = await scene.lab({ servers: 5, edit: broken });
  const ran = await scene.neap('run', await scene.plan(lab), '--unattended');
  expectEnd(ran, 0);
  const [, asked] = /gate 10: Hardware work may start\?\n([^]*?)gate 10: demo/.exec(ran.stdout)!;
  expect(asked).toMatch(/Out of this run and out of the balancer: api-04\./);
  expect(ran.stdout).toContain(`Bring them back: neap fleet rejoin ${BROKEN} --fleet ${lab.fleet}.`);
  expect(traffic(await lab.record(), BROKEN)).toEqual(['traffic out']);
  const end = await lab.status();
  expect(end.servers.filter(({ inRotation }) => !inRotation).map(({ name }) => name)).toEqual([BROKEN]);

  const listed = await scene.neap('fleet', 'quarantine', '--fleet', lab.fleet);
  expect(listed.stdout).toMatch(/^api-04: since \S+, run \S+: offline-on ended with exit 1/);
  const again = await scene.neap('plan', 'database-upgrade', '--fleet', lab.fleet);
  expectEnd(again, 4);
  expect(again.stdout.replaceAll(/\s+/g, ' ')).toMatch(
    /Refused: api-04 is in quarantine since run \S+: .*neap fleet rejoin api-04/,
  );
  // It is proven out of the way, so leaving it out costs nothing.
  const without = await scene.neap(
    'plan',
    'database-upgrade',
    '--fleet',
    lab.fleet,
    '--except',
    `${BROKEN}=switch broken`,
  );
  expectEnd(without, 0);

  const back = await scene.neap('fleet', 'rejoin', BROKEN, '--fleet', lab.fleet);
  expectEnd(back, 0);
  const record = await lab.record();
  expect(traffic(record, BROKEN)).toEqual(['traffic out', 'traffic in']);
  expect((await scene.neap('fleet', 'quarantine', '--fleet', lab.fleet)).stdout).toMatch(/^Nobody is in quarantine/);
  expect((await scene.neap('plan', 'database-upgrade', '--fleet', lab.fleet)).stdout).not.toContain('quarantine since');
});

test.concurrent('an engine that is killed right behind it: the resumed run keeps it out, and what is unfit does not come back', async () => {
  await using scene = await openScene();
  const lab = await scene.lab({ servers: 5, edit: broken });
  const voyage = await scene.run(await scene.plan(lab));
  await voyage.until(
    ({ tracks }) => tracks.some(({ kind, status }) => kind === 'contingency' && status === 'finished'),
    'halt',
  );
  await scene.killEngine(voyage.run);
  const ended = scene.neap('abort', voyage.run, '--reason', 'the part is missing');
  expectEnd(await ended, 1);
  expect(traffic(await lab.record(), BROKEN)).toEqual(['traffic out']);
  expect((await lab.status()).servers.filter(({ offline }) => offline)).toEqual([]);
  // The database does not answer: it is not given traffic, and stays where it is.
  await lab.tell({ tell: 'database', state: 'away' });
  const rejoin = await scene.neap('fleet', 'rejoin', BROKEN, '--fleet', lab.fleet, '--detach');
  expectEnd(rejoin, 0);
  const [, run] = /Run (\S+) goes on/.exec(rejoin.stdout)!;
  await vi.waitFor(
    async () => expect((await scene.neap('status', run!)).stdout).toMatch(/held: api-04: .*does not answer/),
    { timeout: 120_000, interval: 300 },
  );
  expect(traffic(await lab.record(), BROKEN)).toEqual(['traffic out']);
  await lab.tell({ tell: 'database', state: 'back' });
  expectEnd(await scene.neap('attach', run!), 0);
  expect(traffic(await lab.record(), BROKEN)).toEqual(['traffic out', 'traffic in']);
});
