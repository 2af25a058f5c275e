import { describe, expect, test } from 'vitest';
import {
  cutPath,
  first,
  gate,
  giveTraffic,
  hardReset,
  holding,
  inWaves,
  offlineMode,
  probe,
  proveFuse,
  refreshCaches,
  whenHung,
} from '../../src/index.ts';
import type { StepSpec } from '../../src/model/index.ts';
import { allFlying, type Effect, type RunEvent } from '../../src/run/index.ts';
import { Drive, goesWell, seen, type Script } from '../support/drive.ts';
import { failureOf, planOf, type Api } from '../support/made-up.ts';

// Goal: whatever ends a run, it lets go of what it holds (promise 8). Method: a world that remembers who is held, and
// one run for each way out.

const cut = { dependency: 'database', forMs: 60_000 };
const steps = (api: Api): StepSpec[] => [
  offlineMode(api, { on: true }),
  holding(cutPath(api, { from: 'database', forMs: 60_000 }), [
    probe(api),
    gate('Go on?', { role: 'any', onTimeout: 'abort', expiresMs: 30_000 }),
  ]),
  giveTraffic(api),
];

/** Remembers who is held. What is told to fail does, before anything else is asked. */
class World {
  readonly held = new Set<string>();
  readonly #fails: (effect: Effect) => RunEvent | undefined;

  constructor(fails: (effect: Effect) => RunEvent | undefined = () => undefined) {
    this.#fails = fails;
  }

  get script(): Script {
    return (effect, nowMs) => {
      const failed = this.#fails(effect);
      if (failed || !('place' in effect)) return failed ?? goesWell(cut)(effect, nowMs);
      const { place } = effect;
      const isHold = (place.track === 'main' && (place.step === 1 || place.step === 4)) || this.#isUndoOfHold(effect);
      if (!isHold) return goesWell({ from: 'off', to: 'on' })(effect, nowMs);
      if (effect.effect === 'look') {
        const isHeld = this.held.has(place.target);
        return { type: 'looked', id: effect.id, outcome: seen(cut, isHeld ? { verdict: { verdict: 'nothing' } } : {}) };
      }
      if (effect.effect === 'perform') this.held.add(place.target);
      if (effect.effect === 'undo') this.held.delete(place.target);
      return goesWell(cut)(effect, nowMs);
    };
  }

  /** On the way home the hold is the first thing that is taken back. */
  #isUndoOfHold({ place }: Extract<Effect, { place: unknown }>): boolean {
    return place.track === 'home1' && place.step === 0;
  }
}

const plan = (failures = 3) => planOf({ servers: 3, failures, steps });
const canaryPlan = planOf({
  servers: 3,
  steps: (api) => [
    offlineMode(api, { on: true }),
    holding(cutPath(first(api, 1), { from: 'database', forMs: 60_000 }), [
      probe(first(api, 1)),
      gate('Go on?', { role: 'any', onTimeout: 'abort', expiresMs: 30_000 }),
    ]),
    giveTraffic(api),
  ],
});
const isAt = (effect: Effect, step: number, word: Effect['effect']): effect is Extract<Effect, { place: unknown }> =>
  effect.effect === word && 'place' in effect && effect.place.track === 'main' && effect.place.step === step;

