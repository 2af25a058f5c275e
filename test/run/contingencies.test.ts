import { describe, expect, test } from 'vitest';
import {
  byHand,
  command,
  cutPath,
  defineRunbook,
  gate,
  giveTraffic,
  guarded,
  holding,
  inWaves,
  offlineMode,
  takeOut,
  whenGuard,
  z,
} from '../../src/index.ts';
import type { ContingencySpec, Plan, Runbook, StepSpec, Targets, Way } from '../../src/model/index.ts';
import { answerOf, armByHand, type RunEvent } from '../../src/run/index.ts';
import { Drive, goesWell, seen, type Script } from '../support/drive.ts';
import { paperFleet } from '../support/fleet.ts';
import { setAside } from '../support/kinds.ts';
import { compiled, outlineOf } from '../support/plans.ts';

// Goal: contingencies that a guard or a person arms, and gates that are answered ahead. Method: the machine driven by
// hand, its world a script.

type Api = Targets<Way>;
type After = ContingencySpec['afterwards'];

interface Wish {
  readonly afterwards?: After;
  readonly steps?: (api: Api) => readonly StepSpec[];
  readonly branch?: (armed: Api) => readonly StepSpec[];
  readonly servers?: number;
}

function planFor({ afterwards, steps, branch, servers = 4 }: Wish = {}): Plan {
  const load = command({ title: 'Load', run: ['load'], everyMs: 5_000, forMs: 0 });
  const runbook = defineRunbook({
    title: 'guarded',
    reach: { api: ['ssh', 'http', 'bmc'] },
    inputs: z.strictObject({}),
    budget: { failures: 3 },
    window: { limitMs: 24 * 3_600_000 },
    steps: ({ api }) => [guarded(load, steps?.(api) ?? [inWaves({ atMost: 2 }, setAside(api))]), giveTraffic(api)],
    contingencies: ({ api }) => [
      whenGuard(
        api,
        { title: 'Shed', guard: 'Load', ...(afterwards === undefined ? {} : { afterwards }) },
        branch ?? ((armed) => [offlineMode(armed, { on: true })]),
      ),
      byHand(api, { title: 'Look' }, (armed) => [
        gate('Really?', { role: 'any', onTimeout: 'abort', freshMs: 600_000 }),
        takeOut(armed),
      ]),
    ],
  }) as unknown as Runbook;
  const fleet = paperFleet({ servers });
  return compiled({ runbook, fleet, laid: outlineOf(runbook, fleet) });
}

const guard = (standing: 'clear' | 'trip' | 'no-data', onsetAtMs = 0): RunEvent => ({
  type: 'guard',
  guard: 'g1',
  standing,
  positive: standing !== 'no-data',
  onsetAtMs,
  seen: standing,
});
const tracks = (drive: Drive) => drive.state.tracks.map(({ id, status }) => `${id} ${status}`);
const arm = (drive: Drive, contingency: string, only: string[] | null = null) =>
  armByHand(drive.state, drive.machine.index, { contingency, only, by: 'ann', reason: 'slow' });
const armNow = (drive: Drive, contingency: string, only: string[] | null = null): Drive => {
  const armed = arm(drive, contingency, only);
  if (typeof armed === 'string') throw new Error(armed);
  return drive.say(armed);
};
const say = (drive: Drive, name: string, answer: string | null, givenAtMs = drive.nowMs) => {
  const said = answerOf(drive.state, drive.machine.index, { gate: name, answer, by: 'ann', givenAtMs });
  if (typeof said === 'string') return said;
  drive.say(said).settle();
  return null;
};
/** What is done in a track stays under way until it is told of. */
const stuckIn =
  (track: string, words: readonly string[] = ['perform']): Script =>
  (effect, nowMs) =>
    'place' in effect && effect.place.track === track && words.includes(effect.effect)
      ? undefined
      : goesWell()(effect, nowMs);

