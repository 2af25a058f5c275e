import { expect, test, vi } from 'vitest';
import type { Server } from '../../src/model/index.ts';
import { openScene, VOYAGE_MS } from '../support/scene.ts';

// Goal: whoever fills in a fleet file sees what neap reads, where from and when, and is told what cannot be true before
// a forecast is made of it. Method: `neap fleet check` on a lab, as it is, with every way to be wrong about a unit, and
// with a clock that nobody can read.

vi.setConfig({ testTimeout: VOYAGE_MS, maxConcurrency: 2 });

type Clock = Server['service']['clocks'][number];

const withClock =
  (change: (clock: Clock) => Clock) =>
  (server: Server): Server => ({
    ...server,
    service: { ...server.service, clocks: server.service.clocks.map(change) },
  });

test.concurrent('every reading is shown with its source and its time, and as data', async () => {
  await using scene = await openScene();
  const { fleet } = await scene.lab({ servers: 2 });
  const { code, stdout } = await scene.neap('fleet', 'check', '--fleet', fleet);
  expect(stdout).toMatch(
    /^Readings at [\d:]+ UTC:\n {2}clock config: 2 servers\n {4}api-0\d: .* left of .* \(from apictl cache status, [\d:]+ UTC\)$/m,
  );
  expect(stdout).toMatch(
    /^ {2}database: a request waits 10 s; it serves 40 refreshes a second \(declared\), on 2 of 2 servers$/m,
  );
  expect(stdout).toMatch(/^ {2}the balancer's page is off\n2 servers are ready\.$/m);
  expect(code).toBe(0);
  const json = JSON.parse((await scene.neap('fleet', 'check', '--fleet', fleet, '--json')).stdout) as {
    clocks: object[];
  };
  expect(json.clocks).toMatchObject([
    { server: 'api-01', clock: 'config', source: 'apictl cache status' },
    { server: 'api-02' },
  ]);
});

test.concurrent.each<[string, (clock: Clock) => Clock, RegExp]>([
  [
    'a range that is declared in seconds',
    (clock) => ({ ...clock, ttlMs: { min: clock.ttlMs.min / 1000, max: clock.ttlMs.max / 1000 } }),
    /has a TTL of \d+ s, far from the declared 7200 ms to 11 s: it seems to be given in milliseconds where seconds are declared/,
  ],
  [
    'a reading whose milliseconds are taken for seconds',
    (clock) => ({
      ...clock,
      read: {
        run: 'apictl cache status',
        gives: { age: { at: 'ageMs', unit: 's' }, ttl: { at: 'ttlMs', unit: 's' }, absent: [], never: [] },
      },
    }),
    /has a TTL of \d+ s, far from .*milliseconds where seconds/,
  ],
  [
    'an age whose milliseconds are taken for minutes, where no time to live is told',
    (clock) => ({
      ...clock,
      read: { run: 'apictl cache status', gives: { age: { at: 'ageMs', unit: 'min' }, absent: [], never: [] } },
    }),
    /has an age of \d+ s|fell by \d+ ms in \d+ ms, too fast/,
  ],
  [
    'a reading that stands still',
    (clock) => ({
      ...clock,
      read: { run: 'apictl cache status', gives: { left: { at: 'ttlMs', unit: 'ms' }, absent: [], never: [] } },
    }),
    /what is left of clock config fell by 0 ms in \d+ ms, too slowly to be told in this unit/,
  ],
])('%s is a fault with its remedy', async (_, change, why) => {
  await using scene = await openScene();
  const { fleet } = await scene.lab({ servers: 1, edit: withClock(change) });
  const { code, stdout } = await scene.neap('fleet', 'check', '--fleet', fleet);
  expect(stdout).toMatch(why);
  expect(stdout).toMatch(/^1 of 1 servers are not ready\.$/m);
  expect(code).toBe(1);
});

test.concurrent('a clock that nobody can read is unknown until it is refreshed; with that the window is run to its end', async () => {
  await using scene = await openScene();
  const lab = await scene.lab({ servers: 3, edit: withClock(({ read: _read, ...clock }) => clock) });
  const { code, stdout } = await scene.neap('fleet', 'check', '--fleet', lab.fleet);
  expect(stdout).toMatch(/api-01, api-02, api-03: its age cannot be read; unknown until neap has refreshed it/);
  expect(code).toBe(0);
  const ran = await scene.neap('run', await scene.plan(lab), '--unattended');
  expect(ran.stdout).toMatch(/Fuse \d+ s \(config on api-0\d expires first\)/);
  expect(ran.code).toBe(0);
});