describe('every way out lets go', () => {
  test('done', () => {
    const world = new World();
    const drive = new Drive(plan(), world.script).settle();
    expect(world.held.size).toBe(3);
    drive.answer('4', 'yes');
    expect(world.held.size).toBe(0);
    expect(drive.closed).toMatchObject({ outcome: 'done', exitCode: 0 });
  });

  const ways: readonly (readonly [string, (drive: Drive) => unknown])[] = [
    ['a gate', (drive) => drive.answer('4', 'no')],
    ['a gate that nobody answers', (drive) => drive.until(60_000)],
    ['abort', (drive) => drive.say({ type: 'abort', by: 'somebody', reason: 'enough' }).settle()],
    [
      'abort while halted',
      (drive) =>
        drive
          .say({ type: 'halted', by: 'somebody' })
          .settle()
          .say({ type: 'abort', by: 'somebody', reason: 'enough' })
          .settle(),
    ],
    [
      'an engine that is killed, and the run resumed and aborted',
      (drive) =>
        drive
          .say({ type: 'engine', pid: 2, host: 'here', neap: '0' })
          .settle()
          .say({ type: 'abort', by: 'somebody', reason: 'enough' })
          .until(drive.nowMs + 60_000),
    ],
  ];
  test.each(ways)('home by %s', (_, ends) => {
    const world = new World();
    const drive = new Drive(plan(), world.script).settle();
    expect(world.held.size).toBe(3);
    ends(drive);
    expect(world.held.size).toBe(0);
    expect(drive.closed).toMatchObject({ outcome: 'home', exitCode: 1 });
  });

  test('home by the budget, spent under it', () => {
    const world = new World((effect) =>
      isAt(effect, 2, 'look')
        ? { type: 'looked', id: effect.id, outcome: { failure: failureOf('denied') } }
        : undefined,
    );
    const drive = new Drive(plan(2), world.script).settle();
    expect(drive.state.homeWhy?.code).toBe('budget');
    expect(world.held.size).toBe(0);
  });

  test('an engine that is killed, and the run resumed: it lets go where it would have', () => {
    const world = new World();
    const drive = new Drive(plan(), world.script).settle();
    drive.say({ type: 'engine', pid: 2, host: 'here', neap: '0' }).until(drive.nowMs + 10_000);
    drive.answer('4', 'yes');
    expect(world.held.size).toBe(0);
    expect(drive.closed.outcome).toBe('done');
  });

  test('gone on with from a mirror that lacks the end of what is done under it: the hold is taken anew, and that is done again', () => {
    let silent = true;
    const world = new World();
    const drive = new Drive(canaryPlan, (effect, nowMs) =>
      silent && isAt(effect, 2, 'look') ? undefined : world.script(effect, nowMs),
    ).settle();
    expect([...world.held]).toEqual(['api-1']);
    // The engine that is lost let go in its last moments, or the hold ended by itself.
    world.held.clear();
    silent = false;
    drive.say({ type: 'engine', pid: 2, host: 'there', neap: '0', from: 'dir:/elsewhere' }).until(drive.nowMs + 10_000);
    drive.answer('4', 'yes').until(drive.nowMs + 10_000);
    const taken = () => drive.effects.filter((effect) => isAt(effect, 1, 'perform'));
    expect(taken()).toHaveLength(2);
    expect(drive.effects.filter((effect) => isAt(effect, 2, 'look')).length).toBeGreaterThanOrEqual(3);
    drive.answer('4', 'yes').until(drive.nowMs + 10_000);
    expect(world.held.size).toBe(0);
    expect(drive.closed.outcome).toBe('done');
  });

  test('an engine that is killed in the middle of taking hold', () => {
    let silent = true;
    const world = new World();
    const drive = new Drive(plan(), (effect, nowMs) => {
      const said = world.script(effect, nowMs);
      return isAt(effect, 1, 'perform') && silent ? undefined : said;
    }).settle();
    // Sent, and its outcome never heard of.
    expect(allFlying(drive.state.flying).length).toBeGreaterThan(0);
    expect(world.held.size).toBe(3);
    silent = false;
    drive
      .say({ type: 'engine', pid: 2, host: 'here', neap: '0' })
      .say({ type: 'abort', by: 'somebody', reason: 'enough' })
      .until(drive.nowMs + 120_000);
    expect(world.held.size).toBe(0);
    expect(drive.closed.exitCode).toBe(1);
  });

  test('a server that fails under it is let go of too, at the end at the latest', () => {
    const world = new World((effect) =>
      isAt(effect, 2, 'look') && effect.place.target === 'api-2'
        ? { type: 'looked', id: effect.id, outcome: { failure: failureOf('denied') } }
        : undefined,
    );
    const drive = new Drive(plan(), world.script).settle();
    drive.answer('4', 'yes').until(drive.nowMs + 60_000);
    expect(world.held.size).toBe(0);
    expect(drive.closed.outcome).toBe('done');
  });
});

