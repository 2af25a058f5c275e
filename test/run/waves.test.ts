import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { gate, giveTraffic, hardReset, inWaves, offlineMode, probe, takeOut, whenHung } from '../../src/index.ts';
import type { Failure, Plan } from '../../src/model/index.ts';
import { allFlying, actStepOf, trackOf, type Effect, type RunEvent } from '../../src/run/index.ts';
import { Chance } from '../support/chance.ts';
import { Drive, goesWell, seen } from '../support/drive.ts';
import { failureOf, planOf } from '../support/made-up.ts';

// Goal: promise 6 to the letter and one cap for the way in and the way back. Method: a world in which everything that can
// fail does so by chance and in any order; what is under way is counted from the events alone.

interface Wish {
  readonly servers: number;
  readonly failures: number;
  readonly atMost: number;
}

function planFor({ servers, failures, atMost }: Wish): Plan {
  return planOf({
    servers,
    failures,
    domains: 3,
    steps: (api) => [
      probe(api),
      inWaves({ by: 'domain', atMost }, offlineMode(api, { on: true })),
      gate('Go on?', { role: 'any', onTimeout: 'hold' }),
      inWaves({ atMost }, offlineMode(api, { on: false })),
      giveTraffic(api),
    ],
    contingencies: (api) => [
      whenHung(api, { title: 'Recover', suspectAbove: 99 }, (hung) => [takeOut(hung), hardReset(hung)]),
    ],
  });
}

const KINDS: readonly Failure['kind'][] = ['unreachable', 'command', 'lost', 'timeout', 'denied'];

/** What the world says to an effect this time. */
function outcomeOf(effect: Effect, chance: Chance, wrong: number): RunEvent | undefined {
  const well = goesWell({ to: 'out' })(effect, 0);
  if (!('place' in effect) || !chance.happens(wrong)) {
    return effect.effect === 'diagnose' && chance.happens(0.4)
      ? { type: 'diagnosed', id: effect.id, condition: chance.pick(['hung', 'silent']), seen: 'nothing' }
      : well;
  }
  const kind = chance.pick(KINDS);
  const failure = failureOf(kind);
  switch (effect.effect) {
    case 'look': {
      const unmet = { need: { holds: false as const, why: 'it does not answer' } };
      const isUndo = effect.for === 'undo';
      if (chance.happens(0.5))
        return {
          type: 'looked',
          id: effect.id,
          outcome: seen({ to: 'out' }, isUndo ? { ...unmet, verdict: { verdict: 'nothing' } } : unmet),
        };
      return { type: 'looked', id: effect.id, outcome: { failure } };
    }
    case 'perform':
    case 'undo':
      return { type: 'performed', id: effect.id, failure };
    case 'confirm':
      return {
        type: 'confirmed',
        id: effect.id,
        failure: { ...failure, kind: chance.pick(['not-confirmed', 'unreachable']) },
      };
  }
}

/** Counts, from events alone: who failed, who is begun and not ended, and how many effects are under way at each step. */
class Count {
  readonly failed = new Set<string>();
  readonly #begun = new Set<string>();
  readonly #flying = new Map<string, { readonly step: string; readonly server: string }>();

