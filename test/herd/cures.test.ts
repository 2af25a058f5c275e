import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  checkFuse,
  forecastFuse,
  type Cure,
  type CureCode,
  type FuseQuestion,
  type FuseServer,
} from '../../src/herd/index.ts';
import { fleetOf, NOW_MS, readAgo } from './fleet.ts';

/** The February plan, 10 s too long for what the refresh leaves of the shortest TTL. */
const plan: FuseQuestion = {
  servers: fleetOf(200),
  refresh: { perSecond: 10, overheadMs: 10_000 },
  outageMs: 130_000,
  marginMs: 30_000,
};

const codes = (cures: readonly Cure[]): CureCode[] => cures.map(({ code }) => code);

test('a refused plan is given every cure with its number, what only changes the plan first', () => {
  expect(forecastFuse(plan).cures).toEqual([
    {
      code: 'shorter-outage',
      value: 119_000,
      text: 'Shorten the outage to 119 s: with a margin of 30 s that is the longest that fits',
    },
    {
      code: 'refresh-faster',
      value: 20.1,
      text: 'Refresh faster: at least 20.1 servers a second in place of 10 (200 servers within 10 s), if the database can serve that; it leaves a fuse of 160 s',
    },
    {
      code: 'raise-ttl',
      value: 191_000,
      text: 'Raise the lowest time to live to 191 s, then wait 240 s, the longest old one, so that no value of the old kind is left, and refresh again before the cut',
    },
    {
      code: 'stale-on-error',
      text: 'Serve stale values while the database does not answer, and show it by a rehearsal; then no expiry is fatal',
    },
    {
      code: 'fail-fast',
      value: 8_100,
      text: 'Fail fast: a dependency timeout of at most 8.1 s, attempts included; requests that need the database fail, the servers live',
    },
    {
      code: 'cap-concurrency',
      value: 1_399,
      text: 'Cap concurrency at 1399 requests a server; 7.5% of the requests that need the database are refused at once (Erlang B), the servers live',
    },
    {
      code: 'answer-at-edge',
      text: 'Answer at the edge: let the balancer serve the maintenance page with Retry-After, so that nothing reaches the servers',
    },
  ]);
});

test('refreshing faster is not offered where even all at once would not fit', () => {
  expect(codes(forecastFuse({ ...plan, outageMs: 300_000 }).cures)).not.toContain('refresh-faster');
});

test('a shorter outage is not offered where none is short enough', () => {
  expect(codes(forecastFuse({ ...plan, marginMs: 200_000 }).cures)).not.toContain('shorter-outage');
});

test('without a refresh the first cure is to refresh right before the cut', () => {
  expect(forecastFuse({ ...plan, refresh: null }).cures[0]).toMatchObject({ code: 'refresh-first', value: 10.1 });
});

test('when time was lost since the refresh, refreshing again is the cure', () => {
  const servers = [readAgo('a', { ageMs: 100_000, ttlMs: 200_000, agoMs: 0 })];
  const { cures } = checkFuse({ ...plan, servers, nowMs: NOW_MS });
  expect(cures).toContainEqual(expect.objectContaining({ code: 'refresh-first', value: 10 }));
});

test('where the load is not declared, failing fast and a cap are named without a number', () => {
  const servers = plan.servers.map(({ load: _undeclared, ...server }) => server);
  for (const code of ['fail-fast', 'cap-concurrency']) {
    const cure = forecastFuse({ ...plan, servers }).cures.find((candidate) => candidate.code === code);
    expect(cure).toEqual({ code, text: expect.stringContaining("declare the servers' load") });
  }
});