describe('what cannot be let go of', () => {
  test('is named, paged, and needs a person', () => {
    const world = new World((effect) =>
      effect.effect === 'undo' && effect.place.target === 'api-2'
        ? { type: 'performed', id: effect.id, failure: failureOf('denied') }
        : undefined,
    );
    const drive = new Drive(plan(), world.script).settle().answer('4', 'yes').until(300_000);
    expect([...world.held]).toEqual(['api-2']);
    expect(drive.closed).toMatchObject({ outcome: 'human', exitCode: 5 });
    expect(drive.closed.summary).toContain('State not proven: api-2');
    expect(drive.effects.some((effect) => effect.effect === 'page' && /needs a person.*api-2/.test(effect.text))).toBe(
      true,
    );
  });

  test('a hold in a contingency, or one that has no undo, is refused', () => {
    const hold = (api: Api) => cutPath(api, { from: 'database', forMs: 1_000 });
    expect(() =>
      planOf({
        servers: 2,
        steps: (api) => [offlineMode(api, { on: true })],
        contingencies: (api) => [
          whenHung(api, { title: 'Recover', suspectAbove: 3 }, (hung) => [holding(hold(hung), [hardReset(hung)])]),
        ],
      }),
    ).toThrow(/a hold is taken in a contingency/);
    expect(() => planOf({ servers: 2, steps: (api) => [holding(probe(api), [hold(api)])] })).toThrow(
      /probe has no undo, so it cannot be held/,
    );
  });
});

test('while people let the fuse burn under a hold, caches are refreshed again and the hold is held on', () => {
  const clocks = (readAtMs: number) => ({
    clocks: [{ name: 'sessions', whenExpired: 'fatal', ageMs: 0, ttlMs: 100_000, readAtMs }],
  });
  const held = new Set<string>();
  const script: Script = (effect, nowMs) => {
    if (!('place' in effect)) return goesWell()(effect, nowMs);
    const { place } = effect;
    const isHold = place.step === 1 || place.step === 4;
    if (isHold && effect.effect === 'look')
      return {
        type: 'looked',
        id: effect.id,
        outcome: seen(cut, held.has(place.target) ? { verdict: { verdict: 'nothing' } } : {}),
      };
    if (isHold && effect.effect === 'perform') held.add(place.target);
    if (isHold && effect.effect === 'undo') held.delete(place.target);
    if (effect.effect === 'confirm' && place.step === 0)
      return { type: 'confirmed', id: effect.id, readings: clocks(nowMs) };
    return goesWell(cut)(effect, nowMs);
  };
  const fuse = { outageMs: 20_000, marginMs: 10_000 };
  const drive = new Drive(
    planOf({
      servers: 2,
      steps: (api) => [
        { ...refreshCaches(api), slots: { perSecond: 100, fraction: 1 } },
        holding(cutPath(api, { from: 'database', forMs: 600_000 }), [
          proveFuse(api, fuse),
          gate('Start?', { role: 'any', onTimeout: 'hold', fuse }),
        ]),
        inWaves({ atMost: 2 }, giveTraffic(api)),
      ],
    }),
    script,
  ).until(200_000);
  expect(drive.events.filter(({ type }) => type === 'renewed').length).toBeGreaterThan(0);
  expect(held.size).toBe(2);
  drive.answer('4', 'yes').until(drive.nowMs + 60_000);
  expect(held.size).toBe(0);
  expect(drive.closed.outcome).toBe('done');
});