describe('armed by a guard', () => {
  test('a bad reading begins it for whoever is in the line; until it is through the main line takes nothing', () => {
    const drive = new Drive(planFor(), stuckIn('c1')).say(guard('clear'));
    drive.script = (effect, nowMs) =>
      effect.effect === 'look' && effect.place.track === 'main' ? undefined : stuckIn('c1')(effect, nowMs);
    drive.settle().say(guard('trip', 4)).settle();
    expect(tracks(drive)).toEqual(['main running', 'c1 running']);
    // Whoever the main line looks at comes when that look has ended.
    expect(drive.made('perform', 'c1')).toEqual(['api-3', 'api-4']);
    drive.say(guard('clear', 5)).settle();
    for (const effect of drive.effects.filter((each) => each.effect === 'look' && each.place.track === 'main'))
      drive.say(goesWell()(effect, 0)!).settle();
    expect(drive.made('perform', 'c1')).toEqual(['api-3', 'api-4', 'api-1', 'api-2']);
    // The guard is clear, and the contingency is not through.
    expect(drive.made('perform', 'main')).toEqual([]);
    drive.script = goesWell();
    for (const effect of drive.effects.filter((each) => each.effect === 'perform'))
      drive.say({ type: 'performed', id: effect.id }).settle();
    expect(drive.made('perform', 'main')).toHaveLength(8);
    // Nothing has brought them back from offline mode.
    expect(drive.closed).toMatchObject({ outcome: 'human' });
  });

  test('silence begins nothing', () => {
    const drive = new Drive(planFor()).say(guard('no-data')).until(3_600_000);
    expect(tracks(drive)).toEqual(['main running']);
  });

  test('once each time that it trips, and three times in a run at most', () => {
    const drive = new Drive(planFor()).settle();
    for (const onset of [1, 2, 3, 4, 5]) {
      drive.nowMs = onset * 1_000;
      drive.say(guard('trip', onset * 1_000)).settle();
      drive.say(guard('trip', onset * 1_000)).settle();
      drive.say({ ...guard('no-data', onset * 1_000 + 1) }).settle();
    }
    expect(tracks(drive)).toEqual(['main running', 'c1 finished', 'c1-2 finished', 'c1-3 finished']);
  });

  test('whoever fails in it is out of the line too', () => {
    const drive = new Drive(planFor(), (effect, nowMs) =>
      effect.effect === 'perform' && effect.place.track === 'c1' && effect.place.target === 'api-2'
        ? {
            type: 'performed',
            id: effect.id,
            failure: { kind: 'command', what: 'no', where: '', state: '', remedy: '' },
          }
        : goesWell()(effect, nowMs),
    );
    drive.say(guard('trip', 4)).settle().say(guard('clear', 5)).settle();
    expect(drive.made('perform', 'main')).not.toContain('api-2');
    expect(Object.keys(drive.state.out)).toEqual(['api-2']);
    expect(drive.closed).toMatchObject({ outcome: 'human', exitCode: 5 });
  });

  test('what it changed is no drift for the main line behind it', () => {
    const plan = planFor({ steps: (api) => [takeOut(api)], branch: (armed) => [takeOut(armed)] });
    const [slice] = plan.slices;
    const change = { verdict: 'change' as const, change: { from: 'in', to: 'out' }, diff: [] };
    const foretold = {
      ...slice!,
      verdicts: { 1: Object.fromEntries(slice!.servers.map(({ name }) => [name, change])) },
    };
    const isOut: Script = (effect, nowMs) =>
      effect.effect === 'look' && effect.place.track === 'main'
        ? { type: 'looked', id: effect.id, outcome: seen(null, { verdict: { verdict: 'nothing' } }) }
        : goesWell({ from: 'in', to: 'out' })(effect, nowMs);
    const drive = new Drive({ ...plan, slices: [foretold] }, isOut).say(guard('trip')).settle();
    drive.say(guard('clear')).settle();
    expect(drive.state.out).toEqual({});
    // Without the contingency, somebody else took them out.
    const other = new Drive({ ...plan, slices: [foretold] }, isOut).say(guard('clear')).settle();
    expect(Object.values(other.state.out).map(({ fate }) => fate)).toContain('drifted');
  });

  test('no two tracks change one server at the same time', () => {
    const drive = new Drive(planFor(), stuckIn('main')).say(guard('clear')).settle();
    expect(drive.made('perform', 'main')).toEqual(['api-1', 'api-2']);
    drive.say(guard('trip', 4)).settle();
    expect(drive.made('perform', 'c1')).toEqual(['api-3', 'api-4']);
    const [first] = drive.effects.filter((each) => each.effect === 'perform');
    drive.say({ type: 'performed', id: first!.id }).settle();
    expect(drive.made('perform', 'c1')).toEqual(['api-3', 'api-4', 'api-1']);
  });
});

