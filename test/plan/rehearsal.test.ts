import { describe, expect, test } from 'vitest';
import { believing, capped } from '../../src/engine/rehearsed.ts';
import {
  cutPath,
  dependencyAnswers,
  first,
  gate,
  holding,
  inSlots,
  inWaves,
  measureFuse,
  offlineMode,
  probe,
  refreshCaches,
  rest,
} from '../../src/index.ts';
import type { PlanRehearsal, StepSpec } from '../../src/model/index.ts';
import { ageingMs, carriedRehearsal, plannedOutage, showsManner } from '../../src/plan/index.ts';
import { paperFleet } from '../support/fleet.ts';
import { planOf, type Api } from '../support/made-up.ts';

// Goal: a plan's own rehearsal is found where it shows what the gate needs, and nowhere else; and how long caches age
// until the cut is reckoned from the step that reset them.

const FUSE = { outageMs: 60_000, marginMs: 10_000 };
const all = new Set(['api-1', 'api-2', 'api-3']);
const opening = (): StepSpec => gate('May it start?', { role: 'any', onTimeout: 'hold', fuse: FUSE });
const canary = (api: Api, under: StepSpec): StepSpec[] => [
  offlineMode(first(api, 1), { on: true }),
  holding(cutPath(first(api, 1), { from: 'database', forMs: 200_000 }), [under]),
  inWaves({ atMost: 1 }, offlineMode(rest(api, 1), { on: true })),
  inSlots({ perSecond: 1, fraction: 1 }, refreshCaches(api)),
  opening(),
  dependencyAnswers(api, { from: 'database' }),
];
const laidBy = (steps: (api: Api) => StepSpec[]) => planOf({ servers: 3, steps }).header.steps;
const carriedBy = (steps: (api: Api) => StepSpec[]) => {
  const laid = laidBy(steps);
  return carriedRehearsal(laid, plannedOutage(laid)!, all);
};

test('the outage is the first gate’s, and what is away is what the line waits for behind it', () => {
  expect(plannedOutage(laidBy((api) => canary(api, probe(first(api, 1)))))).toEqual({
    at: 6,
    ...FUSE,
    manner: null,
    renewFrom: '6',
    dependency: 'database',
  });
  expect(plannedOutage(laidBy((api) => [offlineMode(api, { on: true })]))).toBe(null);
});

describe('a plan’s own rehearsal', () => {
  test('is a canary that is offline, cut off, and must go on answering', () => {
    expect(carriedBy((api) => canary(api, probe(first(api, 1), { forMs: 70_000 })))).toEqual({
      step: '3',
      server: 'api-1',
      forMs: 70_000,
    });
  });

  test.each<[string, (api: Api) => StepSpec[]]>([
    ['answers once', (api) => canary(api, probe(first(api, 1)))],
    [
      'is only measured: nothing goes home for that',
      (api) => canary(api, measureFuse(first(api, 1), { forMs: 70_000, traffic: 0.1 })),
    ],
    ['was never offline', (api) => canary(api, probe(first(api, 1), { forMs: 70_000 })).slice(1)],
    [
      'is cut from something else',
      (api) => [
        offlineMode(first(api, 1), { on: true }),
        holding(cutPath(first(api, 1), { from: 'disk', forMs: 200_000 }), [probe(first(api, 1), { forMs: 70_000 })]),
        ...canary(api, probe(first(api, 1))).slice(2),
      ],
    ],
  ])('is none where the canary %s', (_name, steps) => {
    expect(carriedBy(steps)).toBe(null);
  });
});

test('what has a clock ages from its refresh on, anything else from the waves into offline mode on', () => {
  const laid = laidBy((api) => canary(api, probe(first(api, 1), { forMs: 70_000 })));
  const outage = plannedOutage(laid)!;
  const refreshed = ageingMs(laid, outage, all, 3, true);
  // Three slots of a second, and ten seconds for the answer.
  expect(refreshed).toBe(13_000);
  // Two waves of three seconds before that.
  expect(ageingMs(laid, outage, all, 3, false)).toBe(refreshed + 6_000);
});

test('a cut shows an outage that is no worse than itself', () => {
  expect(showsManner('drop', 'refuse')).toBe(true);
  expect(showsManner('drop', 'hang')).toBe(false);
  expect(showsManner('refuse', null)).toBe(false);
  expect(showsManner(null, 'refuse')).toBe(true);
  expect(showsManner('hang', null)).toBe(true);
});

const shown: PlanRehearsal = {
  group: 'api',
  dependency: 'database',
  carriedBy: null,
  run: 'r',
  server: 'api-1',
  result: 'survived',
  lastedMs: 250_000,
  blind: false,
  believed: ['sessions'],
};

test('only what was outlived is believed; a plan that knows of no rehearsal leaves clocks as they are declared', () => {
  const servers = paperFleet({ servers: 1 }).servers.map((server) => ({
    ...server,
    service: {
      ...server.service,
      clocks: ['sessions', 'keys'].map((name) => ({
        ...server.service.clocks[0]!,
        name,
        whenExpired: 'not-needed' as const,
      })),
    },
  }));
  const told = (rehearsals?: PlanRehearsal[]) =>
    believing(servers, rehearsals).flatMap(({ service }) => service.clocks.map(({ whenExpired }) => whenExpired));
  expect(told([shown])).toEqual(['not-needed', 'fatal']);
  expect(told([{ ...shown, group: 'other' }])).toEqual(['not-needed', 'not-needed']);
  expect(told()).toEqual(['not-needed', 'not-needed']);
});

test('the smaller of the computed and the measured fuse counts', () => {
  const computed = { forecast: { ...FUSE, fuseMs: 170_000, because: ['computed'] }, findings: [] };
  const of = (fuseMs: number | null) => ({ rehearsal: shown, findings: [], measured: { fuseMs, because: 'measured' } });
  expect(capped(computed, [of(150_000)])?.forecast).toMatchObject({
    fuseMs: 150_000,
    because: ['measured', 'computed'],
  });
  expect(capped(computed, [of(190_000)])?.forecast).toMatchObject({
    fuseMs: 170_000,
    because: ['computed', 'measured'],
  });
  expect(capped(computed, [of(null)])?.forecast.fuseMs).toBe(170_000);
  expect(capped(null, [of(1)])).toBe(null);
});
