import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { gate, giveTraffic, hardReset, inWaves, offlineMode, takeOut, whenHung } from '../../src/index.ts';
import type { StepSpec } from '../../src/model/index.ts';
import { allFlying, budgetOf, type Effect, type RunEvent } from '../../src/run/index.ts';
import { Chance } from '../support/chance.ts';
import { Drive, goesWell, seen, type Script } from '../support/drive.ts';
import { stamp } from '../support/kinds.ts';
import { failureOf, planOf, type Api } from '../support/made-up.ts';

// Goal: what may not be done twice is not done twice, unless it is shown that it had not begun or a person says so.
// Method: a stamp that is lost on its way, with an engine that dies there, and people who answer.

const steps = (api: Api): StepSpec[] => [inWaves({ atMost: 1 }, stamp(api))];
const change = { from: 0, to: 1 };

/** The stamps that there are, and which of those that are sent get lost: before they are pressed, or after. */
interface Desk {
  readonly stamps: Map<string, number>;
  readonly lost: Map<string, 'before' | 'after'>;
}

function world({ stamps, lost }: Desk): Script {
  return (effect, nowMs) => {
    if (!('place' in effect) || effect.effect === 'undo' || effect.place.track.startsWith('c'))
      return goesWell(change)(effect, nowMs);
    const server = effect.place.target;
    const pressed = stamps.get(server) ?? 0;
    switch (effect.effect) {
      case 'look':
        return {
          type: 'looked',
          id: effect.id,
          outcome: seen(change, { repeatable: false, ...(pressed > 0 ? { verdict: { verdict: 'nothing' } } : {}) }),
        };
      case 'perform': {
        const how = lost.get(server);
        lost.delete(server);
        if (how !== 'before') stamps.set(server, pressed + 1);
        return how === undefined
          ? { type: 'performed', id: effect.id }
          : { type: 'performed', id: effect.id, failure: failureOf('lost') };
      }
      case 'confirm':
        return pressed > 0
          ? { type: 'confirmed', id: effect.id }
          : { type: 'confirmed', id: effect.id, failure: failureOf('not-confirmed') };
    }
  };
}

function lostOn(server: string, how: 'before' | 'after' = 'before'): Desk {
  return { stamps: new Map(), lost: new Map([[server, how]]) };
}

const pressedOn = (drive: Drive, server: string): number =>
  drive.made('perform', 'main').filter((each) => each === server).length;