describe('when it is through', () => {
  /** Half of the main line's step is done when the guard trips, and the rest never is. */
  const tripped = (wish: Wish): Drive => {
    const drive = new Drive(planFor(wish), goesWell({ from: 'in', to: 'out' })).say(guard('clear'));
    const held: Script = (effect, nowMs) =>
      effect.effect === 'look' && effect.place.track === 'main' && effect.place.target === 'api-3'
        ? undefined
        : goesWell({ from: 'in', to: 'out' })(effect, nowMs);
    drive.script = held;
    drive.settle().say(guard('trip', 4)).settle();
    const late = drive.effects.find((each) => each.effect === 'look' && each.place.target === 'api-3');
    drive.script = goesWell({ from: 'in', to: 'out' });
    return drive.say(drive.script(late!, 0)!).until(60_000);
  };
  const undone = (drive: Drive) => drive.made('undo').toSorted();

  test('home: what the main line took is given back; what the contingency took stays, and is said', () => {
    const drive = tripped({ afterwards: 'home' });
    expect(drive.state.homeWhy).toMatchObject({ code: 'contingency' });
    expect(drive.state.homeWhy?.why).toBe('contingency c1 "Shed" is through, and the way home comes after it');
    expect(undone(drive)).toEqual(['api-1', 'api-2', 'api-4']);
    // Offline mode is something taken: whoever reads the end is told that it is still so.
    expect(drive.closed).toMatchObject({ outcome: 'human', exitCode: 5 });
    expect(drive.closed.summary).toMatch(
      /Contingency c1 "Shed" was done on api-1, api-2, api-3, api-4\. What c1 took stays taken on api-1, api-2, api-3, api-4\./,
    );
  });

  test('home, and the contingency gave back what it took: home and clean', () => {
    const drive = tripped({ afterwards: 'home', branch: (armed) => [takeOut(armed), giveTraffic(armed)] });
    expect(drive.closed).toMatchObject({ outcome: 'home', exitCode: 1 });
  });

  test('end: what was taken stays where it is, in the hands of a person', () => {
    const drive = tripped({
      afterwards: 'end',
      branch: (armed) => [giveTraffic(armed)],
      steps: (api) => [offlineMode(api, { on: true })],
    });
    expect(undone(drive)).toEqual([]);
    expect(drive.closed).toMatchObject({ outcome: 'human', exitCode: 5 });
    expect(drive.closed.summary).toMatch(/the run ends after it\..*In place, .*step 1 "enter offline mode" on api-1/);
  });

  test('end, and the contingency gave everything back: nothing stays', () => {
    const drive = tripped({
      afterwards: 'end',
      branch: (armed) => [giveTraffic(armed)],
      steps: (api) => [inWaves({ atMost: 3 }, takeOut(api))],
    });
    expect(undone(drive)).toEqual([]);
    expect(drive.closed).toMatchObject({ outcome: 'home', exitCode: 1 });
  });

  test('end: holds are let go of all the same', () => {
    const drive = tripped({
      afterwards: 'end',
      branch: (armed) => [giveTraffic(armed)],
      steps: (api) => [holding(cutPath(api, { from: 'database', forMs: 600_000 }), [setAside(api)])],
    });
    expect(undone(drive).length).toBeGreaterThan(0);
    const line = drive.machine.index.plan.header.steps;
    const titles = drive.effects.flatMap((effect) => (effect.effect === 'undo' ? [effect.place.track] : []));
    expect(new Set(titles)).toEqual(new Set(['home1']));
    expect(line[0]).toMatchObject({ step: 'act', releasedBy: '3' });
  });

  test('a person says no to it: the line goes on when the guard is clear', () => {
    const drive = new Drive(
      planFor({
        afterwards: 'home',
        branch: (armed) => [gate('Shed?', { role: 'any', onTimeout: 'abort' }), offlineMode(armed, { on: true })],
      }),
    );
    drive.say(guard('trip', 1)).settle().answer('c1:c1.1', 'no');
    drive.say(guard('clear', 2)).settle();
    expect(drive.closed).toMatchObject({ outcome: 'done' });
  });

  test('an abort meanwhile: what is under way in the contingency ends, and then the way home begins', () => {
    const again = new Drive(
      planFor({
        steps: (api) => [inWaves({ atMost: 2 }, setAside(api)), gate('Go on?', { role: 'any', onTimeout: 'hold' })],
      }),
      stuckIn('c1'),
    );
    again.say(guard('clear')).settle().say(guard('trip', 4)).settle();
    again.say({ type: 'abort', by: 'ann', reason: 'enough' }).settle();
    expect(tracks(again)).toEqual(['main stopped', 'c1 running']);
    again.script = goesWell();
    for (const effect of again.effects.filter((each) => each.effect === 'perform' && each.place.track === 'c1'))
      again.say({ type: 'performed', id: effect.id }).settle();
    expect(tracks(again)).toEqual(['main stopped', 'c1 finished', 'home1 finished']);
  });
});

