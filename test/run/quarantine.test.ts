import { describe, expect, test } from 'vitest';
import {
  dependencyAnswers,
  gate,
  giveTraffic,
  inWaves,
  offlineMode,
  probe,
  proveConfiguration,
  refreshCaches,
  takeOut,
} from '../../src/index.ts';
import type { StepSpec } from '../../src/model/index.ts';
import { awayOf, keptOut, provenBack, type Effect } from '../../src/run/index.ts';
import { Drive, goesWell, type Script } from '../support/drive.ts';
import { failureOf, planOf, type Api } from '../support/made-up.ts';

// Goal: whoever falls out of the line is out of its way, and stays there until proven; where nothing but giving back is
// left, nobody turns the others round. Method: the run machine, driven by hand.

const offline = (api: Api): StepSpec[] => [inWaves({ atMost: 3 }, offlineMode(api, { on: true }))];
const asked = (api: Api): StepSpec[] => [...offline(api), gate('Go on?', { role: 'any', onTimeout: 'hold' })];
const back = (api: Api): StepSpec[] => [...asked(api), offlineMode(api, { on: false }), probe(api), giveTraffic(api)];

/** What fails on whom, by the step's place in the main line; everything else goes well. */
function failsAt(step: number, servers: readonly string[], rest: Script = goesWell()): Script {
  return (effect, nowMs) =>
    effect.effect === 'look' &&
    effect.place.track === 'main' &&
    effect.place.step === step &&
    servers.includes(effect.place.target)
      ? { type: 'looked', id: effect.id, outcome: { failure: failureOf('denied') } }
      : rest(effect, nowMs);
}

const pages = (drive: Drive): string[] =>
  drive.effects.flatMap((effect) => (effect.effect === 'page' ? [effect.text] : []));
const armed = (drive: Drive): readonly (readonly string[])[] =>
  drive.events.flatMap((event) => (event.type === 'armed' ? [event.servers] : []));

describe('whoever falls out while the line goes on', () => {
  test('is taken out of the balancer, stays out at the end, and is named with the way back', () => {
    const drive = new Drive(planOf({ servers: 5, failures: 3, steps: asked }), failsAt(0, ['api-2'])).settle();
    expect(armed(drive)).toEqual([['api-2']]);
    expect(drive.made('perform', 'c1')).toEqual(['api-2']);
    expect(awayOf(drive.state, drive.machine.index, 'api-2')).toBe('out');
    drive.answer('2', 'yes');
    expect(drive.closed).toMatchObject({ outcome: 'done', exitCode: 0 });
    expect(drive.closed.summary).toMatch(
      /Quarantined, .*: api-2 \(denied\)\. Bring them back: neap fleet rejoin api-2 --fleet fleet\.ts\./,
    );
    expect(keptOut(drive.state, drive.machine.index)).toEqual(['api-2']);
  });

  test('stays out on the way home, while what else was done to it is taken back', () => {
    const script: Script = (effect, nowMs) =>
      effect.effect === 'perform' && effect.place.track === 'main' && effect.place.target === 'api-2'
        ? { type: 'performed', id: effect.id, failure: failureOf('command') }
        : goesWell()(effect, nowMs);
    const drive = new Drive(planOf({ servers: 5, failures: 3, steps: asked }), script).settle().answer('2', 'no');
    expect(drive.closed).toMatchObject({ outcome: 'home', exitCode: 1 });
    expect(drive.made('undo')).toContain('api-2');
    expect(drive.made('perform', 'c1')).toEqual(['api-2']);
    expect(keptOut(drive.state, drive.machine.index)).toEqual(['api-2']);
  });

  test('a gate asks when it is known what became of it, and says so', () => {
    let out: Effect | null = null;
    const script: Script = (effect, nowMs) => {
      if (effect.effect === 'confirm' && effect.place.track === 'c1') {
        out = effect;
        return undefined;
      }
      return failsAt(0, ['api-2'])(effect, nowMs);
    };
    const drive = new Drive(planOf({ servers: 5, failures: 3, steps: asked }), script).settle();
    expect(drive.gate()).toMatchObject({ phase: 'waiting' });
    drive.say({ type: 'confirmed', id: out!.id, failure: failureOf('not-confirmed') }).settle();
    const question = drive.effects.find((effect) => effect.effect === 'ask');
    expect(question).toMatchObject({ text: expect.stringContaining('not proven out of the balancer: api-2') });
    expect(
      pages(drive).some((text) => /api-2 .*could not be taken out of the balancer \(not-confirmed\)/.test(text)),
    ).toBe(true);
    // It may still take traffic: a person is needed, and told.
    expect(drive.answer('2', 'yes').closed).toMatchObject({ outcome: 'human', exitCode: 5 });
    expect(pages(drive).at(-1)).toMatch(/needs a person.*State not proven: api-2/);
  });

  test('more than the budget are taken out by a person only', () => {
    const drive = new Drive(
      planOf({ servers: 8, failures: 2, steps: back }),
      failsAt(3, ['api-2', 'api-3', 'api-4', 'api-5']),
    )
      .settle()
      .answer('2', 'yes');
    expect(drive.made('perform', 'c1')).toHaveLength(1);
    const out = keptOut(drive.state, drive.machine.index).filter(
      (server) => awayOf(drive.state, drive.machine.index, server) === 'out',
    );
    expect(out).toHaveLength(2);
    expect(drive.gate('c1-3')?.phase).toBe('asked');
  });

  test('behind a broken path nobody is taken out: it is one fault, and no server’s', () => {
    const broken: Script = (effect, nowMs) =>
      effect.effect === 'look' && effect.place.track === 'main'
        ? { type: 'looked', id: effect.id, outcome: { failure: { ...failureOf('path'), path: 'jump' } } }
        : goesWell()(effect, nowMs);
    const drive = new Drive(planOf({ servers: 4, failures: 3, steps: offline }), broken).until(3_600_000);
    expect(Object.keys(drive.state.out)).not.toEqual([]);
    expect(armed(drive)).toEqual([]);
  });

  test('where no server has a balancer nothing is added to the plan', () => {
    const plan = planOf({
      servers: 3,
      steps: offline,
      fleet: (fleet) => ({
        ...fleet,
        servers: fleet.servers.map((server) => ({ ...server, service: { ...server.service, traffic: undefined } })),
      }),
    });
    expect(plan.header.contingencies).toEqual([]);
    expect(planOf({ servers: 3, steps: (api) => [giveTraffic(api)] }).header.contingencies).toEqual([]);
    expect(planOf({ servers: 3, steps: offline }).header.contingencies).toMatchObject([
      { when: 'out', suspectAbove: 3 },
    ]);
  });
});

