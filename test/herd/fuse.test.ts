import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkFuse, forecastFuse, fuseFromReadings, type FuseQuestion, type FuseServer } from '../../src/herd/index.ts';
import { FailureError } from '../../src/model/index.ts';
import { clock, february, fleetOf, NOW_MS, readAgo } from './fleet.ts';

const question = (changes: Partial<FuseQuestion> = {}): FuseQuestion => ({
  servers: fleetOf(200),
  refresh: { perSecond: 28, overheadMs: 5_000 },
  outageMs: 120_000,
  marginMs: 30_000,
  ...changes,
});

test('the February plan: 200 servers at 28 a second and 5 s to the cut leave 180 - 7.1 - 5 s, and 300 s do not fit', () => {
  const forecast = forecastFuse(question({ outageMs: 300_000 }));
  expect(forecast.accepted).toBe(false);
  expect(forecast.fuseMs).toBeCloseTo(180_000 - 7_142.857 - 5_000, 2);
  expect(forecast.because).toEqual([
    'the shortest clock is config on api-000: 180 s after a refresh at the least',
    'refreshing 200 servers at 28 a second takes 7.1 s, and 5 s pass from there to the cut: 167.9 s are left',
    'api-000 and 199 more: 150 requests/s that wait 10 s each are 1500 in flight, up to 1694 at once, and memory holds 1399 with one place kept free: it is exhausted about 9.3 s after the expiry',
    'an outage of 300 s and a margin of 30 s do not fit into a fuse of 167.9 s',
  ]);
});

test('the same fleet outlasts 120 s, and nothing is to be cured', () => {
  expect(forecastFuse(question())).toMatchObject({ accepted: true, cures: [], outageMs: 120_000, marginMs: 30_000 });
});

test('outage and margin that reach the fuse exactly are refused; a millisecond less is accepted', () => {
  const refresh = { perSecond: 200, overheadMs: 4_000 };
  expect(forecastFuse(question({ refresh, outageMs: 145_000 })).accepted).toBe(false);
  expect(forecastFuse(question({ refresh, outageMs: 144_999 })).accepted).toBe(true);
});

test('the shortest of all clocks on all servers counts, and is named', () => {
  const servers = [
    ...fleetOf(3),
    { ...february('odd'), clocks: [clock('config'), clock('tokens', { ttlMs: { min: 20_000, max: 30_000 } })] },
  ];
  const forecast = forecastFuse(question({ servers, refresh: { perSecond: 4, overheadMs: 0 } }));
  expect(forecast.fuseMs).toBe(19_000);
  expect(forecast.because[0]).toContain('tokens on odd');
});

test('a clock that was shown to be survivable does not count', () => {
  for (const whenExpired of ['stale-served', 'not-needed'] as const) {
    const servers = fleetOf(10).map((server) => ({ ...server, clocks: [clock('config', { whenExpired })] }));
    expect(forecastFuse(question({ servers, outageMs: 3_600_000 }))).toMatchObject({ accepted: true, fuseMs: null });
  }
});

test('one fatal clock beside a survivable one is enough', () => {
  const servers = fleetOf(10).map((server) => ({
    ...server,
    clocks: [clock('config', { whenExpired: 'not-needed' }), clock('keys', { ttlMs: { min: 60_000, max: 60_000 } })],
  }));
  expect(forecastFuse(question({ servers, refresh: { perSecond: 10, overheadMs: 0 } }))).toMatchObject({
    accepted: false,
    fuseMs: 59_000,
  });
});

test('without a declared load every expiry is fatal', () => {
  const servers = fleetOf(10).map(({ load: _undeclared, ...server }) => server);
  const forecast = forecastFuse(question({ servers, outageMs: 300_000 }));
  expect(forecast).toMatchObject({ accepted: false });
  expect(forecast.because.join('\n')).toContain('its load is not declared, so every expiry is taken as fatal');
});

