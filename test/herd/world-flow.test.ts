import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  accountOf,
  advance,
  createWorld,
  cutPath,
  enterOffline,
  february,
  gracefulRestart,
  hang,
  hardReset,
  leaveOffline,
  NEVER,
  powerOff,
  powerOn,
  refreshCache,
  request,
  setAdmission,
  setDatabase,
  setFront,
  setLoad,
  setPage,
  setRotation,
  slowDatabase,
  type World,
  type WorldOptions,
} from '../../src/herd/index.ts';
import { erlangB } from '../../src/herd/formulas.ts';

const second = 1_000;

function worldOf(change: Partial<WorldOptions>, count = 6, seed = 1): World {
  const servers = Array.from({ length: count }, (_, index) => ({ name: `api-${index}`, files: [] }));
  return createWorld({ ...february, servers, ...change }, seed);
}

const FRONT = { capacityPerSecond: 500, room: 1_500, patienceMs: 2_000, perRequest: 0.7, checkWithinMs: 1_000 };

/** Everything that can be done to a world, by number. */
const DEEDS: readonly ((world: World, at: number) => unknown)[] = [
  (world, at) => hang(world, world.servers[at]!),
  (world, at) => hardReset(world, world.servers[at]!),
  (world, at) => gracefulRestart(world, world.servers[at]!),
  (world, at) => powerOff(world, world.servers[at]!),
  (world, at) => powerOn(world, world.servers[at]!),
  (world, at) => setRotation(world, world.servers[at]!, at % 2 === 0),
  (world, at) => enterOffline(world, world.servers[at]!),
  (world, at) => leaveOffline(world, world.servers[at]!),
  (world, at) => refreshCache(world, world.servers[at]!),
  (world, at) => cutPath(world, world.servers[at]!, world.nowMs + 7 * second),
  (world) => setDatabase(world, 'away'),
  (world) => setDatabase(world, 'hanging', world.nowMs + 9 * second),
  (world) => setDatabase(world, 'refusing'),
  (world) => setDatabase(world, 'up'),
  (world, at) => slowDatabase(world, at * 800),
  (world, at) => setPage(world, at % 2 === 0),
  (world, at) => setLoad(world, at / 3),
  (world, at) => setAdmission(world, at / 5),
  (world, at) => setFront(world, { capacityPerSecond: 200 + 100 * at }),
];

const deeds = fc.array(
  fc.record({ afterMs: fc.integer({ min: 0, max: 20 * second }), deed: fc.nat(DEEDS.length - 1), at: fc.nat(5) }),
  { maxLength: 25 },
);
const options: fc.Arbitrary<Partial<WorldOptions>> = fc.record({
  concurrencyLimit: fc.constantFrom(null, 40, 2_000),
  anonymousShare: fc.constantFrom(0, 0.3),
  databaseTimeoutMs: fc.constantFrom(1_000, 10_000),
  hangTimeoutMs: fc.constantFrom(4_000, NEVER),
  staleOnError: fc.boolean(),
  offlineLeaves: fc.boolean(),
  balancerLimitPerSecond: fc.constantFrom(null, 200),
  capacityPerSecond: fc.constantFrom(1, 1_000),
  front: fc.constantFrom(null, FRONT),
  health: fc
    .constantFrom('process' as const, 'worker' as const, 'database' as const)
    .map((asks) => ({ ...february.health, asks, phaseMs: 300 })),
  ttl: fc.constantFrom(february.ttl, { minMs: 3_000, maxMs: 9_000, drawn: 'per-refresh' as const }),
});

function happen(world: World, story: readonly { afterMs: number; deed: number; at: number }[], stepMs: number): void {
  let atMs = 0;
  const until = (toMs: number): void => {
    for (let ms = world.nowMs; ms < toMs; ms += stepMs) advance(world, ms);
    advance(world, toMs);
  };
  for (const { afterMs, deed, at } of story) {
    until((atMs += afterMs));
    DEEDS[deed]!(world, at);
  }
  until(atMs + 30 * second);
}

test('no request is lost or made: arrived is answered, refused, failed, paged and waiting, whatever is done', () => {
  fc.assert(
    fc.property(options, deeds, (change, story) => {
      const world = worldOf(change);
      happen(world, story, 60 * second);
      const { arrived, answered, refused, failed, paged, waiting } = accountOf(world);
      for (const part of [answered, refused, failed, paged, waiting]) expect(part).toBeGreaterThan(-1e-6);
      expect(answered + refused + failed + paged + waiting).toBeCloseTo(arrived, 4);
      // And as many as the day brings, however they are shared.
      const brought = story.every(({ deed }) => DEEDS[deed] !== DEEDS[16]) ? (6 * 150 * world.nowMs) / second : arrived;
      expect(arrived).toBeCloseTo(brought, 4);
    }),
    { numRuns: 250 },
  );
});

test('a world is the same however its time is cut, whatever is done', () => {
  fc.assert(
    fc.property(options, deeds, (change, story) => {
      const [whole, cut] = [worldOf(change), worldOf(change)];
      happen(whole, story, 60 * second);
      happen(cut, story, 777);
      const told = (world: World): unknown => [
        world.tally.deaths,
        world.database.refreshes,
        world.servers.map(({ hungAtMs, seenUp, cache }) => [hungAtMs, seenUp, cache]),
      ];
      expect(told(cut)).toEqual(told(whole));
      expect(accountOf(cut).answered).toBeCloseTo(accountOf(whole).answered, 2);
    }),
    { numRuns: 100 },
  );
});