describe('on the way home', () => {
  test('whom the line itself had taken out, and who fell out then, is not given traffic again', () => {
    const steps = (api: Api): StepSpec[] => [
      takeOut(api),
      probe(api),
      gate('Go on?', { role: 'any', onTimeout: 'hold' }),
    ];
    const drive = new Drive(planOf({ servers: 3, failures: 3, steps }), failsAt(1, ['api-2']))
      .settle()
      .answer('3', 'no');
    expect(drive.made('undo').toSorted()).toEqual(['api-1', 'api-3']);
    expect(drive.closed.summary).toMatch(/Quarantined, .*api-2/);
  });

  test('who came home as before is not taken out; who did not is', () => {
    const script: Script = (effect, nowMs) =>
      effect.effect === 'undo' && effect.place.target === 'api-3'
        ? { type: 'performed', id: effect.id, failure: failureOf('denied') }
        : goesWell()(effect, nowMs);
    const drive = new Drive(planOf({ servers: 4, failures: 3, steps: asked }), script)
      .settle()
      .answer('2', 'no')
      .until(120_000);
    expect(armed(drive)).toEqual([['api-3']]);
    expect(drive.made('perform', 'c1')).toEqual(['api-3']);
    expect(drive.closed).toMatchObject({ outcome: 'human', exitCode: 5 });
    expect(drive.closed.summary).toContain('State not proven: api-3');
  });
});

describe('where nothing but giving back is left', () => {
  test('a failed check leaves that server out, and the line goes on giving back', () => {
    const drive = new Drive(planOf({ servers: 6, failures: 2, steps: back }), failsAt(3, ['api-2', 'api-3']))
      .settle()
      .answer('2', 'yes');
    expect(drive.state.mode).toBe('forward');
    expect(drive.made('look', 'main').filter((server) => server === 'api-6')).toHaveLength(4);
    expect(keptOut(drive.state, drive.machine.index)).toEqual(['api-2', 'api-3']);
    expect(provenBack(drive.state, drive.machine.index)).toEqual(['api-1', 'api-4', 'api-5', 'api-6']);
    // As many as the budget has is a failed run all the same.
    expect(drive.closed).toMatchObject({ outcome: 'home', exitCode: 1 });
    expect(drive.closed.summary).toContain('the line gave back');
  });

  test('a budget that was spent before is a reason to go home, and so is a change that nothing takes back', () => {
    const early = new Drive(planOf({ servers: 6, failures: 2, steps: back }), failsAt(0, ['api-2', 'api-3'])).settle();
    expect(early.state.homeWhy?.code).toBe('budget');
    const kept = (api: Api): StepSpec[] => [proveConfiguration(api), offlineMode(api, { on: true }), probe(api)];
    const late = new Drive(planOf({ servers: 6, failures: 2, steps: kept }), failsAt(2, ['api-2', 'api-3'])).settle();
    expect(late.state.homeWhy?.code).toBe('budget');
  });

  test('checks before the outage still turn for home', () => {
    const steps = (api: Api): StepSpec[] => [
      ...offline(api),
      refreshCaches(api),
      probe(api),
      gate('Hardware work may start?', { role: 'any', onTimeout: 'hold' }),
      dependencyAnswers(api, { from: 'database' }),
      offlineMode(api, { on: false }),
    ];
    const drive = new Drive(planOf({ servers: 6, failures: 2, steps }), failsAt(2, ['api-2', 'api-3'])).settle();
    expect(drive.state.homeWhy?.code).toBe('budget');
  });
});

test('a page says that a person is needed before the run is closed for one', () => {
  const script: Script = (effect, nowMs) =>
    effect.effect === 'page' && effect.key === 'human'
      ? undefined
      : effect.effect === 'undo'
        ? { type: 'performed', id: effect.id, failure: failureOf('denied') }
        : goesWell()(effect, nowMs);
  const drive = new Drive(planOf({ servers: 2, failures: 3, steps: asked }), script)
    .settle()
    .answer('2', 'no')
    .until(120_000);
  expect(drive.state.closed).toBeNull();
  const page = drive.effects.find((effect) => effect.effect === 'page' && effect.key === 'human');
  drive.say({ type: 'paged', id: page!.id }).settle();
  expect(drive.closed.exitCode).toBe(5);
});