  /** Before an effect is folded: promise 6 for whoever is begun, and the cap for all. */
  intends(drive: Drive, effect: Effect, { failures, atMost }: Wish): void {
    if (!('place' in effect)) return;
    const { place } = effect;
    const track = trackOf(drive.state, place.track)!;
    const act = track.steps[place.step];
    if (act?.step !== 'act') throw new Error(`${effect.id} is at no step`);
    const step = actStepOf(drive.machine.index, track, place.step);
    const target = act.waves[place.wave]!.targets[place.target]!;
    if (track.kind === 'main' && step.nature !== 'restore' && target.phase === 'waiting') {
      // A server is begun at one step after the other: only the last counts.
      if (this.failed.size + this.#begun.size >= failures)
        throw new Error(`${effect.id} is begun, and the budget is spent`);
      this.#begun.add(place.target);
    }
    const cap = step.kind.name === 'offline-mode' ? atMost : 32;
    const sameStep = [...this.#flying.values()].filter(({ step: at }) => at === `${act.does} ${step.id}`);
    const busy = new Set([...sameStep.map(({ server }) => server), place.target]).size;
    if (busy > cap) throw new Error(`${effect.id} makes ${busy} under way, and the cap is ${cap}`);
    this.#flying.set(effect.id, { step: `${act.does} ${step.id}`, server: place.target });
  }

  /** After something was folded. */
  folded(drive: Drive, event: RunEvent): void {
    if ('id' in event) this.#flying.delete(event.id);
    if (event.type === 'engine') this.#flying.clear();
    for (const server of Object.keys(drive.state.out)) this.failed.add(server);
    const main = trackOf(drive.state, 'main')!;
    for (const server of this.#begun) {
      const isUnderWay = main.steps.some(
        (act, at) =>
          act.step === 'act' &&
          actStepOf(drive.machine.index, main, at).nature !== 'restore' &&
          act.waves.some(({ targets }) => {
            const phase = targets[server]?.phase ?? 'left';
            return !['waiting', 'done', 'failed', 'unknown', 'left'].includes(phase);
          }),
      );
      if (!isUnderWay) this.#begun.delete(server);
    }
  }
}

/** Runs one life of the world; true when the run was closed. */
function sail(wish: Wish, seed: number, wrong: number): boolean {
  const chance = new Chance(seed);
  const drive = new Drive(planFor(wish), () => undefined);
  const count = new Count();
  const pending: Effect[] = [];
  let calm = false;
  for (let turns = 0; turns < 4_000 && drive.state.closed === null; turns += 1) {
    const { decision, effects, wakeAtMs } = drive.machine.next(drive.state);
    if (decision) drive.say(decision);
    for (const effect of effects) {
      count.intends(drive, effect, wish);
      drive.say({ type: 'intended', effect });
      if (effect.effect === 'ask')
        drive.say({ type: 'asked', id: effect.id }).say(answerTo(effect.gate, chance, drive));
      else if (effect.effect !== 'pass') pending.push(effect);
    }
    if (decision || effects.length > 0) continue;
    calm ||= turns > 2_000;
    const [next] = pending.splice(Math.floor(chance.draw() * pending.length), 1);
    if (next) {
      const event = outcomeOf(next, chance, calm ? 0 : wrong);
      if (event) drive.say(event);
      if (event) count.folded(drive, event);
    } else if (wakeAtMs !== null) {
      drive.nowMs = Math.max(drive.nowMs, wakeAtMs);
      drive.say({ type: 'time' });
    } else return false;
    // An engine dies now and then: nothing of what was under way is heard of again.
    if (chance.happens(0.002)) {
      pending.length = 0;
      const engine: RunEvent = { type: 'engine', pid: 1, host: 'here', neap: '0' };
      drive.say(engine);
      count.folded(drive, engine);
    }
  }
  return drive.state.closed !== null;
}

function answerTo(gateId: string, chance: Chance, { nowMs }: Drive): RunEvent {
  const answer = chance.happens(0.8) ? 'yes' : 'no';
  return { type: 'answered', gate: gateId, answer, by: 'somebody', givenAtMs: nowMs };
}

test('failed + unknown + in flight stays below N at every start, and nothing is done on more servers than the cap', () => {
  let closed = 0;
  let lives = 0;
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100_000 }),
      fc.integer({ min: 3, max: 10 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 4 }),
      fc.constantFrom(0, 0.03, 0.15, 0.4),
      (seed, servers, failures, atMost, wrong) => {
        lives += 1;
        closed += sail({ servers, failures, atMost }, seed, wrong) ? 1 : 0;
      },
    ),
    { numRuns: 60 },
  );
  // A world that comes to no end shows little.
  expect(closed).toBeGreaterThan(lives * 0.95);
});

test("who waits for a need is looked at again in somebody's place, not beside everybody", () => {
  const drive = new Drive(
    planOf({ servers: 100, failures: 1, steps: (api) => [giveTraffic(api)] }),
    () => undefined,
  ).settle();
  const looks = (): Effect[] => allFlying(drive.state.flying).filter(({ effect }) => effect === 'look');
  const unmet = (count: number): void => {
    for (const { id } of looks().slice(0, count))
      drive.say({
        type: 'looked',
        id,
        outcome: seen({ to: 'in' }, { need: { holds: false, why: 'it does not answer' } }),
      });
  };
  expect(looks()).toHaveLength(32);
  unmet(16);
  drive.settle();
  expect(looks()).toHaveLength(32);
  drive.nowMs = 6_000;
  unmet(16);
  drive.settle();
  // Sixteen are due again and more than that have never been looked at: together they get what is free.
  expect(looks()).toHaveLength(32);
});

test('each failure in a step halves its pace, and no success raises it again', () => {
  const drive = new Drive(
    planOf({ servers: 60, failures: 50, steps: (api) => [inWaves({ atMost: 20 }, offlineMode(api, { on: true }))] }),
    () => undefined,
  ).settle();
  const underWay = (): number => allFlying(drive.state.flying).length;
  const fail = (): void => {
    drive
      .say({ type: 'looked', id: allFlying(drive.state.flying)[0]!.id, outcome: { failure: failureOf('denied') } })
      .settle();
  };
  const succeed = (): void => {
    for (const { id } of allFlying(drive.state.flying))
      drive.say({ type: 'looked', id, outcome: seen(null, { verdict: { verdict: 'nothing' } }) });
    drive.settle();
  };
  expect(underWay()).toBe(20);
  fail();
  succeed();
  expect(underWay()).toBe(10);
  fail();
  succeed();
  expect(underWay()).toBe(5);
  succeed();
  succeed();
  expect(underWay()).toBe(5);
});