test('a fluid is what the closed forms say: r * D in flight, and 1 - W / (r * D) refused by a cap', () => {
  const world = worldOf({ overloadPerSecond: null, requestsPerSecond: 50, concurrencyLimit: 200 }, 1);
  setDatabase(world, 'away');
  advance(world, 100 * second);
  const before = accountOf(world);
  advance(world, 1_100 * second);
  const after = accountOf(world);
  const refused = (after.refused - before.refused) / (after.arrived - before.arrived);
  expect(refused).toBeCloseTo(1 - 200 / 500, 3);
  // Chance adds to it: Erlang's formula for the same is a little above its fluid limit.
  expect(erlangB(200, 500) - refused).toBeGreaterThan(0);
  expect(erlangB(200, 500) - refused).toBeLessThan(0.01);
  expect(after.waiting).toBeCloseTo(200, 0);
});

test('a server whose cache expires dies when its memory is full, M / (m * r) later, and only if r * D does not fit', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 400 }),
      fc.integer({ min: 100, max: 30_000 }),
      fc.integer({ min: 10, max: 3_000 }),
      (requestsPerSecond, databaseTimeoutMs, places) => {
        const memory = { baseBytes: 0, limitBytes: places, perRequestBytes: 1 };
        const change = { requestsPerSecond, databaseTimeoutMs, memory, overloadPerSecond: null, startOffline: true };
        const world = worldOf(change, 1);
        const server = world.servers[0]!;
        refreshCache(world, server);
        setDatabase(world, 'away');
        const expiresMs = server.cache!.ttlMs;
        advance(world, 400 * second);
        const fits = (requestsPerSecond * databaseTimeoutMs) / second < places - 1e-3;
        const dueMs = fits ? null : expiresMs + (places / requestsPerSecond) * second;
        expect(server.hungAtMs === null).toBe(dueMs === null);
        expect(Math.abs((server.hungAtMs ?? 0) - (dueMs ?? 0))).toBeLessThan(2 + requestsPerSecond / 100);
      },
    ),
    { numRuns: 200 },
  );
});

test('a mass reset is refreshed at N / (b - a) a second, and a stationary herd at N / mean', () => {
  const world = worldOf({ startOffline: true, capacityPerSecond: 1e6 }, 2_000);
  for (const server of world.servers) refreshCache(world, server);
  advance(world, 60 * second);
  Object.assign(world.database, { refreshes: 0, peakPerSecond: 0 });
  advance(world, 241 * second);
  expect(world.database.refreshes).toBe(2_000);
  const mean = 2_000 / 60;
  expect(world.database.peakPerSecond).toBeGreaterThan(mean);
  expect(world.database.peakPerSecond).toBeLessThan(mean + 4 * Math.sqrt(mean));
  const stationary = worldOf({ startOffline: true, capacityPerSecond: 1e6 }, 2_000);
  advance(stationary, 2_100 * second);
  expect(stationary.database.refreshes / 2_100).toBeGreaterThan((2_000 / 210) * 0.97);
  expect(stationary.database.refreshes / 2_100).toBeLessThan((2_000 / 210) * 1.03);
});

test('a hung database holds every process, and refusing frees them; a read timeout keeps them', () => {
  const health = { ...february.health, asks: 'worker' as const };
  const change = { concurrencyLimit: 256, anonymousShare: 0.4, overloadPerSecond: null, health };
  const world = worldOf({ ...change, hangTimeoutMs: NEVER });
  setDatabase(world, 'hanging');
  advance(world, 60 * second);
  expect(world.servers.every(({ seenUp }) => !seenUp)).toBe(true);
  expect(accountOf(world).waiting).toBeCloseTo(6 * 256, 0);
  setDatabase(world, 'refusing');
  advance(world, 70 * second);
  expect(world.servers.every(({ seenUp }) => seenUp)).toBe(true);
  expect(accountOf(world).waiting).toBe(0);
  const patient = worldOf({ ...change, hangTimeoutMs: 1_000 });
  setDatabase(patient, 'hanging');
  advance(patient, 60 * second);
  expect(patient.servers.every(({ seenUp }) => seenUp)).toBe(true);
  expect(request(patient, patient.servers[0]!, 'logged-in')).toEqual({ status: 503, tookMs: 1_000 });
  expect(refreshCache(patient, patient.servers[0]!)).toEqual({ ok: false, changed: false, tookMs: 1_000 });
  expect(accountOf(patient).answered / accountOf(patient).arrived).toBeCloseTo(0.4, 3);
});

test('a balancer that takes offline for down gives the load to whoever is left', () => {
  const world = worldOf({ offlineLeaves: true, overloadPerSecond: null }, 4);
  enterOffline(world, world.servers[0]!);
  advance(world, 10);
  expect(world.servers.map(({ ratePerSecond }) => ratePerSecond)).toEqual([0, 200, 200, 200]);
  leaveOffline(world, world.servers[0]!);
  expect(world.servers[0]!.ratePerSecond).toBe(150);
});
