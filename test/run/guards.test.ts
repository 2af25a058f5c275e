import { describe, expect, test } from 'vitest';
import { command, defineRunbook, gate, giveTraffic, guarded, inWaves, takeOut, z } from '../../src/index.ts';
import type { GuardSpec, Plan, Runbook, StepSpec, Targets, Way } from '../../src/model/index.ts';
import { watchedGuards, type RunEvent } from '../../src/run/index.ts';
import { Drive, goesWell, type Script } from '../support/drive.ts';
import { paperFleet } from '../support/fleet.ts';
import { setAside } from '../support/kinds.ts';
import { compiled, outlineOf } from '../support/plans.ts';

// Goal: what a guard's standing does to a run (promises 7 and 8). Method: the machine driven by hand, its world a script.

type Api = Targets<Way>;

const load = (onTrip: GuardSpec['onTrip'] = 'stop'): GuardSpec =>
  command({ title: 'Load', run: ['load'], everyMs: 5_000, forMs: 10_000, onTrip });

function planFor(steps: (api: Api) => readonly StepSpec[], servers = 4): Plan {
  const runbook = defineRunbook({
    title: 'guarded',
    reach: { api: ['ssh', 'http', 'bmc'] },
    inputs: z.strictObject({}),
    budget: { failures: 3 },
    window: { limitMs: 24 * 3_600_000 },
    steps: ({ api }) => steps(api),
  }) as unknown as Runbook;
  const fleet = paperFleet({ servers });
  return compiled({ runbook, fleet, laid: outlineOf(runbook, fleet) });
}

const says = (
  standing: Extract<RunEvent, { type: 'guard' }>['standing'],
  onsetAtMs = 0,
  guard = 'g1',
): Extract<RunEvent, { type: 'guard' }> => ({
  type: 'guard',
  guard,
  standing,
  positive: standing !== 'no-data',
  onsetAtMs,
  seen: `seen ${standing}`,
});

const pages = (drive: Drive) => drive.effects.flatMap((effect) => (effect.effect === 'page' ? [effect.text] : []));
const watched = (drive: Drive) => watchedGuards(drive.state, drive.machine.index).map(({ id }) => id);
/** Looks stay under way until they are told of. */
const slowLooks: Script = (effect, nowMs) => (effect.effect === 'look' ? undefined : goesWell()(effect, nowMs));

const twoSteps = (onTrip?: GuardSpec['onTrip']) =>
  planFor((api) => [guarded(load(onTrip), [inWaves({ atMost: 2 }, setAside(api))]), giveTraffic(api)]);

describe('risk under a guard', () => {
  test('is not begun before the guard was read, and begins when it is clear', () => {
    const drive = new Drive(twoSteps()).settle();
    expect(watched(drive)).toEqual(['g1']);
    expect(drive.made('look')).toEqual([]);
    expect(pages(drive)).toEqual([]);
    drive.say(says('clear')).settle();
    expect(drive.made('perform').slice(0, 2)).toEqual(['api-1', 'api-2']);
    expect(drive.state.tracks[0]?.status).toBe('finished');
  });

  test.each(['trip', 'no-data'] as const)(
    '%s: nothing more is begun, one page a time, and it goes on by itself',
    (standing) => {
      const drive = new Drive(twoSteps(), slowLooks).settle();
      drive.say(says('clear')).settle();
      expect(drive.made('look')).toEqual(['api-1', 'api-2']);
      drive.say(says(standing, 7_000)).settle();
      // What was under way ends its look, and is not acted upon.
      for (const effect of drive.effects.filter((each) => each.effect === 'look'))
        drive.say(goesWell()(effect, 0)!).settle();
      expect(drive.made('perform')).toEqual([]);
      expect(pages(drive)).toEqual([
        expect.stringMatching(/guard "Load" .* since 00:00:07 UTC: seen .*Nothing more is taken/),
      ]);
      drive.script = goesWell();
      drive.until(60_000);
      expect(drive.made('perform')).toEqual([]);
      expect(drive.state.mode).toBe('forward');
      drive.say(says('clear', 60_000)).settle();
      // Seen before the trip is seen too early: they are looked at again.
      expect(drive.made('look').slice(0, 4)).toEqual(['api-1', 'api-2', 'api-1', 'api-2']);
      expect(drive.closed).toMatchObject({ outcome: 'done' });
      expect(pages(drive)).toHaveLength(1);
    },
  );

  test('a warning does not stop it', () => {
    expect(new Drive(twoSteps()).say(says('warn')).settle().closed.outcome).toBe('done');
  });

  test('each onset is paged once', () => {
    const drive = new Drive(twoSteps()).say(says('trip', 1_000)).settle();
    drive.say(says('clear', 2_000)).say(says('trip', 3_000)).say(says('trip', 3_000)).settle();
    expect(pages(drive)).toHaveLength(2);
  });

  test('what gives back is never stopped', () => {
    const drive = new Drive(planFor((api) => [guarded(load(), [giveTraffic(api)])])).say(says('trip')).settle();
    expect(drive.closed.outcome).toBe('done');
  });

  test('a person overrides it, for this guard only', () => {
    const plan = planFor((api) => [
      guarded(load(), [guarded({ ...load(), title: 'Other' }, [setAside(api)])]),
      giveTraffic(api),
    ]);
    expect(plan.header.guards.map(({ id, title, covers }) => [id, title, covers])).toEqual([
      ['g1', 'Load', ['1']],
      ['g2', 'Other', ['1']],
    ]);
    const drive = new Drive(plan)
      .say(says('trip'))
      .say(says('trip', 0, 'g2'))
      .settle();
    const override = (about: string): RunEvent => ({ type: 'overrode', class: 'guard', about, by: 'ann', reason: 'r' });
    drive.say(override('g1')).settle();
    expect(drive.made('look')).toEqual([]);
    drive.say(override('g2')).settle();
    expect(drive.closed.outcome).toBe('done');
  });
});