describe('armed by hand', () => {
  const steps = (api: Api): StepSpec[] => [setAside(api), gate('Go on?', { role: 'any', onTimeout: 'hold' })];
  const atGate = (): Drive => new Drive(planFor({ steps })).say(guard('clear')).settle();

  test('for the servers that are named, or for all of the group that are in the line', () => {
    expect(arm(atGate(), 'Look')).toMatchObject({
      track: 'c2',
      servers: ['api-1', 'api-2', 'api-3', 'api-4'],
      by: 'ann',
    });
    const drive = armNow(atGate(), 'c2', ['api-3', 'api-1', 'api-3']).settle();
    expect(drive.state.tracks.at(-1)?.servers).toEqual(['api-1', 'api-3']);
    drive.answer('2', 'yes').answer('c2:c2.1', 'yes');
    expect(drive.made('perform', 'c2')).toEqual(['api-1', 'api-3']);
    // The main line gives traffic behind it, so nothing stays taken.
    expect(drive.closed.outcome).toBe('done');
  });

  test('is refused, in words that name what is wrong', () => {
    const drive = atGate();
    expect(arm(drive, 'c9')).toBe('the plan has no contingency c9; by hand there is c1 "Shed", c2 "Look"');
    expect(arm(drive, 'c2', ['api-9'])).toMatch(/api-9 is no server of group api/);
    expect(arm(drive, 'c2', [])).toMatch(/no server is named/);
    armNow(drive, 'c2', ['api-1']).settle();
    expect(arm(drive, 'c2')).toMatch(/armed already and under way/);
    expect(arm(drive, 'c1', ['api-2', 'api-1'])).toMatch(/contingency c2 has api-1 already/);
    // Asked for twice at once, before either is written down, it is armed once.
    const twice = atGate();
    const armed = arm(twice, 'c2') as RunEvent;
    twice.say(armed).say(armed);
    expect(tracks(twice)).toEqual(['main running', 'c2 running']);
  });

  test('again when it is through, in a track of its own', () => {
    const drive = armNow(atGate(), 'c2', ['api-1']).settle().answer('c2:c2.1', 'no');
    expect(arm(drive, 'c2')).toMatchObject({ track: 'c2-2' });
  });
});

