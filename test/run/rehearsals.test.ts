import { describe, expect, test } from 'vitest';
import {
  cutPath,
  first,
  gate,
  holding,
  inSlots,
  measureFuse,
  offlineMode,
  probe,
  refreshCaches,
  rest,
} from '../../src/index.ts';
import type { PlanRehearsal, StepSpec } from '../../src/model/index.ts';
import { Drive, goesWell, seen, type Script } from '../support/drive.ts';
import { planOf, type Api } from '../support/made-up.ts';

// Goal: what a rehearsal showed is told once, from the cut on; what nobody watched without a gap shows nothing; and a
// gate goes by what was shown. Method: a world that cuts at second 3 and whose requests fail, or do not.

const FOR_MS = 100_000;
const CUT_AT_MS = 3_000;
const software = { version: 'api 1', configuration: null };
const cut = { cutAtMs: CUT_AT_MS, manner: 'drop', dependencyTimeoutMs: 10_000, software, declared: [] };

interface Sent {
  readonly failure?: { readonly atMs: number; readonly request: string; readonly why: string } | null;
  readonly untilMs?: number;
  readonly gap?: string | null;
}

const driven = ({ failure = null, untilMs = CUT_AT_MS + FOR_MS, gap = null }: Sent = {}) => ({
  share: 0.05,
  productionPerSecond: 100,
  perSecond: 5,
  fromMs: CUT_AT_MS,
  untilMs,
  sent: 500,
  alone: 0,
  failure,
  gap,
});

/** `holds`: whether the step under the cut finds that all is well. */
function world(sent: Sent, { holds = true } = {}): Script {
  return (effect, nowMs) => {
    if (!('place' in effect) || effect.place.track !== 'main') return goesWell({})(effect, nowMs);
    if (effect.place.step === 1 && effect.effect === 'confirm')
      return { type: 'confirmed', id: effect.id, readings: { cut } as never };
    if (effect.place.step === 2) {
      const condition = holds ? ({ holds: true } as const) : ({ holds: false, why: 'they failed' } as const);
      const nothing = { verdict: 'nothing' } as const;
      const readings = { driven: driven(sent) } as never;
      return { type: 'looked', id: effect.id, outcome: seen(null, { verdict: nothing, condition, readings }) };
    }
    return goesWell({})(effect, nowMs);
  };
}

const measured = (api: Api): StepSpec[] => [
  offlineMode(api, { on: true }),
  holding(cutPath(api, { from: 'database', forMs: 200_000 }), [measureFuse(api, { forMs: FOR_MS, traffic: 0.05 })]),
  gate('Go on?', { role: 'any', onTimeout: 'hold' }),
];

const toldIn = ({ events }: Drive) => events.flatMap((event) => (event.type === 'rehearsed' ? [event.rehearsal] : []));

describe('what is told', () => {
  test('survived: from the cut to the last request that is known to have been answered, once', () => {
    const drive = new Drive(planOf({ servers: 1, steps: measured }), world({})).settle();
    expect(toldIn(drive)).toEqual([
      {
        step: '3',
        server: 'api-1',
        group: 'api',
        dependency: 'database',
        manner: 'drop',
        cutAtMs: CUT_AT_MS,
        plannedMs: FOR_MS,
        result: 'survived',
        lastedMs: FOR_MS,
        why: null,
        software,
        clocks: [],
        dependencyTimeoutMs: 10_000,
        traffic: { share: 0.05, productionPerSecond: 100, perSecond: 5, sent: 500 },
      },
    ]);
    expect(drive.answer('5', 'yes').state.rehearsed).toHaveLength(1);
  });

  const failure = { atMs: CUT_AT_MS + 60_000, request: 'logged-in', why: 'was answered 503' };

  test('failed: the measured fuse is the time to the first failure', () => {
    const drive = new Drive(planOf({ servers: 1, steps: measured }), world({ failure })).settle();
    expect(toldIn(drive)).toMatchObject([
      { result: 'failed', lastedMs: 60_000, why: 'the first logged-in request that failed was answered 503' },
    ]);
  });

  test('the canary of a plan tells it too, and the run goes home', () => {
    const steps = (api: Api): StepSpec[] => [
      offlineMode(first(api, 1), { on: true }),
      holding(cutPath(first(api, 1), { from: 'database', forMs: 200_000 }), [
        probe(first(api, 1), { forMs: FOR_MS, traffic: 0.05 }),
      ]),
      offlineMode(rest(api, 1), { on: true }),
    ];
    const plan = planOf({ servers: 2, steps });
    const drive = new Drive(plan, world({ failure }, { holds: false })).settle();
    expect(toldIn(drive)).toMatchObject([{ result: 'failed', lastedMs: 60_000 }]);
    expect(drive.state.mode).toBe('home');
  });

  test.each<[string, Sent]>([
    ['nothing was sent for a while', { gap: 'nothing was sent for 40 s' }],
    ['it was ended before its time', { untilMs: CUT_AT_MS + 5_000 }],
  ])('void where %s', (_name, sent) => {
    const drive = new Drive(planOf({ servers: 1, steps: measured }), world(sent)).settle();
    expect(toldIn(drive)).toMatchObject([{ result: 'void', lastedMs: 0 }]);
    expect(drive.state.closed).toBe(null);
  });

  test('void where another engine took the run over under the cut', () => {
    let isLost = true;
    const goes = world({});
    const script: Script = (effect, nowMs) =>
      isLost && 'place' in effect && effect.place.step === 2 ? undefined : goes(effect, nowMs);
    const drive = new Drive(planOf({ servers: 1, steps: measured }), script).settle();
    drive.nowMs = CUT_AT_MS + 20_000;
    isLost = false;
    drive.say({ type: 'engine', pid: 2, host: 'here', neap: '0' }).until(CUT_AT_MS + FOR_MS);
    expect(toldIn(drive)).toMatchObject([{ result: 'void', why: 'another engine took the run over meanwhile' }]);
  });

  test('nothing of a server that was not offline: that is no rehearsal', () => {
    const steps = (api: Api): StepSpec[] => [refreshCaches(api), ...measured(api).slice(1)];
    expect(toldIn(new Drive(planOf({ servers: 1, steps }), world({})).settle())).toEqual([]);
  });
});