describe('what a guard says', () => {
  test('is forgotten with the steps that it covers, with the engine that read it, and with a jump of the clock', () => {
    const steps = (api: Api) => [guarded(load(), [takeOut(api)]), gate('Go on?', { role: 'any', onTimeout: 'hold' })];
    const drive = new Drive(planFor(steps), slowLooks).say(says('clear')).settle();
    drive.say({ type: 'engine', pid: 1, host: 'h', neap: '0' });
    expect(drive.state.guards).toEqual({});
    drive.say(says('clear')).say({ type: 'jumped', sort: 'slept', byMs: 1 });
    expect(drive.state.guards).toEqual({});
    drive.script = goesWell({ from: 'in', to: 'out' });
    drive.until(60_000).say(says('clear')).until(120_000);
    expect(drive.gate()).toMatchObject({ phase: 'asked' });
    expect([watched(drive), drive.state.guards]).toEqual([[], {}]);
    // Too late: that is of steps that are behind.
    drive.say(says('trip')).settle();
    expect(drive.state.guards).toEqual({});
    expect(pages(drive).filter((text) => text.includes('Load'))).toEqual([]);
  });

  test('is heard while halted and on the way home, and stops neither', () => {
    const drive = new Drive(twoSteps(), slowLooks).say(says('clear')).settle();
    drive.say({ type: 'halted', by: 'ann' }).settle();
    expect(watched(drive)).toEqual(['g1']);
    drive.say(says('trip', 5)).settle();
    expect(pages(drive)).toHaveLength(1);
    for (const effect of drive.effects.filter((each) => each.effect === 'look')) drive.say(goesWell()(effect, 0)!);
    drive.say(says('clear', 6)).say({ type: 'unhalted', by: 'ann' });
    drive.script = (effect, nowMs) =>
      effect.effect === 'undo' || effect.effect === 'look' ? slowLooks(effect, nowMs) : goesWell()(effect, nowMs);
    drive.settle();
    const again = drive.effects.filter((each) => each.effect === 'look').slice(-2);
    for (const effect of again) drive.say(goesWell()(effect, 0)!).settle();
    drive.say({ type: 'abort', by: 'ann', reason: 'enough' }).settle();
    expect(watched(drive)).toEqual(['g1']);
    drive.say(says('no-data', 9)).settle();
    expect(pages(drive).at(-1)).toMatch(/has no data since .* on its way home, and goes on with that/);
    drive.script = goesWell();
    for (const effect of drive.effects.filter((each) => each.effect === 'look').slice(-2))
      drive.say(goesWell()(effect, 0)!).settle();
    expect(drive.until(60_000).closed).toMatchObject({ outcome: 'home' });
  });
});

describe('on trip: home', () => {
  test('a bad reading turns the run for home, and says since when', () => {
    const drive = new Drive(twoSteps('home')).say(says('trip', 3_000)).settle();
    expect(drive.state.homeWhy).toEqual({
      code: 'guard',
      why: 'guard "Load" is tripped since 00:00:03 UTC: seen trip',
    });
    expect(drive.closed).toMatchObject({ outcome: 'home', exitCode: 1 });
  });

  test('silence only stops', () => {
    const drive = new Drive(twoSteps('home')).say(says('no-data', 3_000)).until(3_600_000);
    expect([drive.state.mode, drive.made('look')]).toEqual(['forward', []]);
  });

  test('neither does one that a person overrode', () => {
    const drive = new Drive(twoSteps('home'));
    drive.say({ type: 'overrode', class: 'guard', about: 'g1', by: 'ann', reason: 'it lies' });
    expect(drive.say(says('trip')).settle().closed.outcome).toBe('done');
  });
});
