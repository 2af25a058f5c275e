import { expect, test } from 'vitest';
import {
  advance,
  cacheOf,
  createWorld,
  cutPath,
  databaseAnswers,
  enterOffline,
  february,
  gracefulRestart,
  halfApply,
  hang,
  hardReset,
  isAlive,
  leaveOffline,
  refreshCache,
  request,
  setDatabase,
  setPage,
  setRotation,
  waiting,
  type World,
  type WorldOptions,
} from '../../src/herd/world/index.ts';

const second = 1_000;

function herd(change: Partial<WorldOptions> = {}, count = 200, seed = 1): World {
  const servers = Array.from({ length: count }, (_, index) => ({
    name: `api-${index}`,
    files: [
      { path: '/srv/a', content: 'a'.repeat(100), older: 'old a', mode: '0644', owner: 'root:root' },
      { path: '/srv/b', content: 'b'.repeat(100), older: 'old b', mode: '0644', owner: 'root:root' },
    ],
  }));
  return createWorld({ ...february, servers, capacityPerSecond: 1e6, ...change }, seed);
}

/** The evening of February: everything offline at once, then the database goes, and comes back after `outageMs`. */
function outage(change: Partial<WorldOptions>, outageMs = 600 * second, seed = 1): World {
  const world = herd(change, 200, seed);
  for (const server of world.servers) enterOffline(world, server);
  advance(world, 10);
  setDatabase(world, 'away', outageMs);
  advance(world, 600 * second);
  return world;
}

function deaths(world: World): number[] {
  return world.servers
    .flatMap(({ hungAtMs }) => (hungAtMs === null ? [] : [hungAtMs / second]))
    .toSorted((a, b) => a - b);
}

test.each([1, 2, 3])(
  'a reset of all caches lights a fuse of three minutes, and all die within seconds (seed %i)',
  (seed) => {
    const dead = deaths(outage({ health: { ...february.health, intervalMs: 100, fall: 1, rise: 1 } }, undefined, seed));
    expect(dead).toHaveLength(200);
    expect(dead[0]).toBeGreaterThan(189);
    expect(dead[0]).toBeLessThan(191);
    expect(dead.at(-1)).toBeGreaterThan(210);
    expect(dead.at(-1)).toBeLessThan(222);
    // A balancer that needs four seconds to see a death moves the load later, and saves nobody.
    expect(deaths(outage({}, undefined, seed)).at(-1)).toBeLessThan(226);
  },
);

test('without the reset the first server dies ten seconds after the database goes', () => {
  const world = herd({ startOffline: true });
  setDatabase(world, 'away');
  advance(world, 300 * second);
  const dead = deaths(world);
  expect(dead).toHaveLength(200);
  expect(dead[0]).toBeGreaterThan(9.3);
  expect(dead[0]).toBeLessThan(11.5);
  expect(dead.at(-1)).toBeGreaterThan(105);
  expect(dead.at(-1)).toBeLessThan(135);
});

test.each([
  ['a timeout of one second', { databaseTimeoutMs: 1_000 }],
  ['a concurrency cap', { concurrencyLimit: 300 }],
  ['stale values on errors', { staleOnError: true }],
  ['a service without the bug', { needsCacheOffline: false }],
  ['half the memory free', { requestsPerSecond: 100, overloadPerSecond: 220 }],
] satisfies [string, Partial<WorldOptions>][])('%s keeps every server alive', (_, change) => {
  expect(deaths(outage(change))).toEqual([]);
});

test('the database back at 170 s saves everything; at 300 s nothing', () => {
  expect(deaths(outage({}, 170 * second))).toEqual([]);
  expect(deaths(outage({}, 300 * second))).toHaveLength(200);
});

test('in flight grows with the rate, up to rate times timeout', () => {
  const world = herd({ overloadPerSecond: null, requestsPerSecond: 50 }, 1);
  setDatabase(world, 'away');
  advance(world, 4 * second);
  expect(waiting(world, world.servers[0]!)).toBeCloseTo(200, 6);
  advance(world, 60 * second);
  expect(waiting(world, world.servers[0]!)).toBeCloseTo(500, 6);
  setRotation(world, world.servers[0]!, false);
  advance(world, 65 * second);
  expect(waiting(world, world.servers[0]!)).toBeCloseTo(250, 6);
});

test('the same seed gives the same world, however its time is cut', () => {
  const whole = outage({ ttl: { minMs: 180_000, maxMs: 240_000, drawn: 'per-refresh' } });
  const cut = herd({ ttl: { minMs: 180_000, maxMs: 240_000, drawn: 'per-refresh' } });
  for (const server of cut.servers) enterOffline(cut, server);
  advance(cut, 10);
  setDatabase(cut, 'away', 600 * second);
  for (let atMs = 0; atMs <= 600 * second; atMs += 333) advance(cut, atMs);
  advance(cut, 600 * second);
  expect(deaths(cut)).toEqual(deaths(whole));
  expect(JSON.parse(JSON.stringify(whole))).toEqual(whole);
  expect(deaths(outage({}, undefined, 2))).not.toEqual(deaths(outage({}, undefined, 3)));
});

