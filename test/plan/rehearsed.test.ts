import { describe, expect, test } from 'vitest';
import type { RehearsalRecord, Rehearsed, Server } from '../../src/model/index.ts';
import { judgeRehearsal, rehearsalMs } from '../../src/plan/index.ts';
import { paperFleet } from '../support/fleet.ts';

// Goal: what nobody has seen is not believed, and what was seen of something else, or too long ago, shows nothing.
// Method: one rehearsal and one plan that it bears out; then one thing is changed at a time.

type Facts = Parameters<typeof judgeRehearsal>[0];

const DAY_MS = 86_400_000;
const harmless = (server: Server): Server => ({
  ...server,
  service: {
    ...server.service,
    dependencies: { database: { ...server.service.dependencies['database']!, cutManner: 'drop' } },
    load: { requestsPerSecond: 100, memoryPerRequestBytes: 1, memoryFreeBytes: 1_000 },
    clocks: server.service.clocks.map((clock) => ({ ...clock, whenExpired: 'not-needed' as const })),
  },
});
const servers = paperFleet({ servers: 3 }).servers.map(harmless);
const blind = servers.map((server) => ({ ...server, service: { ...server.service, clocks: [] } }));

const rehearsal: Rehearsed = {
  step: '7',
  server: 'api-1',
  group: 'api',
  dependency: 'database',
  manner: 'drop',
  cutAtMs: 0,
  plannedMs: 250_000,
  result: 'survived',
  lastedMs: 250_000,
  why: null,
  software: { version: 'api 1', configuration: 'c'.repeat(64) },
  clocks: [{ name: 'sessions', maxMs: 240_000, whenExpired: 'not-needed' }],
  dependencyTimeoutMs: 10_000,
  traffic: { share: 0.05, productionPerSecond: 100, perSecond: 5, sent: 1_250 },
};
const record: RehearsalRecord = {
  format: 1,
  fleet: 'paper',
  run: '2021-01-31-aaaaaa',
  journal: { seq: 30, hash: 'h' },
  rehearsal,
};
const carried = { step: '5', server: 'api-1', forMs: 140_000 };

const facts: Facts = {
  outage: { at: 9, outageMs: 120_000, marginMs: 20_000, manner: null, renewFrom: '7', dependency: 'database' },
  group: 'api',
  servers,
  carried: null,
  ageingMs: 30_000,
  record,
  flaw: null,
  versions: new Map(servers.map(({ name }) => [name, 'api 1'])),
  software: rehearsal.software,
  nowMs: DAY_MS,
  rule: undefined,
  fleetPath: '/fleet.ts',
};

const judged = (change: Partial<Facts>, of: Partial<Rehearsed> = {}) =>
  judgeRehearsal({
    ...facts,
    ...(change.record === null ? {} : { record: { ...record, rehearsal: { ...rehearsal, ...of } } }),
    ...change,
  });
const told = (change: Partial<Facts>, of: Partial<Rehearsed> = {}) =>
  judged(change, of).findings.map(({ severity, what, cures }) => [severity, what, cures.join(' | ')].join(': '));

describe('a rehearsal that bears the plan out', () => {
  test('has nothing to say against it, and what it outlived is believed', () => {
    expect(told({})).toEqual([]);
    expect(judged({}).rehearsal).toMatchObject({ run: record.run, result: 'survived', believed: ['sessions'] });
    expect(judged({}).measured?.fuseMs).toBe(null);
  });

  test('a clock that lives longer than it lasted, or that it did not know, is not believed', () => {
    expect(judged({}, { lastedMs: 249_000 }).rehearsal.believed).toEqual([]);
    expect(judged({}, { clocks: [] }).rehearsal.believed).toEqual([]);
    expect(told({}, { clocks: [] })).toEqual([
      expect.stringMatching(
        /^warning: sessions is declared not-needed on api-1 and 2 more, and no rehearsal has outlived it/,
      ),
    ]);
  });
});

