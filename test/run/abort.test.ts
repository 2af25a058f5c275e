import { expect, test } from 'vitest';
import { askBeforeUndo, defineRunbook, gate, inWaves, z } from '../../src/index.ts';
import type { ActStep, Failure, Runbook } from '../../src/model/index.ts';
import { actStepOf, trackOf, type Effect, type RunEvent } from '../../src/run/index.ts';
import { Chance } from '../support/chance.ts';
import { Drive, goesWell, seen } from '../support/drive.ts';
import { paperFleet } from '../support/fleet.ts';
import { mend, setAside } from '../support/kinds.ts';
import { compiled, outlineOf } from '../support/plans.ts';

// Goal: from whatever position, going home takes back exactly what was taken: each server's part of each risk step
// once, last first, never more at once than the step's cap, and confirmed (promise 9). Method: runs whose effects come
// through in any order, or are lost on the way, aborted after every number of outcomes.

const SERVERS = 5;
type Placed = Extract<Effect, { place: unknown }>;

const runbook = defineRunbook({
  title: 'made up',
  reach: { api: ['ssh', 'http', 'bmc'] },
  inputs: z.strictObject({}),
  budget: { failures: 50 },
  window: { limitMs: 24 * 3_600_000 },
  steps: ({ api }) => {
    return [
      inWaves({ canary: 1, atMost: 2 }, setAside(api)),
      mend(api),
      gate('Go on?', { role: 'operator', onTimeout: 'hold' }),
      askBeforeUndo(inWaves({ atMost: 3 }, setAside(api))),
      inWaves({ atMost: 2 }, setAside(api)),
    ];
  },
}) as unknown as Runbook;
const fleet = paperFleet({ servers: SERVERS });
const plan = compiled({ runbook, fleet, laid: outlineOf(runbook, fleet) });
const RISKS = ['1', '4', '5'];
const lost: Failure = { kind: 'lost', what: 'the line broke', where: '', state: '', remedy: '' };

/** A world whose answers come when the test says so. */
class Voyage {
  readonly drive: Drive;
  readonly #chance: Chance;
  readonly #pending: Placed[] = [];
  readonly #faults = new Set<string>();
  /** What is as after a step, and every time that it became so or ceased to be. */
  readonly after = new Set<string>();
  readonly moves: { readonly key: string; readonly to: 'after' | 'before' }[] = [];
  outcomes = 0;
  /** What a person answers to taking a flagged step back. */
  back = 'yes';

  constructor(seed: number) {
    this.#chance = new Chance(seed);
    this.drive = new Drive(plan, (effect, nowMs) => {
      if (!('place' in effect)) return goesWell()(effect, nowMs);
      this.#pending.push(effect);
      return undefined;
    });
  }

  /** One more thing happens; false: the run is closed. */
  step(): boolean {
    this.drive.settle();
    this.#holdCaps();
    if (this.drive.state.closed) return false;
    const asked = this.drive.gate() ?? this.drive.gate('home1');
    if (asked?.phase === 'asked') {
      if (this.drive.gate()) this.drive.answer('3', 'yes');
      else this.drive.answer('home1:4', this.back);
      return true;
    }
    const [effect] = this.#pending.splice(this.#chance.whole(0, Math.max(0, this.#pending.length - 1)), 1);
    if (effect) this.drive.say(this.#outcome(effect));
    else this.drive.until(this.drive.nowMs + 5_000);
    this.outcomes += 1;
    return true;
  }

  stepOf({ place }: Placed): ActStep {
    const track = trackOf(this.drive.state, place.track);
    if (!track) throw new Error(`no track ${place.track}`);
    return actStepOf(this.drive.machine.index, track, place.step);
  }

  #outcome(effect: Placed): RunEvent {
    const key = `${this.stepOf(effect).id}/${effect.place.target}`;
    const is = this.after.has(key);
    switch (effect.effect) {
      case 'look':
        return {
          type: 'looked',
          id: effect.id,
          outcome: is ? seen(null, { verdict: { verdict: 'nothing' } }) : seen({ to: 'out' }),
        };
      case 'confirm': {
        const shows = is === (effect.for === 'perform');
        return { type: 'confirmed', id: effect.id, ...(shows ? {} : { failure: { ...lost, kind: 'not-confirmed' } }) };
      }
      case 'perform':
      case 'undo': {
        // Each is lost once at most, before it comes through or after.
        const faulty = !this.#faults.has(`${effect.effect} ${key}`) && this.#chance.happens(0.25);
        if (faulty) this.#faults.add(`${effect.effect} ${key}`);
        if (!faulty || this.#chance.happens(0.5)) this.#move(key, effect.effect === 'perform' ? 'after' : 'before');
        return { type: 'performed', id: effect.id, ...(faulty ? { failure: lost } : {}) };
      }
    }
  }

  #move(key: string, to: 'after' | 'before'): void {
    if (this.after.has(key) === (to === 'after')) return;
    if (to === 'after') this.after.add(key);
    else this.after.delete(key);
    this.moves.push({ key, to });
  }