test('a hang outlives the traffic; only a hard reset ends it, with a new boot, online and with an empty cache', () => {
  const world = herd({ halfAppliedByReset: true }, 4);
  const server = world.servers[0]!;
  enterOffline(world, server);
  hang(world, server);
  setPage(world, true);
  advance(world, 600 * second);
  expect(isAlive(server)).toBe(false);
  expect(server.seenUp).toBe(false);
  expect(gracefulRestart(world, server)).toBe(false);
  const before = server.bootId;
  hardReset(world, server);
  advance(world, 624 * second);
  expect(request(world, server, 'health')).toBeNull();
  advance(world, 631 * second);
  expect(request(world, server, 'health')).toEqual({ status: 200, tookMs: 20 });
  expect(server).toMatchObject({ offline: false, cache: null, seenUp: true, resets: 1 });
  expect(server.bootId).not.toBe(before);
  expect(Object.values(server.files).some(({ content }) => content.length === 60)).toBe(true);
  expect(server.running['/srv/a']).toBe(server.files['/srv/a']!.content);
});

test('a death moves its load to the others once the balancer has seen it', () => {
  const world = herd({}, 4);
  hang(world, world.servers[0]!);
  advance(world, 1.9 * second);
  expect(world.servers[1]!.ratePerSecond).toBe(150);
  advance(world, 4 * second);
  expect(world.servers[1]!.ratePerSecond).toBe(200);
  expect(world.servers[0]!.ratePerSecond).toBe(0);
});

test('offline mode resets the cache, needs the database for it, and is entered once', () => {
  const world = herd({}, 2);
  const [first, other] = world.servers as [World['servers'][number], World['servers'][number]];
  expect(cacheOf(world, first)!.ageMs).toBeGreaterThan(0);
  expect(enterOffline(world, first)).toEqual({ ok: true, changed: true, tookMs: 0 });
  expect(cacheOf(world, first)!.ageMs).toBe(0);
  advance(world, 10 * second);
  expect(enterOffline(world, first)).toEqual({ ok: true, changed: false, tookMs: 0 });
  expect(cacheOf(world, first)!.ageMs).toBe(10 * second);
  cutPath(world, other, 40 * second);
  expect(enterOffline(world, other)).toEqual({ ok: false, changed: false, tookMs: 10_000 });
  expect(other.offline).toBe(false);
});

test('a cut removes itself, and only that server suffers from it', () => {
  const world = herd({}, 2);
  const [first, other] = world.servers as [World['servers'][number], World['servers'][number]];
  cutPath(world, first, 5 * second);
  expect([databaseAnswers(world, first), databaseAnswers(world, other)]).toEqual([false, true]);
  expect(request(world, first, 'logged-in')).toEqual({ status: 503, tookMs: 10_000 });
  expect(request(world, first, 'anonymous')!.status).toBe(200);
  expect(request(world, other, 'logged-in')!.status).toBe(200);
  advance(world, 5 * second);
  expect(databaseAnswers(world, first)).toBe(true);
  expect(waiting(world, first)).toBe(0);
});

test('an offline server meets the bug when its cache expires, and is well again with the database', () => {
  const world = herd({ requestsPerSecond: 10 }, 1);
  const server = world.servers[0]!;
  enterOffline(world, server);
  setDatabase(world, 'away', 300 * second);
  advance(world, 179 * second);
  expect(request(world, server, 'logged-in')!.status).toBe(200);
  advance(world, 241 * second);
  expect(request(world, server, 'logged-in')).toEqual({ status: 503, tookMs: 10_000 });
  setDatabase(world, 'refusing', 300 * second);
  expect(request(world, server, 'logged-in')).toEqual({ status: 503, tookMs: 0 });
  advance(world, 300 * second);
  expect(request(world, server, 'logged-in')!.status).toBe(200);
  expect(leaveOffline(world, server).changed).toBe(true);
});

test('refreshes queue at the capacity of the database, which counts them', () => {
  const world = herd({ capacityPerSecond: 10 }, 200);
  const told = world.servers.map((server) => refreshCache(world, server));
  expect(world.database).toMatchObject({ refreshes: 200, peakPerSecond: 200 });
  expect(told[50]).toEqual({ ok: true, changed: true, tookMs: 5_000 });
  expect(told.at(-1)).toEqual({ ok: false, changed: false, tookMs: 10_000 });
  advance(world, 5 * second);
  expect(cacheOf(world, world.servers[50]!)!.ageMs).toBe(0);
});

test('half-applied configuration differs from what was declared', () => {
  const world = herd({}, 1);
  const server = world.servers[0]!;
  halfApply(world, server);
  expect(
    server.files['/srv/a']!.content !== 'a'.repeat(100) || server.files['/srv/b']!.content !== 'b'.repeat(100),
  ).toBe(true);
});

test('ten minutes of 200 servers cost little', () => {
  const world = herd({});
  // Of this process's own time: the machine may have other things to do.
  const start = process.cpuUsage();
  for (let atMs = 0; atMs <= 600 * second; atMs += 1_000) advance(world, atMs);
  expect(process.cpuUsage(start).user / 1_000).toBeLessThan(1_000);
  // Live traffic refreshes every cache every three to four minutes: about 200 * 600 / 210.
  expect(world.database.refreshes).toBeGreaterThan(450);
  expect(world.database.refreshes).toBeLessThan(700);
});