describe('is refused with its remedy', () => {
  test.each<[string, Partial<Facts>, Partial<Rehearsed>, RegExp]>([
    ['when it is old', { nowMs: 31 * DAY_MS }, {}, /is 31 days old, more than 30 days/],
    ['when it is older than declared', { rule: { maxAgeMs: 3_600_000, maxGrowth: 1, traffic: 1 } }, {}, /is 24 h old/],
    [
      'when the canary has another version',
      { software: { ...rehearsal.software, version: 'api 2' } },
      {},
      /api-1 runs version api 2, and run \S+ rehearsed version api 1/,
    ],
    [
      'when another server has another version',
      { versions: new Map([['api-3', 'api 2']]) },
      {},
      /api-3 runs version api 2/,
    ],
    [
      'when a server does not tell its version',
      { versions: new Map([['api-3', null]]) },
      {},
      /api-3 runs a version that is not told/,
    ],
    [
      'when the configuration is another',
      { software: { ...rehearsal.software, configuration: 'd' } },
      {},
      /configuration of api-1 is another/,
    ],
    ['when the canary tells nothing', { software: null }, {}, /api-1, on which run \S+ rehearsed, does not tell/],
    [
      'when traffic has grown',
      {},
      { traffic: { ...rehearsal.traffic, productionPerSecond: 80 } },
      /grown from 80 to 100 requests a second .* more than by 20%/,
    ],
    [
      'when its traffic is not known',
      {},
      { traffic: { ...rehearsal.traffic, productionPerSecond: null } },
      /an unknown share of traffic/,
    ],
    [
      'when its journal does not say so',
      { flaw: 'the journal of run r does not say so' },
      {},
      /does not say so, so the rehearsal/,
    ],
  ])('%s', (_name, change, of, what) => {
    const all = told(change, of);
    expect(all[0]).toMatch(/^refusal: /);
    expect(all[0]).toMatch(what);
    expect(all[0]).toContain('neap rehearse --cut database --on api-1 --outage 120s --margin 20s --fleet /fleet.ts');
    expect(judged(change, of).rehearsal).toMatchObject({ run: null, believed: [] });
    expect(told({ ...change, carried }, of).filter((each) => each.startsWith('refusal'))).toEqual([]);
  });

  test('traffic that has grown by exactly the declared share is not', () => {
    const rule = { maxAgeMs: 30 * DAY_MS, maxGrowth: 0.25, traffic: 0.05 };
    expect(told({ rule }, { traffic: { ...rehearsal.traffic, productionPerSecond: 80 } })).toEqual([]);
  });
});

describe('the measured fuse', () => {
  const failed: Partial<Rehearsed> = { result: 'failed', lastedMs: 190_000, why: 'the first request failed' };

  test('counts from the refresh on: what caches age before the cut is lost', () => {
    expect(judged({}, failed).measured?.fuseMs).toBe(160_000);
    expect(told({}, failed).filter((each) => each.startsWith('refusal'))).toEqual([]);
    expect(told({ ageingMs: 51_000 }, failed)[0]).toMatch(
      /^refusal: an outage of 120 s and a margin of 20 s are longer than what was shown: run \S+ measured a fuse of 190 s on api-1; caches age 51 s until the cut: 139 s are left: Plan an outage of at most 119 s/,
    );
  });

  test('also stands against a plan that would rehearse again', () => {
    expect(told({ carried, ageingMs: 51_000 }, failed)[0]).toMatch(/^refusal: /);
  });

  test('an outage longer than what was survived is refused, and a rehearsal of it named', () => {
    const outage = { ...facts.outage, outageMs: 300_000 };
    expect(told({ outage })[0]).toMatch(/api-1 went on answering for 250 s .*Rehearse it for longer: .* --outage 330s/);
  });
});

describe('nobody has rehearsed it', () => {
  test('every clock is fatal: a warning, and what is declared harmless is not believed', () => {
    const all = told({ record: null });
    expect(all).toHaveLength(2);
    expect(all[0]).toMatch(/^warning: nobody has rehearsed this outage for group api/);
    expect(all[1]).toMatch(/^warning: sessions is declared not-needed/);
    expect(judged({ record: null }).rehearsal.believed).toEqual([]);
  });

  test('without a clock nothing is known at all: refused', () => {
    expect(told({ record: null, servers: blind })[0]).toMatch(
      /^refusal: nothing is known of what expires on api-1 and 2 more/,
    );
  });

  test('a plan that carries its own is accepted, with what that will outlive', () => {
    expect(told({ record: null, carried })).toEqual([]);
    expect(judged({ record: null, carried }).rehearsal).toMatchObject({ carriedBy: '5', believed: [] });
    expect(judged({ record: null, carried: { ...carried, forMs: 250_000 } }).rehearsal.believed).toEqual(['sessions']);
  });

  test('not one that is too short, nor one on servers that nobody can refresh behind it', () => {
    expect(told({ record: null, carried: { ...carried, forMs: 139_000 } })[0]).toMatch(
      /rehearses 139 s, .* take 140 s/,
    );
    expect(told({ record: null, carried, servers: blind })[0]).toMatch(
      /api-1 cannot be refreshed behind its own rehearsal in step 5/,
    );
  });
});

test('servers without clocks lose what they age from going offline on', () => {
  expect(told({ servers: blind, record }, {})).toEqual([]);
  expect(told({ servers: blind, ageingMs: 111_000 })[0]).toMatch(/caches age 111 s until the cut: 139 s are left/);
});

test('a rehearsal lasts one longest life and a timeout, or the outage and its margin', () => {
  const { service } = servers[0]!;
  expect(rehearsalMs(service, 'database', { outageMs: 120_000, marginMs: 20_000 })).toBe(250_000);
  expect(rehearsalMs(service, 'database', { outageMs: 300_000, marginMs: 20_000 })).toBe(320_000);
  expect(rehearsalMs(blind[0]!.service, 'database', { outageMs: 1_000, marginMs: 1_000 })).toBe(10_000);
});
