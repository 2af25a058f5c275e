import { expect, test, vi } from 'vitest';
import type { LabStatus, RecordEntry } from '../../src/lab/index.ts';
import type { Server } from '../../src/model/index.ts';
import type { StepState } from '../../src/run/index.ts';
import { expectEnd } from '../support/end.ts';
import { openScene, VOYAGE_MS } from '../support/scene.ts';

// Goal: one failure budget for the run, and the way home from there (promises 6, 7 and 9). Method: servers are made to
// fail in the last waves, with the database there, with it away, and with one that cannot be brought back.

vi.setConfig({ testTimeout: VOYAGE_MS, maxConcurrency: 2 });

/** The last two waves of eight servers in four racks, and one more that goes before them. */
const LAST = ['api-04', 'api-07', 'api-08'];
/** Nobody hangs while the database is away: few requests wait. */
const QUIET = { requestsPerSecond: 50 };

const runOf = (text: string) => /run (\S+) opened/.exec(text)?.[1];
const offline = ({ servers }: LabStatus) => servers.filter((server) => server.offline).map(({ name }) => name);
const atWave = (step: StepState | undefined) => (step?.step === 'act' ? step.wave : 0);
const moved = (record: readonly RecordEntry[], what: string) =>
  record
    .flatMap((entry) => (entry.what === what && entry.changed && entry.server !== null ? [entry.server] : []))
    .toSorted();