  #holdCaps(): void {
    const acting = this.#pending.filter(({ effect }) => effect === 'undo' || effect === 'perform');
    for (const [, alike] of Map.groupBy(acting, ({ place }) => `${place.track}/${place.step}`)) {
      const { atMost, id } = this.stepOf(alike[0]!);
      if (alike.length > atMost) throw new Error(`${alike.length} at once at step ${id}, and its cap is ${atMost}`);
    }
  }
}

function abortedAfter(outcomes: number, seed: number): Voyage {
  const voyage = new Voyage(seed);
  while (voyage.outcomes < outcomes && voyage.step());
  if (voyage.drive.state.closed === null) voyage.drive.say({ type: 'abort', by: 'somebody', reason: 'enough' });
  for (let steps = 0; voyage.step(); steps += 1) if (steps > 2_000) throw new Error('it does not come home');
  return voyage;
}

const longest = abortedAfter(Infinity, 1).outcomes;

test('aborted after any number of outcomes: exactly what was taken is given back, once, last first', () => {
  expect(longest).toBeGreaterThan(60);
  for (let outcomes = 0; outcomes < longest; outcomes += 1) {
    const { drive, after, moves } = abortedAfter(outcomes, outcomes + 7);
    if (drive.closed.outcome === 'done') continue;
    // A server that was mended on a line which then ended before its end is looked at by a person.
    const mended = moves.some(({ key }) => key.startsWith('2/'));
    expect(drive.closed.outcome).toBe(mended ? 'human' : 'home');
    expect(RISKS.flatMap((id) => [...after].filter((key) => key.startsWith(`${id}/`)))).toEqual([]);
    const risk = moves.filter(({ key }) => RISKS.includes(key.split('/')[0]!));
    const taken = risk.filter(({ to }) => to === 'after').map(({ key }) => key);
    const given = risk.filter(({ to }) => to === 'before').map(({ key }) => key);
    expect(new Set(taken).size).toBe(taken.length);
    expect(given.toSorted()).toEqual(taken.toSorted());
    // What was mended stays mended.
    expect(moves.filter(({ key, to }) => key.startsWith('2/') && to === 'before')).toEqual([]);
    const steps = given.map((key) => Number(key.split('/')[0]));
    expect(steps).toEqual(steps.toSorted((a, b) => b - a));
    const home = drive.state.tracks.find(({ kind }) => kind === 'home')!;
    const waves = home.steps.flatMap((act) => (act.step === 'act' ? act.waves : []));
    const phases = waves.flatMap(({ targets }) => Object.values(targets).map(({ phase }) => phase));
    expect(phases.filter((phase) => phase !== 'done')).toEqual([]);
  }
});

test('with --to, the step itself and what was before it stay, are named, and a person is told', () => {
  const voyage = new Voyage(3);
  while (voyage.drive.state.tracks[0]!.cursor < 4 && voyage.step());
  for (let more = 0; more < 6; more += 1) voyage.step();
  voyage.drive.say({ type: 'abort', by: 'somebody', reason: 'not that one', to: '4' });
  while (voyage.step());
  const { closed } = voyage.drive;
  expect(closed).toMatchObject({ outcome: 'human', exitCode: 5 });
  expect(closed.summary).toContain('In place, as was asked: step 1 "set aside" on ');
  expect(closed.summary).toContain('step 4 "set aside" on ');
  expect(closed.summary).toContain('Take that back too: neap rollback r.');
  expect([...voyage.after].filter((key) => /^[14]\//.test(key))).toHaveLength(2 * SERVERS);
  expect([...voyage.after].filter((key) => key.startsWith('5/'))).toEqual([]);
});

test('no to taking a flagged step back: it is left, named, and the way home goes on below it', () => {
  const voyage = new Voyage(5);
  while (voyage.drive.state.tracks[0]!.cursor < 4 && voyage.step());
  voyage.drive.say({ type: 'abort', by: 'somebody', reason: 'enough' });
  voyage.back = 'no';
  while (voyage.step());
  expect(voyage.drive.effects.some((each) => each.effect === 'page' && each.text.includes('home1:4 yes'))).toBe(true);
  expect(voyage.drive.closed).toMatchObject({ outcome: 'human', exitCode: 5 });
  expect(voyage.drive.closed.summary).toMatch(/In place, as was asked: step 4 "set aside" on api-\d/);
  expect([...voyage.after].filter((key) => key.startsWith('4/'))).toHaveLength(SERVERS);
  expect([...voyage.after].filter((key) => /^[15]\//.test(key))).toEqual([]);
});