test.each([
  [
    'requests that fit the memory',
    { load: { requestsPerSecond: 80, memoryPerRequestBytes: 40e6, memoryFreeBytes: 56e9 } },
    'the server lives',
  ],
  ['a short timeout', { dependencyTimeoutMs: 1_000 }, 'fail after 1 s'],
  [
    'a cap that fits',
    { load: { requestsPerSecond: 150, memoryPerRequestBytes: 40e6, memoryFreeBytes: 56e9, concurrencyLimit: 300 } },
    '80% of the requests',
  ],
] satisfies [string, Partial<FuseServer>, string][])(
  '%s: the expiry does not hang the server, and the forecast says what happens instead',
  (_what, changes, says) => {
    const servers = fleetOf(10).map((server) => ({ ...server, ...changes }));
    const forecast = forecastFuse(question({ servers, outageMs: 3_600_000 }));
    expect(forecast).toMatchObject({ accepted: true, fuseMs: null });
    expect(forecast.because.join('\n')).toContain(says);
  },
);

test('a cap above what the memory holds is no cap', () => {
  const servers = fleetOf(10).map((server) => ({ ...server, load: { ...server.load!, concurrencyLimit: 1_400 } }));
  expect(forecastFuse(question({ servers, outageMs: 300_000 })).accepted).toBe(false);
});

test('without a refresh before the cut there is no fuse at all', () => {
  expect(forecastFuse(question({ refresh: null, outageMs: 0, marginMs: 0 }))).toMatchObject({
    accepted: false,
    fuseMs: 0,
  });
});

test('a longer outage, a larger margin, more servers, fewer slots and a longer way to the cut are never safer', () => {
  const numbers = fc.record({
    count: fc.integer({ min: 1, max: 50 }),
    perSecond: fc.double({ min: 0.1, max: 50, noNaN: true }),
    overheadMs: fc.nat({ max: 60_000 }),
    outageMs: fc.nat({ max: 300_000 }),
    marginMs: fc.nat({ max: 60_000 }),
  });
  fc.assert(
    fc.property(numbers, fc.nat({ max: 100_000 }), (at, more) => {
      if (accepts(at)) return;
      expect(accepts({ ...at, outageMs: at.outageMs + more })).toBe(false);
      expect(accepts({ ...at, marginMs: at.marginMs + more })).toBe(false);
      expect(accepts({ ...at, overheadMs: at.overheadMs + more })).toBe(false);
      expect(accepts({ ...at, perSecond: at.perSecond / (1 + more) })).toBe(false);
      expect(accepts({ ...at, count: at.count + (more % 50) })).toBe(false);
    }),
  );
});

test.each([
  ['no server', { servers: [] }],
  ['an outage that is no number', { outageMs: Number.NaN }],
  ['a negative margin', { marginMs: -1 }],
  ['a rate of zero', { refresh: { perSecond: 0, overheadMs: 0 } }],
  ['a TTL of zero', { servers: [{ ...february('a'), clocks: [clock('config', { ttlMs: { min: 0, max: 1 } })] }] }],
  ['no timeout', { servers: [{ ...february('a'), dependencyTimeoutMs: 0 }] }],
] satisfies [string, Partial<FuseQuestion>][])('%s is refused rather than forecast', (_what, changes) => {
  expect(() => forecastFuse(question(changes))).toThrow(FailureError);
});

test('the countdown names the clock that ends first, when, and until when the database must be back', () => {
  const servers = [
    readAgo('a', { ageMs: 10_000, ttlMs: 200_000, agoMs: 5_000 }),
    readAgo('b', { ageMs: 40_000, ttlMs: 210_000, agoMs: 0 }),
    readAgo('c', { ageMs: 0, ttlMs: 181_000, agoMs: 1_000 }),
  ];
  const reading = fuseFromReadings({ servers, nowMs: NOW_MS, marginMs: 30_000 });
  expect(reading).toMatchObject({
    fuseMs: 170_000,
    shortest: { server: 'b', clock: 'config', endsAtMs: NOW_MS + 170_000 },
    latestSafeReturnMs: NOW_MS + 140_000,
    unread: [],
  });
  expect(fuseFromReadings({ servers, nowMs: NOW_MS + 60_000, marginMs: 30_000 })).toMatchObject({
    fuseMs: 110_000,
    latestSafeReturnMs: NOW_MS + 140_000,
  });
});

