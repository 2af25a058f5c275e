import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { isAbove, loadOnEach, servingJudge } from '../../src/herd/index.ts';
import {
  atRate,
  defineRunbook,
  defineStep,
  first,
  giveTraffic,
  holdAdmission,
  holding,
  inSlots,
  inWaves,
  offlineMode,
  rest,
  takeOut,
  z,
} from '../../src/index.ts';
import type {
  ActStep,
  Balancer,
  ConnectionLimits,
  Finding,
  Fleet,
  Runbook,
  ServingOfStep,
  StepSpec,
} from '../../src/model/index.ts';
import { withServing, type Foresight } from '../../src/plan/index.ts';
import { paperFleet } from '../support/fleet.ts';
import type { Api } from '../support/made-up.ts';
import { outlineOf } from '../support/plans.ts';

// Goal: a plan states what each wave puts on those who serve and what it opens in connections, mends what smaller waves
// mend, and refuses the rest with numbers that are cures. Method: runbooks over fleets on paper; each cure is applied
// and the same plan is reckoned again.

/** Away while it is acted upon, as a service that is restarted. */
const restart = defineStep({
  name: 'restart',
  version: 1,
  reach: ['ssh'],
  reads: ['power'],
  alters: ['power'],
  input: z.strictObject({}),
  pinned: z.strictObject({}),
  readings: z.strictObject({}),
  change: z.strictObject({}),
  idempotent: true,
  title: () => 'restart',
  nature: () => 'risk',
  observe: async () => ({ pinned: {}, readings: {} }),
  decide: () => ({ verdict: 'change', change: {}, diff: ['restart'] }),
  perform: async () => {},
  confirm: async () => ({ done: true }),
  expectedMs: () => 5_000,
  back: { irreversible: 'a restart cannot be taken back' },
});

interface Wish {
  readonly servers: number;
  readonly steps: (api: Api) => readonly StepSpec[];
  readonly balancer?: Partial<Balancer>;
  readonly limits?: Partial<ConnectionLimits>;
  readonly pool?: number;
  readonly failures?: number;
  readonly foresights?: ReadonlyMap<string, Foresight>;
  readonly quarantined?: readonly string[];
  readonly except?: readonly string[];
  /** The plan is for these only. */
  readonly only?: readonly string[];
  readonly reading?: number;
  readonly edit?: (fleet: Fleet) => Fleet;
}

/** 100 requests a second a server, 220 of which one bears; a database for 1,000 connections. */
function reckon(wish: Wish): { steps: ActStep[]; findings: readonly Finding[]; codes: string[] } {
  const { servers, steps, balancer = {}, limits, pool = 10, failures = 100, edit = (each) => each } = wish;
  const paper = paperFleet({ servers });
  const fleet: Fleet = edit({
    ...paper,
    balancers: {
      api: {
        offline: 'leaves',
        requestsPerSecond: 100 * servers,
        serverCapacityPerSecond: 220,
        returnSurge: 1,
        ...balancer,
      },
    },
    ...(limits
      ? { dependencies: { database: { connections: { max: 1_000, perSecond: 1_000, others: [], ...limits } } } }
      : {}),
    servers: paper.servers.map((server) => ({
      ...server,
      service: {
        ...server.service,
        dependencies: { database: { ...server.service.dependencies['database']!, pool } },
      },
    })),
  });
  const runbook = defineRunbook({
    title: 'made up',
    reach: { api: ['ssh', 'http', 'bmc'] },
    inputs: z.strictObject({}),
    budget: { failures },
    window: { limitMs: 3_600_000 },
    steps: ({ api }) => steps(api),
  }) as unknown as Runbook;
  const { laid, findings } = withServing({
    fleet,
    laid: outlineOf(
      runbook,
      fleet,
      {},
      wish.only ? fleet.servers.map(({ name }) => name).filter((name) => !wish.only?.includes(name)) : wish.except,
    ),
    foresights: wish.foresights ?? new Map(),
    leftOut: [...(wish.except ?? []), ...(wish.quarantined ?? [])],
    connections: new Map(wish.reading === undefined ? [] : [['database', wish.reading]]),
    judge: servingJudge,
  });
  const acts = laid.steps.filter((step) => step.step === 'act');
  return { steps: acts, findings, codes: findings.map(({ severity, code }) => `${severity} ${code}`) };
}

const load = (step: ActStep | undefined): NonNullable<ServingOfStep['load']> => {
  if (!step?.serving?.load) throw new Error('the step says nothing of load');
  return step.serving.load;
};
const sizes = (step: ActStep | undefined): number[] => step?.waves.map((wave) => wave.length) ?? [];