test.concurrent('one undo that fails: exit 5, and which server; the others are home', async () => {
  await using scene = await openScene();
  const lab = await scene.lab({
    servers: 5,
    silent: ['api-03'],
  });
  const plan = await scene.plan(lab);
  const waiting = await scene.neap('run', plan, '--no-wait');
  expectEnd(waiting, 3);
  await lab.tell({ tell: 'hang', server: 'api-03' });
  const [, run, gate] = /neap approve (\S+) (\S+) yes/.exec(waiting.stdout)!;
  expectEnd(await scene.neap('approve', run!, gate!, 'no', '--as', 'demo'), 0);
  const ended = await scene.neap('attach', run!);
  expectEnd(ended, 5);
  expect(ended.stdout).toMatch(/A person is needed\..*State not proven: api-03 \(/);
  const status = await scene.neap('status', run!);
  expectEnd(status, 5);
  // What it names as next does as it says: it reads, names the server, and changes nothing.
  const [, fleet] = /^Next: neap fleet check --fleet (\S+)$/m.exec(status.stdout)!;
  const before = (await lab.record()).length;
  const checked = await scene.neap('fleet', 'check', '--fleet', fleet!);
  expectEnd(checked, 1);
  expect(checked.stdout).toMatch(/^api-03:$/m);
  expect(checked.stdout).toMatch(/^1 of 5 servers are not ready\.$/m);
  expect((await lab.record()).slice(before).filter(({ writes }) => writes)).toEqual([]);
  expect(offline(await lab.status())).toEqual(['api-03']);
});

test.concurrent('the budget is spent while the database answers: the way home leaves every server as before but for who was quarantined', async () => {
  await using scene = await openScene();
  const edit = (server: Server): Server =>
    LAST.includes(server.name)
      ? { ...server, service: { ...server.service, offline: { ...server.service.offline, on: { run: 'false' } } } }
      : server;
  const lab = await scene.lab({ servers: 8, edit });
  const ran = await scene.neap('run', await scene.plan(lab), '--unattended');
  expectEnd(ran, 1);
  expect(ran.stdout).toMatch(/turns for home: the failure budget of 3 is spent: .*api-0[478]/);
  expect(ran.stdout).toMatch(/closed: Home and clean\..*the failure budget of 3 is spent/);
  // Each failure: server, step, what, state left, what to do.
  for (const server of LAST)
    expect(ran.stdout).toMatch(
      new RegExp(
        `${server} is out of the run at step 7 "enter offline mode": offline-on ended with exit 1: .*It ran, and may have changed something before it failed\\. Look at it there; it ran: false\\. See: neap status ${runOf(ran.stdout)}`,
      ),
    );
  const record = await lab.record();
  const entered = moved(record, 'apictl offline on');
  expect(entered.length).toBeGreaterThan(1);
  // Back what was taken, each once.
  expect(moved(record, 'apictl offline off')).toEqual(entered);
  const end = await lab.status();
  expect(offline(end)).toEqual([]);
  expect(end.servers.every(({ hung, seenUp }) => !hung && seenUp)).toBe(true);
  // Whoever fell out while the line went on is out of the balancer, and stays so; the last one only turned it for home.
  const kept = end.servers.flatMap(({ name, inRotation }) => (inRotation ? [] : [name]));
  expect(kept).toHaveLength(2);
  expect(LAST).toEqual(expect.arrayContaining(kept));
  expect(ran.stdout).toContain(`neap fleet rejoin ${kept.join(' ')} --fleet ${lab.fleet}`);
});

test.concurrent('the budget is spent by servers that somebody else changed: home, and the plan is stale', async () => {
  await using scene = await openScene();
  const lab = await scene.lab({ servers: 8 });
  const plan = await scene.plan(lab);
  for (const server of LAST) await lab.byHand(server, (hands) => hands.call('offline-on'));
  const before = (await lab.record()).length;
  const ran = await scene.neap('run', plan, '--unattended');
  expectEnd(ran, 6);
  expect(ran.stdout).toMatch(/turns for home: .*api-0[478]/);
  expect(offline(await lab.status())).toEqual(LAST);
  const record = (await lab.record()).slice(before);
  // Nothing is done to whoever is not as planned, but that it is taken out of the way while the line goes on.
  const written = record.filter(
    ({ server, writes, what }) => writes && LAST.includes(server!) && !what.startsWith('fence'),
  );
  expect(written.map(({ what }) => what)).toEqual(['traffic out', 'traffic out']);
  expect(moved(record, 'apictl offline off')).toEqual(moved(record, 'apictl offline on'));
});

test.concurrent('the budget is spent while the database is away: it holds, pages and names the need, and goes home when it is back', async () => {
  await using scene = await openScene();
  // So many waves are still to come that the word arrives among them.
  const lab = await scene.lab({ servers: 40, model: QUIET });
  const plan = await scene.plan(lab);
  const voyage = await scene.run(plan, '--unattended');
  await voyage.until(({ tracks: [main] }) => main!.cursor === 6 && atWave(main!.steps[6]) > 0, 'halt');
  await lab.tell({ tell: 'database', state: 'away' });
  await scene.goOn(voyage.run);
  await voyage.until(
    ({ mode, tracks }) =>
      mode === 'home' &&
      tracks.some(({ kind, steps, cursor }) => {
        const step = steps[cursor];
        return (
          kind === 'home' &&
          step?.step === 'act' &&
          step.waves.some(({ targets }) =>
            Object.values(targets).some(({ phase, failure }) => phase === 'held' && failure?.kind === 'needs'),
          )
        );
      }),
  );
  const [status, world] = [await scene.neap('status', voyage.run), await lab.status()];
  expectEnd(status, 0);
  expect(status.stdout).toMatch(/On its way home: the failure budget of 3 is spent/);
  expect(status.stdout).toMatch(/Way home, step 7 undo: enter offline mode: \d+ of \d+ servers/);
  expect(status.stdout).toMatch(/held: api-\d\d: the database does not answer from it/);
  // It holds: nobody is put online who would ask a database that is not there.
  expect(offline(world)).toContain('api-01');
  expect(moved(await lab.record(), 'apictl offline off')).toEqual([]);
  await lab.tell({ tell: 'database', state: 'back' });
  const { code, stdout } = await voyage.ended;
  expectEnd({ code, stdout }, 1);
  expect(stdout).toMatch(
    /PAGE Holding the safe state before "undo: enter offline mode" on .*the database does not answer from it/,
  );
  const end = await lab.status();
  expect(offline(end)).toEqual([]);
  expect(end.servers.filter(({ hung, seenUp }) => hung || !seenUp)).toEqual([]);
  // Whoever fell out before the budget was spent was taken out of the balancer while the line still went on; the last one
  // turned it for home.
  const kept = end.servers.flatMap(({ name, inRotation }) => (inRotation ? [] : [name]));
  expect(kept.length).toBeLessThanOrEqual(2);
  for (const server of kept) expect(stdout).toContain(`${server} is out of the run at step 7`);
  expect(/neap fleet rejoin (.*?) --fleet/.exec(stdout)?.[1] ?? '').toBe(kept.join(' '));
});