describe('answered ahead', () => {
  const steps = (api: Api): StepSpec[] => [
    gate('Now?', { role: 'any', onTimeout: 'hold' }),
    setAside(api),
    gate('Go on?', { role: 'any', onTimeout: 'hold', ahead: true }),
  ];
  const begun = (): Drive => new Drive(planFor({ steps })).say(guard('clear')).settle();
  const asked = (drive: Drive) => drive.effects.flatMap((effect) => (effect.effect === 'ask' ? [effect.gate] : []));

  test('a gate that lets that be is not asked, and the answer is used once', () => {
    const drive = begun();
    expect(say(drive, '3', 'yes')).toBeNull();
    expect(drive.state.ahead).toEqual({ 3: { answer: 'yes', by: 'ann', givenAtMs: 0 } });
    drive.answer('1', 'yes');
    expect(asked(drive)).toEqual(['1']);
    expect(drive.state.ahead).toEqual({});
    expect(drive.events.find((event) => event.type === 'answered' && event.ahead === 'used')).toMatchObject({
      gate: '3',
      by: 'ann',
    });
    expect(drive.closed.outcome).toBe('done');
  });

  test('"no" goes home when it comes to it', () => {
    const drive = begun();
    expect(say(drive, '3', 'no')).toBeNull();
    expect(drive.answer('1', 'yes').closed).toMatchObject({ outcome: 'home' });
  });

  test("a contingency's gate, before it is armed; once for each that is given", () => {
    const drive = begun();
    expect(say(drive, 'c2.1', 'yes')).toBeNull();
    armNow(drive, 'c2', ['api-1']).settle();
    expect([asked(drive), tracks(drive)]).toEqual([['1'], ['main running', 'c2 finished']]);
    armNow(drive, 'c2', ['api-1']).settle();
    expect(asked(drive)).toEqual(['1', 'c2-2:c2.1']);
    // While it is asked, its step's name is enough.
    expect(say(drive, 'c2.1', 'no')).toBeNull();
    expect(tracks(drive).at(-1)).toBe('c2-2 stopped');
  });

  test('is taken back while it is not used', () => {
    const drive = begun();
    expect(say(drive, '3', null)).toMatch(/nothing was answered ahead to gate 3/);
    say(drive, '3', 'yes');
    expect(say(drive, '3', null)).toBeNull();
    expect(drive.state.ahead).toEqual({});
    drive.answer('1', 'yes');
    expect(asked(drive)).toEqual(['1', '3']);
    expect(say(drive, '3', null)).toMatch(/nothing was answered ahead/);
  });

  test('too old an answer is asked again', () => {
    const drive = begun();
    say(drive, 'c2.1', 'yes');
    drive.until(600_001);
    armNow(drive, 'c2').settle();
    expect(asked(drive)).toEqual(['1', 'c2:c2.1']);
  });

  test('is refused where the plan does not let that be, and for what is no answer', () => {
    const drive = begun();
    expect(say(drive, 'c2.1', 'perhaps')).toMatch(/no answer to gate c2\.1: yes, no/);
    expect(say(drive, '9', 'yes')).toBe('gate 9 is not open now');
    const other = new Drive(
      planFor({ steps: (api) => [setAside(api), gate('Go on?', { role: 'any', onTimeout: 'hold' })] }),
    );
    expect(say(other, '2', 'yes')).toMatch(/cannot be answered ahead/);
    expect(say(drive.answer('1', 'yes'), '1', 'yes')).toMatch(/the run is past it/);
  });

  test('a late answer in an old journal moves nothing', () => {
    const drive = begun().answer('3', 'yes').answer('c2.1', 'yes');
    expect(drive.state.ahead).toEqual({});
  });
});