test('where an offline server leaves, each wave states what the others get, there and back, times the surge', () => {
  const { steps, codes } = reckon({
    servers: 10,
    steps: (api) => [
      inWaves({ atMost: 2 }, offlineMode(first(api, 4), { on: true })),
      inWaves({ atMost: 2 }, offlineMode(first(api, 4), { on: false })),
    ],
    balancer: { returnSurge: 1.3 },
  });
  expect(codes).toEqual([]);
  expect(load(steps[0]).waves).toEqual([
    { serving: 8, perSecond: 125, homePerSecond: 1_300 / 9, edgeShare: 0 },
    { serving: 6, perSecond: 1_000 / 6, homePerSecond: 1_300 / 7, edgeShare: 0 },
  ]);
  expect(load(steps[1]).waves.map(({ serving, perSecond }) => [serving, Math.round(perSecond)])).toEqual([
    [8, 186],
    [10, 144],
  ]);
  expect(load(steps[0]).peakPerSecond).toBeCloseTo(1_300 / 7);
});

test('canary-takes-all is refused: on the last one that serves, and on the first that is back', () => {
  const { findings, codes } = reckon({
    servers: 10,
    steps: (api) => [
      offlineMode(first(api, 1), { on: true }),
      inWaves({ atMost: 3 }, offlineMode(rest(api, 1), { on: true })),
      offlineMode(first(api, 1), { on: false }),
    ],
  });
  expect(codes).toEqual(['refusal load', 'refusal load']);
  expect(findings[0]?.what).toMatch(
    /wave 3 leaves 1,000 requests\/s on the last one that serves, and on the way home the first of wave 3/,
  );
  expect(findings[0]?.cures.join('\n')).toMatch(
    /at most.*78% of the requests.*\n.*no more than 4 of the 9 away.*5 must serve/s,
  );
  expect(findings[1]?.what).toMatch(
    /the first of wave 1 to be back gets 1,000 requests\/s, and one server of api bears 220/,
  );
});

test('the cures are cures: admission held, so many kept, or an offline server that answers', () => {
  const all = (balancer: Partial<Balancer>, count = 10): string[] =>
    reckon({
      servers: 10,
      steps: (api) => [offlineMode(first(api, count), { on: true }), offlineMode(first(api, count), { on: false })],
      balancer,
    }).codes;
  expect(all({})).not.toEqual([]);
  expect(all({ limitPerSecond: 220 })).toEqual([]);
  expect(all({ limitPerSecond: 221 })).not.toEqual([]);
  expect(all({ offline: 'answers' })).toEqual([]);
  expect(all({}, 5)).toEqual([]);
  expect(all({}, 6)).not.toEqual([]);
});