test('the check right before the cut refuses what does not fit the readings, whatever was forecast', () => {
  const servers = [
    readAgo('a', { ageMs: 0, ttlMs: 200_000, agoMs: 0 }),
    readAgo('b', { ageMs: 90_000, ttlMs: 190_000, agoMs: 0 }),
  ];
  const check = {
    servers,
    refresh: { perSecond: 10, overheadMs: 0 },
    outageMs: 80_000,
    marginMs: 20_000,
    nowMs: NOW_MS,
  };
  expect(checkFuse(check)).toMatchObject({ accepted: false, fuseMs: 100_000 });
  expect(checkFuse({ ...check, marginMs: 19_999 })).toMatchObject({ accepted: true, cures: [] });
  expect(checkFuse(check).because[0]).toBe('the clock that ends first is config on b, in 100 s');
});

test.each([
  ['no reading', { clocks: [clock('config')] }],
  ['a negative age', readAgo('a', { ageMs: -1, ttlMs: 200_000, agoMs: 0 })],
  ['a TTL of zero', readAgo('a', { ageMs: 0, ttlMs: 0, agoMs: 0 })],
  ['an age that is no number', readAgo('a', { ageMs: Number.NaN, ttlMs: 200_000, agoMs: 0 })],
  ['a reading from the future', readAgo('a', { ageMs: 0, ttlMs: 200_000, agoMs: -60_000 })],
] satisfies [string, Partial<FuseServer>][])('%s counts as expired, and the server is named', (_what, changes) => {
  const servers = [readAgo('b', { ageMs: 0, ttlMs: 200_000, agoMs: 0 }), { ...february('a'), ...changes }];
  const verdict = checkFuse({ servers, refresh: null, outageMs: 0, marginMs: 0, nowMs: NOW_MS });
  expect(verdict).toMatchObject({ accepted: false, fuseMs: 0, reading: { unread: ['a/config'] } });
  expect(verdict.because[0]).toBe('a/config could not be read and counts as expired: refresh first');
});

test('a TTL given in another unit cannot lengthen the fuse beyond what the clock is declared to live', () => {
  const servers = [readAgo('a', { ageMs: 0, ttlMs: 200_000_000, agoMs: 0 })];
  expect(fuseFromReadings({ servers, nowMs: NOW_MS, marginMs: 0 }).fuseMs).toBe(240_000);
});

test('a clock that ended is zero, not negative', () => {
  const servers = [readAgo('a', { ageMs: 190_000, ttlMs: 200_000, agoMs: 15_000 })];
  const reading = fuseFromReadings({ servers, nowMs: NOW_MS, marginMs: 10_000 });
  expect(reading).toMatchObject({ fuseMs: 0, latestSafeReturnMs: NOW_MS - 15_000 });
  expect(reading.because).toEqual(['clock config on a ended 5 s ago: refresh first']);
});

test('the forecast of ten thousand servers, each with a load of its own, is a page and takes no time', () => {
  const servers = fleetOf(10_000).map((server, k) => ({
    ...server,
    load: { ...server.load!, requestsPerSecond: 100 + k / 100 },
  }));
  const forecast = forecastFuse(question({ servers, refresh: { perSecond: 500, overheadMs: 0 }, outageMs: 300_000 }));
  expect(forecast.because.length).toBeLessThan(12);
});

interface Numbers {
  readonly count: number;
  readonly perSecond: number;
  readonly overheadMs: number;
  readonly outageMs: number;
  readonly marginMs: number;
}

function accepts({ count, perSecond, overheadMs, outageMs, marginMs }: Numbers): boolean {
  return forecastFuse({ servers: fleetOf(count), refresh: { perSecond, overheadMs }, outageMs, marginMs }).accepted;
}