test('a cut that ended by itself is made again from the refresh on, also where no other server is left in the line', () => {
  let ended = 1;
  const steps = (api: Api): StepSpec[] => [
    offlineMode(api, { on: true }),
    refreshCaches(api),
    probe(api),
    holding(cutPath(api, { from: 'database', forMs: 200_000 }), [probe(api)]),
    gate('Go on?', { role: 'any', onTimeout: 'hold' }),
  ];
  const script: Script = (effect, nowMs) => {
    const isRelease = 'place' in effect && effect.place.track === 'main' && effect.place.step === 5;
    if (!isRelease || effect.effect !== 'look' || ended === 0) return goesWell({})(effect, nowMs);
    ended -= 1;
    return { type: 'looked', id: effect.id, outcome: seen({}) };
  };
  const drive = new Drive(planOf({ servers: 1, failures: 1, steps }), script).settle();
  expect(drive.events.filter(({ type }) => type === 'renewed')).toEqual([
    { type: 'renewed', gate: '6', from: '2', spoilt: true },
  ]);
  expect(drive.gate()).toEqual({ phase: 'asked', asks: 1 });
  const cuts = drive.effects.filter((each) => each.effect === 'perform' && each.place.step === 3);
  expect(cuts).toHaveLength(2);
});

describe('the gate goes by what was shown', () => {
  const steps = (api: Api): StepSpec[] => [
    offlineMode(api, { on: true }),
    inSlots({ perSecond: 10, fraction: 1, slowDown: false }, refreshCaches(api)),
    gate('May it start?', { role: 'any', onTimeout: 'hold', fuse: { outageMs: 30_000, marginMs: 10_000 } }),
  ];
  const shown: PlanRehearsal = {
    group: 'api',
    dependency: 'database',
    carriedBy: null,
    run: 'r',
    server: 'api-1',
    result: 'failed',
    lastedMs: 60_000,
    blind: false,
    believed: [],
  };
  const driveOf = (rehearsal: PlanRehearsal): Drive => {
    const plan = planOf({ servers: 2, steps });
    return new Drive({ ...plan, header: { ...plan.header, rehearsals: [rehearsal] } }, goesWell({}));
  };

  test('a measured fuse counts from the last refresh of whoever was refreshed first', () => {
    expect(driveOf(shown).until(1_000).state.fuse).toMatchObject({
      clock: 'what was rehearsed',
      expiresAtMs: 60_000,
    });
  });

  test('as does what a server without clocks was seen to survive; with clocks, surviving is no limit', () => {
    const survived = { ...shown, result: 'survived' as const };
    expect(driveOf({ ...survived, blind: true }).until(1_000).state.fuse?.expiresAtMs).toBe(60_000);
    expect(driveOf(survived).until(1_000).state.fuse).toBe(null);
  });
});