test('admission that the plan itself holds is a cure, while it is held, and let go of when enough serve', () => {
  const limited = (fleet: Fleet): Fleet => ({
    ...fleet,
    servers: fleet.servers.map((server) => ({
      ...server,
      service: {
        ...server.service,
        traffic: {
          ...server.service.traffic!,
          admission: { perSecond: 200, read: { run: 'held?' }, hold: { run: 'hold' }, free: { run: 'free' } },
        },
      },
    })),
  });
  const plan = (steps: (api: Api) => readonly StepSpec[]) => reckon({ servers: 10, steps, edit: limited });
  const outAndBack = (api: Api): StepSpec[] => [offlineMode(api, { on: true }), offlineMode(api, { on: false })];
  expect(plan(outAndBack).findings[0]?.cures[0]).toMatch(
    /holding\(holdAdmission\(api\), .* keeps each server at 200 requests\/s; 80%/,
  );
  const held = plan((api) => [holding(holdAdmission(api), outAndBack(api))]);
  expect(held.codes).toEqual([]);
  expect(load(held.steps[1]).waves).toEqual([{ serving: 0, perSecond: 200, homePerSecond: 200, edgeShare: 0.8 }]);
  // Held for some, the others get what comes.
  expect(plan((api) => [holding(holdAdmission(first(api, 9)), outAndBack(api))]).codes).not.toEqual([]);
  // Let go of too soon, those who serve get everything.
  const soon = plan((api) => [holding(holdAdmission(api), [offlineMode(first(api, 6), { on: true })])]);
  expect(soon.codes).toEqual(['refusal load']);
  expect(soon.findings[0]?.what).toMatch(/letting go of it puts 250 requests\/s on each of 4 that serve/);
  expect(soon.findings[0]?.cures).toEqual(['Let go of it when 5 servers serve: so many bear 1,000 requests/s']);
});

test('whoever is left out, quarantined, hung, or out of the balancer already is not counted as serving', () => {
  const steps = (api: Api): StepSpec[] => [takeOut(first(api, 1)), giveTraffic(first(api, 1))];
  const serving = (wish: Partial<Wish>): number => load(reckon({ servers: 10, steps, ...wish }).steps[0]).serving;
  expect(serving({})).toBe(10);
  expect(serving({ except: ['api-09', 'api-10'] })).toBe(8);
  expect(serving({ quarantined: ['api-08'] })).toBe(9);
  // Whom a plan is not for serves on meanwhile.
  expect(serving({ only: ['api-01', 'api-02'] })).toBe(10);
  const seen = (verdict: object): Map<string, Foresight> =>
    new Map([['api-01', { pending: {}, left: null, verdicts: { 1: verdict as never } }]]);
  expect(serving({ foresights: seen({ verdict: 'contingency', contingency: 'c1' }) })).toBe(9);
  expect(serving({ foresights: seen({ verdict: 'nothing' }) })).toBe(9);
  expect(serving({ foresights: seen({ verdict: 'change', change: {}, diff: [] }) })).toBe(10);
});

test('waves that restart are cut so that those who serve bear it, which is shown; what cannot be cut is refused', () => {
  const steps = (api: Api): StepSpec[] => [inWaves({ canary: 1, atMost: 8 }, restart(api))];
  const cut = reckon({ servers: 10, steps });
  expect(cut.codes).toEqual([]);
  expect(sizes(cut.steps[0])).toEqual([1, 5, 3, 1]);
  expect(cut.steps[0]?.atMost).toBe(5);
  expect(load(cut.steps[0]).resizedFrom).toBe(8);
  const tight = reckon({ servers: 10, steps, balancer: { serverCapacityPerSecond: 105 } });
  expect(tight.codes).toEqual(['refusal load']);
  // A budget that leaves fewer at once than that needs no cutting.
  expect(sizes(reckon({ servers: 10, steps, failures: 3 }).steps[0])).toEqual([1, 8, 1]);
});

test('property: cutting never leaves anybody above what he bears, loses no server, and a larger capacity never cuts more', () => {
  const wish = fc.record({
    servers: fc.integer({ min: 2, max: 40 }),
    atMost: fc.integer({ min: 1, max: 40 }),
    failures: fc.integer({ min: 1, max: 40 }),
    capacity: fc.integer({ min: 101, max: 3_000 }),
    more: fc.integer({ min: 0, max: 500 }),
  });
  fc.assert(
    fc.property(wish, ({ servers, atMost, failures, capacity, more }) => {
      const at = (serverCapacityPerSecond: number) =>
        reckon({
          servers,
          failures,
          steps: (api) => [inWaves({ atMost }, restart(api))],
          balancer: { serverCapacityPerSecond },
        });
      const { steps, codes } = at(capacity);
      const [step] = steps;
      expect(step?.waves.flat().toSorted()).toEqual(
        Array.from({ length: servers }, (_, n) => `api-${String(n + 1).padStart(String(servers).length, '0')}`),
      );
      const away = Math.min(step?.atMost ?? 0, failures, Math.max(...sizes(step)));
      const worst = loadOnEach(100 * servers, Math.max(1, servers - away));
      expect(isAbove(worst, capacity)).toBe(codes.length > 0);
      expect(step?.atMost).toBeLessThanOrEqual(atMost);
      const roomy = at(capacity + more);
      expect(roomy.codes.length).toBeLessThanOrEqual(codes.length);
      expect(roomy.steps[0]?.atMost).toBeGreaterThanOrEqual(codes.length === 0 ? (step?.atMost ?? 0) : 0);
    }),
    { numRuns: 60 },
  );
});

const leaving =
  (atMost: number) =>
  (api: Api): StepSpec[] => [offlineMode(api, { on: true }), inWaves({ atMost }, offlineMode(api, { on: false }))];
const answers = { offline: 'answers' } as const;

test('connections are reckoned wave by wave, with pods elsewhere at their most, and refused above what is accepted', () => {
  const pods = { others: [{ name: 'k8s', pool: 5, pods: { min: 10, max: 180 } }] };
  const fits = reckon({ servers: 10, steps: leaving(5), balancer: answers, limits: pods });
  expect(fits.codes).toEqual([]);
  expect(fits.steps[1]?.serving?.connections[0]?.waves).toEqual([
    { before: 900, after: 950 },
    { before: 950, after: 1_000 },
  ]);
  const wish = { servers: 10, steps: leaving(5), balancer: answers, limits: { ...pods, max: 980 } };
  const { findings, codes } = reckon(wish);
  expect(codes).toEqual(['refusal connections', 'refusal connections']);
  expect(findings[1]?.what).toMatch(
    /wave 2 makes up to 1,000 connections to database, and it accepts 980; 900 of them are others' \(k8s\)/,
  );
  expect(findings[1]?.cures).toEqual([
    'Smaller pools: 8 connections a server in the place of 10',
    'Hold the autoscaler of k8s at 176 pods while this runs',
    'Put a pooler in front of it, or make it accept 1,000',
  ]);
  // Each cure, alone, is one.
  expect(reckon({ ...wish, pool: 8 }).codes).toEqual([]);
  const held = { ...wish.limits, others: [{ name: 'k8s', pool: 5, pods: { min: 10, max: 176 } }] };
  expect(reckon({ ...wish, limits: held }).codes).toEqual([]);
  expect(reckon({ ...wish, limits: { ...wish.limits, max: 1_000 } }).codes).toEqual([]);
});

test('a reading that is above what pools can be counts; one that is below it does not', () => {
  const at = (reading: number) =>
    reckon({ servers: 10, steps: leaving(5), balancer: answers, limits: { max: 120 }, reading });
  expect(at(40).codes).toEqual([]);
  expect(at(120).steps[1]?.serving?.connections[0]).toMatchObject({ from: 'reading', now: 120 });
  expect(at(120).codes).toEqual([]);
  expect(at(121).codes).toEqual(['refusal connections', 'refusal connections']);
  expect(at(121).findings[1]?.what).toMatch(/by what it has now/);
});

test('new connections in a second are refused above what is completed, and each cure mends it', () => {
  const back = (more: Partial<Wish> & { atMost?: number; slots?: number } = {}): Finding[] => [
    ...reckon({
      servers: 10,
      balancer: answers,
      limits: { perSecond: 45, ...more.limits },
      ...(more.pool === undefined ? {} : { pool: more.pool }),
      steps: (api) => {
        const off = offlineMode(api, { on: true });
        const on = offlineMode(api, { on: false });
        const inTurn = inWaves({ atMost: 4 }, off);
        if (more.slots !== undefined) return [inTurn, atRate({ perMinute: more.slots * 60 }, on)];
        return [inTurn, inWaves({ atMost: more.atMost ?? 10 }, on)];
      },
    }).findings,
  ];
  const [found] = back();
  expect(found?.what).toMatch(/opens up to 100 new connections to database in one second, and it completes 45/);
  expect(found?.cures).toEqual([
    'Smaller waves: at most 4 servers at a time (it is 10)',
    'A slower rate: atRate({ perMinute: 240 })',
    'Smaller pools: 4 connections a server in the place of 10',
    'A connection rate limit in front of it (dependencies.database.connections.limitPerSecond: 45): the last one of a wave then waits 2.2 s',
  ]);
  expect(back({ atMost: 4 })).toEqual([]);
  expect(back({ atMost: 5 })).toHaveLength(1);
  expect(back({ slots: 4 })).toEqual([]);
  expect(back({ slots: 5 })).toHaveLength(1);
  expect(back({ pool: 4 })).toEqual([]);
  expect(back({ limits: { perSecond: 45, limitPerSecond: 45 } })).toEqual([]);
  // A limit behind which requests wait longer than they do is none.
  expect(back({ limits: { perSecond: 45, limitPerSecond: 5 } })[0]?.what).toMatch(
    /the last for 20 s, and requests wait 10 s/,
  );
});

test('the way home of going offline opens what was closed, at the cap of the step', () => {
  const { findings } = reckon({
    servers: 10,
    balancer: answers,
    limits: { perSecond: 45 },
    failures: 2,
    steps: (api) => [inWaves({ atMost: 5 }, offlineMode(api, { on: true }))],
  });
  expect(findings.map(({ what }) => what)).toEqual([
    'step 1 (enter offline mode), on its way home opens up to 50 new connections to database in one second, and it completes 45: the others time out, and have cost it as much',
  ]);
});

test('who opens connections asks for room right before, there or on its way home, where they can be read', () => {
  const now = { command: ['count'], timeoutMs: 1_000 };
  const room = { need: 'connections', dependency: 'database', each: 10, max: 1_000 };
  const { steps } = reckon({
    servers: 4,
    balancer: answers,
    limits: { now },
    steps: (api) => [
      offlineMode(api, { on: true }),
      inSlots({ perSecond: 4, fraction: 1 }, offlineMode(api, { on: false })),
    ],
  });
  expect(steps[0]?.needs).toEqual([]);
  expect(steps[0]?.undoNeeds).toContainEqual(room);
  expect(steps[1]?.needs).toContainEqual(room);
  const unread = reckon({ servers: 4, balancer: answers, limits: {}, steps: leaving(4) });
  expect(unread.steps[1]?.needs).not.toContainEqual(room);
});

test('a fleet that says nothing of its balancer is warned of; one without a balancer is not', () => {
  const silent = (fleet: Fleet): Fleet => ({ ...fleet, balancers: {} });
  expect(reckon({ servers: 4, steps: leaving(4), edit: silent }).codes).toEqual(['warning load']);
  const alone = (fleet: Fleet): Fleet => ({
    ...silent(fleet),
    servers: fleet.servers.map((server) => ({ ...server, service: { ...server.service, traffic: undefined } })),
  });
  expect(reckon({ servers: 4, steps: leaving(4), edit: alone }).codes).toEqual([]);
});