test('each cure, taken alone at its number, makes the plan fit', () => {
  const plans = fc.record({
    count: fc.integer({ min: 1, max: 30 }),
    perSecond: fc.double({ min: 0.2, max: 40, noNaN: true }),
    overheadMs: fc.nat({ max: 30_000 }),
    outageMs: fc.nat({ max: 400_000 }),
    marginMs: fc.nat({ max: 60_000 }),
    requestsPerSecond: fc.integer({ min: 10, max: 600 }),
    refusedWaitMs: fc.option(fc.integer({ min: 1, max: 12_000 }), { nil: undefined }),
    memoryFreeBytes: fc.integer({ min: 40e6, max: 64e9 }),
  });
  let refused = 0;
  fc.assert(
    fc.property(
      plans,
      ({ count, perSecond, overheadMs, outageMs, marginMs, requestsPerSecond, memoryFreeBytes, refusedWaitMs }) => {
        const servers = fleetOf(count).map((server) => ({
          ...server,
          refusedWaitMs,
          load: { ...server.load!, requestsPerSecond, memoryFreeBytes },
        }));
        const question = { servers, refresh: { perSecond, overheadMs }, outageMs, marginMs };
        const { accepted, cures } = forecastFuse(question);
        if (!accepted) refused += 1;
        for (const cure of cures)
          expect({ cure, accepted: forecastFuse(taken(question, cure)).accepted }).toEqual({ cure, accepted: true });
      },
    ),
    { numRuns: 300 },
  );
  expect(refused).toBeGreaterThan(50);
});

test('spreading expiries is never offered: with the database away each of them is fatal', () => {
  const numbers = fc.record({
    outageMs: fc.nat({ max: 900_000 }),
    marginMs: fc.nat({ max: 300_000 }),
    perSecond: fc.double({ min: 0.01, max: 1_000, noNaN: true }),
    refreshed: fc.boolean(),
    loaded: fc.boolean(),
  });
  fc.assert(
    fc.property(numbers, ({ outageMs, marginMs, perSecond, refreshed, loaded }) => {
      const servers = loaded ? plan.servers : plan.servers.map(({ load: _undeclared, ...server }) => server);
      const forecast = forecastFuse({
        servers,
        refresh: refreshed ? { perSecond, overheadMs: 0 } : null,
        outageMs,
        marginMs,
      });
      const check = checkFuse({ servers, refresh: { perSecond, overheadMs: 0 }, outageMs, marginMs, nowMs: NOW_MS });
      for (const { code, text } of [...forecast.cures, ...check.cures]) {
        expect(`${code} ${text}`).not.toMatch(/stagger|spread|scatter|jitter|random|interleav|slower/i);
      }
    }),
  );
});

/** And a refresh that is spread further only shortens the fuse. */
test('a slower refresh is never safer', () => {
  const fuses = [1_000, 100, 10, 2].map(
    (perSecond) => forecastFuse({ ...plan, refresh: { perSecond, overheadMs: 0 } }).fuseMs,
  );
  expect(fuses).toEqual([179_800, 178_000, 160_000, 80_000]);
});

/** The plan with one cure taken at its number. */
function taken(
  question: FuseQuestion & { readonly refresh: NonNullable<FuseQuestion['refresh']> },
  { code, value = 0 }: Cure,
): FuseQuestion {
  const each = (change: (server: FuseServer) => FuseServer): FuseQuestion => ({
    ...question,
    servers: question.servers.map(change),
  });
  switch (code) {
    case 'shorter-outage':
      return { ...question, outageMs: value };
    case 'refresh-first':
    case 'refresh-faster':
      return { ...question, refresh: { ...question.refresh, perSecond: value } };
    case 'raise-ttl':
      return each((server) => ({
        ...server,
        clocks: server.clocks.map((clock) => ({
          ...clock,
          ttlMs: { min: value, max: Math.max(value, clock.ttlMs.max) },
        })),
      }));
    case 'stale-on-error':
      return each((server) => ({
        ...server,
        clocks: server.clocks.map((clock) => ({ ...clock, whenExpired: 'stale-served' as const })),
      }));
    case 'refuse-connections':
    case 'fail-fast':
      return each((server) => ({ ...server, dependencyTimeoutMs: value }));
    case 'cap-concurrency':
      return each((server) => ({ ...server, load: { ...server.load!, concurrencyLimit: value } }));
    case 'answer-at-edge':
      return each((server) => ({ ...server, load: { ...server.load!, requestsPerSecond: 0 } }));
  }
}