describe('what was sent and nobody can tell of', () => {
  test('is asked about with what is known; the others go on, and it counts', () => {
    const desk = lostOn('api-1');
    const drive = new Drive(planOf({ servers: 3, failures: 3, steps }), () => undefined).say({
      type: 'engine',
      pid: 4711,
      host: 'bastion',
      neap: '0',
    });
    drive.script = world(desk);
    drive.until(120_000);
    const ask = drive.effects.find((effect) => effect.effect === 'ask');
    expect(ask).toMatchObject({ gate: 'doubt1:api-1' });
    expect((ask as Extract<Effect, { effect: 'ask' }>).text).toMatch(
      /Was "stamp" \(step 1\) done on api-1\?.*\nSent at 00:00:0\d UTC by engine 4711 on bastion: \{"from":0,"to":1\} \(change [0-9a-f]{12}\)\.\nSeen since: whether it was done is not known.*Looked at again it would still be done/,
    );
    expect([...desk.stamps.keys()]).toEqual(['api-2', 'api-3']);
    expect(budgetOf(drive.state, drive.machine.index).spent).toBe(1);
    expect(drive.effects.some((effect) => effect.effect === 'page' && effect.text.includes('doubt1:api-1'))).toBe(true);
    // Nobody answers: it holds, and does nothing.
    drive.until(40 * 3_600_000);
    expect(drive.state.closed).toBeNull();
    expect(pressedOn(drive, 'api-1')).toBe(1);
  });

  test('"done" must show when it is read again; then nothing is open any more', () => {
    const desk = lostOn('api-1');
    const drive = new Drive(planOf({ servers: 3, failures: 3, steps }), world(desk)).until(120_000);
    drive.answer('doubt1:api-1', 'done');
    // It does not show: the same question once more, with why.
    expect(drive.effects.filter(({ effect }) => effect === 'ask')).toHaveLength(2);
    expect(drive.effects.findLast(({ effect }) => effect === 'ask')).toMatchObject({
      text: expect.stringContaining('it does not show'),
    });
    desk.stamps.set('api-1', 1);
    drive.answer('doubt1:api-1', 'done');
    expect(drive.closed).toMatchObject({ outcome: 'done', exitCode: 0 });
    expect(pressedOn(drive, 'api-1')).toBe(1);
  });

  test('"not-done" lets the line do it anew while it is still there', () => {
    const desk = lostOn('api-1');
    const waits: Script = (effect, nowMs) =>
      effect.effect === 'perform' && effect.place.target === 'api-3' ? undefined : world(desk)(effect, nowMs);
    const drive = new Drive(planOf({ servers: 3, failures: 3, steps }), waits).until(120_000);
    drive.answer('doubt1:api-1', 'not-done');
    expect(drive.state.out).toEqual({});
    const late = allFlying(drive.state.flying).find(({ effect }) => effect === 'perform');
    desk.stamps.set('api-3', 1);
    drive.say({ type: 'performed', id: late!.id }).settle();
    expect(drive.closed).toMatchObject({ outcome: 'done', exitCode: 0 });
    expect(pressedOn(drive, 'api-1')).toBe(2);
    expect([...desk.stamps.values()]).toEqual([1, 1, 1]);
  });

  test('"not-done" behind the line’s back changes nothing on it: it stays out, and how it stands is known', () => {
    const desk = lostOn('api-1');
    const plan = planOf({
      servers: 3,
      failures: 3,
      steps: (api) => [...steps(api), inWaves({ atMost: 1 }, offlineMode(api, { on: true }))],
    });
    const drive = new Drive(plan, world(desk)).until(120_000);
    drive.answer('doubt1:api-1', 'not-done');
    expect(drive.closed).toMatchObject({ outcome: 'done', exitCode: 0 });
    expect(drive.closed.summary).toMatch(
      /Quarantined, .*api-1 \(it was in doubt at "stamp"; somebody said that it was not done\)/,
    );
    expect(pressedOn(drive, 'api-1')).toBe(1);
  });

  test('"leave" keeps it unknown: exit 5 names it', () => {
    const drive = new Drive(planOf({ servers: 3, failures: 3, steps }), world(lostOn('api-1'))).until(120_000);
    drive.answer('doubt1:api-1', 'leave');
    expect(drive.closed).toMatchObject({ outcome: 'human', exitCode: 5 });
    expect(drive.closed.summary).toContain('State not proven: api-1');
  });

  test('a word that is told without a gate is the same word', () => {
    const drive = new Drive(planOf({ servers: 3, failures: 3, steps }), world(lostOn('api-1'))).until(120_000);
    drive.say({ type: 'told', server: 'api-1', what: 'leave', by: 'somebody', reason: 'seen at the rack' }).settle();
    expect(drive.closed).toMatchObject({ exitCode: 5 });
  });

  test('who is not in doubt is not asked about: what shows was done', () => {
    const drive = new Drive(planOf({ servers: 3, failures: 3, steps }), world(lostOn('api-1', 'after'))).until(120_000);
    expect(drive.closed).toMatchObject({ outcome: 'done', exitCode: 0 });
    expect(drive.effects.some(({ effect }) => effect === 'ask')).toBe(false);
  });

  test('on the way home it is asked, and what was not done needs no taking back', () => {
    const drive = new Drive(planOf({ servers: 3, failures: 1, steps }), world(lostOn('api-1'))).until(120_000);
    expect(drive.state.mode).toBe('home');
    expect(drive.state.closed).toBeNull();
    drive.answer('doubt1:api-1', 'not-done');
    expect(drive.closed).toMatchObject({ outcome: 'home', exitCode: 1 });
    expect(pressedOn(drive, 'api-1')).toBe(1);
  });

  test('the way home answers it where the undo shows how it stands', () => {
    const script: Script = (effect, nowMs) => {
      if ('place' in effect && effect.place.track === 'main' && effect.place.target === 'api-1') {
        if (effect.effect === 'perform') return { type: 'performed', id: effect.id, failure: failureOf('lost') };
        if (effect.effect === 'confirm')
          return { type: 'confirmed', id: effect.id, failure: failureOf('not-confirmed') };
        if (effect.effect === 'look')
          return { type: 'looked', id: effect.id, outcome: seen({ to: 'x' }, { repeatable: false }) };
      }
      return goesWell({ to: 'x' })(effect, nowMs);
    };
    const plan = planOf({
      servers: 3,
      failures: 3,
      steps: (api) => [offlineMode(api, { on: true }), gate('Go on?', { role: 'any', onTimeout: 'hold' })],
    });
    const drive = new Drive(plan, script).until(120_000).answer('2', 'no').until(240_000);
    expect(drive.made('undo')).toContain('api-1');
    expect(drive.events).toContainEqual(
      expect.objectContaining({ type: 'told', server: 'api-1', what: 'leave', by: 'neap' }),
    );
    expect(drive.closed).toMatchObject({ outcome: 'home', exitCode: 1 });
  });
});

test('a reset that nobody can tell of: the recovery begins anew once a person has said, and looks first', () => {
  const change = { reset: 'hard', lastResetAt: null };
  let isUp = false;
  const script: Script = (effect, nowMs) => {
    if (effect.effect === 'diagnose') return { type: 'diagnosed', id: effect.id, condition: 'hung', seen: 'silent' };
    if (!('place' in effect)) return goesWell()(effect, nowMs);
    const isReset = effect.place.track.startsWith('c1') && effect.place.step === 2;
    if (effect.effect === 'look' && effect.place.track === 'main' && effect.place.target === 'api-2')
      return { type: 'looked', id: effect.id, outcome: { failure: failureOf('unreachable') } };
    if (!isReset) return goesWell()(effect, nowMs);
    if (effect.effect === 'look')
      return {
        type: 'looked',
        id: effect.id,
        outcome: seen(change, { repeatable: false, ...(isUp ? { verdict: { verdict: 'nothing' } } : {}) }),
      };
    if (effect.effect === 'perform') return { type: 'performed', id: effect.id, failure: failureOf('lost') };
    return { type: 'confirmed', id: effect.id, failure: failureOf('not-confirmed') };
  };
  const plan = planOf({
    servers: 3,
    failures: 3,
    steps: (api) => [offlineMode(api, { on: true })],
    contingencies: (api) => [
      whenHung(api, { title: 'Recover', suspectAbove: 3 }, (hung) => [
        takeOut(hung),
        gate('Reset?', { role: 'power', onTimeout: 'hold' }),
        hardReset(hung),
        giveTraffic(hung),
      ]),
    ],
  });
  const drive = new Drive(plan, script).until(60_000).answer('c1:c1.2', 'yes').until(600_000);
  expect(drive.effects.findLast(({ effect }) => effect === 'ask')).toMatchObject({ gate: 'doubt1:api-2' });
  isUp = true;
  drive.answer('doubt1:api-2', 'not-done');
  expect(drive.gate('c1-2')?.phase).toBe('asked');
  drive.answer('c1-2:c1.2', 'yes');
  // It was done after all: seen, and not done again.
  expect(drive.effects.filter((effect) => effect.effect === 'perform' && effect.place.step === 2)).toHaveLength(1);
  expect(drive.closed).toMatchObject({ outcome: 'done', exitCode: 0 });
  expect(drive.closed.summary).toContain('Recovered on the way: api-2');
});

/** One life: effects are lost by chance, the engine dies by chance, people answer by chance. Gives what broke the promise. */
function live(seed: number): string | null {
  const chance = new Chance(seed);
  const begun = new Map<string, 'unknown' | 'not-begun'>();
  const drive = new Drive(planOf({ servers: 4, failures: 4, steps: (api) => [stamp(api)] }), () => undefined);
  let broken: string | null = null;
  drive.script = (effect) => {
    if (effect.effect === 'perform' && effect.place.track === 'main') {
      const server = effect.place.target;
      if (begun.get(server) === 'unknown') broken = `${server} was stamped again, and nothing shows that it may be`;
      begun.set(server, 'unknown');
    }
    return outcomeOf(effect, chance, begun);
  };
  for (let turns = 0; turns < 60 && drive.state.closed === null; turns += 1) {
    drive.until(drive.nowMs + 20_000);
    if (chance.happens(0.15)) drive.say({ type: 'engine', pid: turns, host: 'here', neap: '0' });
    for (const effect of allFlying(drive.state.flying)) {
      const event = outcomeOf(effect, chance, begun);
      if (event) drive.say(event);
    }
    const open = drive.effects.findLast(({ effect }) => effect === 'ask');
    if (open?.effect !== 'ask' || chance.happens(0.5)) continue;
    const answer = chance.pick(['done', 'not-done', 'leave']);
    const server = open.gate.split(':')[1] ?? '';
    const phase = drive.gate(open.track)?.phase;
    if (answer === 'not-done' && (phase === 'asked' || phase === 'waiting')) begun.set(server, 'not-begun');
    drive.answer(open.gate, answer);
  }
  return broken;
}

/** A look may show that nothing was begun (`repeatable`), or prove nothing. */
function outcomeOf(effect: Effect, chance: Chance, begun: Map<string, 'unknown' | 'not-begun'>): RunEvent | undefined {
  if (!('place' in effect) || effect.place.track.startsWith('c') || chance.happens(0.1)) {
    return 'place' in effect && !effect.place.track.startsWith('c') ? undefined : goesWell(change)(effect, 0);
  }
  const server = effect.place.target;
  switch (effect.effect) {
    case 'look': {
      const repeatable = chance.happens(0.2);
      if (chance.happens(0.2))
        return {
          type: 'looked',
          id: effect.id,
          outcome: { failure: failureOf(chance.pick(['unreachable', 'denied'])) },
        };
      if (repeatable && begun.has(server)) begun.set(server, 'not-begun');
      return { type: 'looked', id: effect.id, outcome: seen(change, { repeatable }) };
    }
    case 'perform':
      // Nothing went out: as if it had not begun.
      if (chance.happens(0.2)) {
        begun.set(server, 'not-begun');
        return { type: 'performed', id: effect.id, failure: failureOf('unreachable') };
      }
      return chance.happens(0.5)
        ? { type: 'performed', id: effect.id, failure: failureOf(chance.pick(['lost', 'timeout'])) }
        : { type: 'performed', id: effect.id };
    default:
      return chance.happens(0.3)
        ? { type: 'confirmed', id: effect.id }
        : { type: 'confirmed', id: effect.id, failure: failureOf(chance.pick(['not-confirmed', 'unreachable'])) };
  }
}

test('whatever is lost, whoever dies: a stamp is pressed again only where it is shown, or said, that it had not begun', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000_000 }), (seed) => {
      expect(live(seed)).toBeNull();
    }),
    { numRuns: 80, examples: [[71001]] },
  );
});
