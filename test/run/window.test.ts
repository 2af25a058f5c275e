import { describe, expect, test } from 'vitest';
import { cutPath, defineRunbook, gate, giveTraffic, holding, inWaves, probe, z } from '../../src/index.ts';
import type { Plan, PlanHeader, Runbook, StepSpec, Targets, Way } from '../../src/model/index.ts';
import { closesAtMs, outlookOf, overrideOf, type OverrideWish, type RunState } from '../../src/run/index.ts';
import { fitsUntilMs } from '../../src/run/outlook.ts';
import { Drive, goesWell } from '../support/drive.ts';
import { paperFleet } from '../support/fleet.ts';
import { setAside } from '../support/kinds.ts';
import { compiled, outlineOf } from '../support/plans.ts';

const MIN = 60_000;
const HOUR = 60 * MIN;

type Api = Targets<Way>;
interface Wish {
  readonly servers?: number;
  readonly limitMs?: number;
  readonly window?: Partial<PlanHeader['window']>;
  readonly freezes?: PlanHeader['freezes'];
  readonly steps: (api: Api) => readonly StepSpec[];
}

/** Made-up runs begin at 0; a set-aside is expected to take 1 s a server, and its undo 2 s. */
function planFor({ servers = 4, limitMs = HOUR, window = {}, freezes = [], steps }: Wish): Plan {
  const runbook = defineRunbook({
    title: 'made up',
    reach: { api: ['ssh', 'http', 'bmc'] },
    inputs: z.strictObject({}),
    budget: { failures: servers },
    window: { limitMs },
    steps: ({ api }) => steps(api),
  }) as unknown as Runbook;
  const fleet = paperFleet({ servers });
  return compiled({ runbook, fleet, laid: outlineOf(runbook, fleet), window, freezes });
}

const oneByOne = (api: Api): StepSpec => inWaves({ atMost: 1 }, setAside(api));
const forAnHour = gate('Go on?', { role: 'duty', onTimeout: 'hold' });

function pages(drive: Drive): string[] {
  return Object.keys(drive.state.paged);
}

function override(drive: Drive, wish: Partial<OverrideWish> & Pick<OverrideWish, 'class'>): string | null {
  const event = overrideOf(drive.state, drive.machine.index, {
    about: null,
    untilMs: null,
    by: 'anna',
    reason: 'agreed',
    ...wish,
  });
  if (typeof event === 'string') return event;
  drive.say(event).settle();
  return null;
}

describe('before the window opens', () => {
  test('nothing is done on any server, and then it begins by itself', () => {
    const drive = new Drive(planFor({ window: { opensAtMs: 2 * HOUR }, steps: (api) => [setAside(api)] })).until(
      2 * HOUR - 1,
    );
    expect(drive.effects).toEqual([]);
    drive.until(2 * HOUR);
    expect(drive.closed).toMatchObject({ exitCode: 0, atMs: 2 * HOUR });
  });

  test('the limit counts from the opening, not from the start of the engine', () => {
    const plan = planFor({
      limitMs: HOUR,
      window: { opensAtMs: 5 * HOUR },
      steps: (api) => [forAnHour, setAside(api)],
    });
    const drive = new Drive(plan).until(5 * HOUR + 30 * MIN).answer('1', 'yes');
    expect(drive.closed.outcome).toBe('done');
    expect(drive.closed.summary).toContain('30 min of a window of 60 min');
  });

  test('an engine that dies while it waits is followed by one that waits', () => {
    const drive = new Drive(planFor({ window: { opensAtMs: HOUR }, steps: (api) => [setAside(api)] })).until(30 * MIN);
    drive.say({ type: 'engine', pid: 2, host: 'here', neap: '0' }).settle();
    expect(drive.effects).toEqual([]);
    expect(drive.until(HOUR).closed.outcome).toBe('done');
  });

  test('an abort ends it there, with nothing done', () => {
    const drive = new Drive(planFor({ window: { opensAtMs: HOUR }, steps: (api) => [setAside(api)] })).until(MIN);
    drive.say({ type: 'abort', by: 'anna', reason: 'called off' }).settle();
    expect(drive.closed).toMatchObject({ outcome: 'home', exitCode: 1 });
    expect(drive.closed.summary).toContain('Its window had not opened');
    expect(drive.made('look')).toEqual([]);
  });

  test('a clock that is set back before it opens does not open it early; one set forward does not open it late', () => {
    const plan = planFor({ window: { opensAtMs: 2 * HOUR }, steps: (api) => [setAside(api)] });
    const back = new Drive(plan).until(30 * MIN).say({ type: 'jumped', sort: 'clock', byMs: -HOUR });
    expect(back.until(3 * HOUR - 1).effects).toEqual([]);
    expect(back.until(3 * HOUR).closed.outcome).toBe('done');
    const forward = new Drive(plan).until(30 * MIN).say({ type: 'jumped', sort: 'clock', byMs: HOUR });
    expect(forward.until(HOUR).closed.outcome).toBe('done');
  });
});

describe('what no longer fits is not begun', () => {
  // Four servers, one at a time: 4 s to do and 8 s to take back.
  const steps = (api: Api): readonly StepSpec[] => [forAnHour, oneByOne(api)];

  test('a step and the way home from behind it must fit before the closing, to the millisecond', () => {
    const window = { closesAtMs: 10 * MIN };
    const fits = new Drive(planFor({ window, steps })).until(10 * MIN - 12_000).answer('1', 'yes');
    expect(fits.closed.outcome).toBe('done');
    const late = new Drive(planFor({ window, steps })).until(10 * MIN - 11_999);
    expect(late.closed).toMatchObject({ outcome: 'home', exitCode: 1 });
    expect(late.state.homeWhy?.code).toBe('window');
    expect(late.made('perform')).toEqual([]);
  });

  test('the limit closes it earlier than the agreed instant, and the other way round', () => {
    const late = planFor({ limitMs: HOUR, window: { closesAtMs: 2 * HOUR }, steps });
    const early = planFor({ limitMs: HOUR, window: { closesAtMs: 30 * MIN }, steps });
    expect([late, early].map((plan) => new Drive(plan).until(2 * HOUR).closed.atMs)).toEqual([
      HOUR - 12_000 + 1,
      30 * MIN - 12_000 + 1,
    ]);
  });

  test('each further server is judged anew, by what was begun so far', () => {
    const drive = new Drive(
      planFor({ window: { closesAtMs: 10 * MIN }, steps: (api) => [oneByOne(api)] }),
      (effect, nowMs) => (effect.effect === 'confirm' && nowMs < MIN ? undefined : goesWell()(effect, nowMs)),
    ).until(MIN);
    const [confirm] = drive.effects.filter(({ effect }) => effect === 'confirm');
    expect(drive.made('perform')).toHaveLength(1);
    // The first one took all of the time but for 10 s: three more would need 3 s, and 8 s go home.
    drive.nowMs = 10 * MIN - 10_000;
    drive.say({ type: 'confirmed', id: confirm?.id ?? '' }).settle();
    expect(drive.state.homeWhy?.code).toBe('window');
    expect(drive.made('perform', 'main')).toHaveLength(1);
    expect(drive.closed.outcome).toBe('home');
  });

  test('an outage that a gate lets begin must fit too', () => {
    const fuse = { outageMs: 5 * MIN, marginMs: MIN };
    const plan = planFor({
      window: { closesAtMs: 20 * MIN },
      steps: (api) => [setAside(api), gate('Begin?', { role: 'database', fuse, onTimeout: 'hold' }), giveTraffic(api)],
    });
    // 4 servers at once are taken back in 2 s.
    const drive = new Drive(plan).until(15 * MIN - 2_000);
    expect(drive.gate()).toMatchObject({ phase: 'asked' });
    expect(drive.until(15 * MIN - 1_999).state.homeWhy?.code).toBe('window');
    expect(drive.closed.outcome).toBe('home');
  });

  test('who only gives back is not stopped by the end of its window, and people are told', () => {
    const drive = new Drive(planFor({ limitMs: 10 * MIN, steps: (api) => [forAnHour, giveTraffic(api)] })).until(HOUR);
    expect(drive.state.mode).toBe('forward');
    expect(pages(drive)).toContain(`window/over/${10 * MIN}`);
    expect(drive.answer('1', 'yes').closed).toMatchObject({ outcome: 'done' });
    expect(drive.closed.summary).toContain('overran');
  });

  test('a hold that was released needs no way home any more', () => {
    const hold = (api: Api): StepSpec => holding(cutPath(api, { from: 'database', forMs: MIN }), [probe(api)]);
    const plan = planFor({ window: { closesAtMs: HOUR }, steps: (api) => [hold(api), forAnHour, oneByOne(api)] });
    const drive = new Drive(plan).until(MIN);
    expect(drive.gate()).toMatchObject({ phase: 'asked' });
    expect(outlookOf(drive.state, drive.machine.index)?.neededMs).toBe(12_000);
  });
});

test('what is looked up at every event never says that it fits when a close look says that it does not', () => {
  const plan = planFor({
    servers: 9,
    steps: (api) => [
      setAside(api, { forMs: 2 }),
      holding(cutPath(api, { from: 'database', forMs: MIN }), [probe(api)]),
      inWaves({ atMost: 2 }, setAside(api)),
      gate('Begin?', { role: 'database', fuse: { outageMs: MIN, marginMs: MIN }, onTimeout: 'hold' }),
      inWaves({ atMost: 4, canary: 1 }, setAside(api, { forMs: 1 })),
    ],
  });
  const failing = (id: string): boolean => ['api-3', 'api-7'].some((name) => id.includes(name));
  const drive = new Drive(plan, (effect, nowMs) =>
    effect.effect === 'perform' && failing(effect.id)
      ? { type: 'performed', id: effect.id, failure: { kind: 'denied', what: 'no', where: '', state: '', remedy: '' } }
      : goesWell()(effect, nowMs),
  )
    .until(MIN)
    .answer('6', 'yes');
  const { index } = drive.machine;
  const slackMs: number[] = [];
  drive.events.reduce((state: RunState | null, event) => {
    const next = drive.machine.apply(state, { atMs: 0, event });
    const close = outlookOf(next, index);
    if (close) slackMs.push(close.latestMs - (fitsUntilMs(next, index) ?? Infinity));
    return next;
  }, null);
  expect(slackMs.length).toBeGreaterThan(50);
  expect(Math.min(...slackMs)).toBeGreaterThanOrEqual(0);
});

describe('people are told', () => {
  test('in time, before the window becomes too short, with what to do about it', () => {
    const drive = new Drive(planFor({ window: { closesAtMs: HOUR }, steps: (api) => [forAnHour, oneByOne(api)] }));
    expect(pages(drive.until(54 * MIN - 12_001)).filter((key) => key.startsWith('window'))).toEqual([]);
    drive.until(54 * MIN - 12_000);
    expect(pages(drive)).toContain(`window/short/${HOUR}`);
    expect(
      drive.events.find(
        (event) => event.type === 'intended' && event.effect.effect === 'page' && event.effect.key.startsWith('window'),
      ),
    ).toMatchObject({
      effect: { text: expect.stringContaining('neap override r window 30m') },
    });
  });

  test('once, that it takes longer than planned', () => {
    const drive = new Drive(planFor({ window: { plannedMs: 20 * MIN }, steps: (api) => [forAnHour, setAside(api)] }));
    expect(pages(drive.until(20 * MIN - 1))).not.toContain('window/planned');
    expect(pages(drive.until(20 * MIN))).toContain('window/planned');
    drive.until(40 * MIN);
    expect(drive.effects.filter((effect) => effect.effect === 'page' && effect.key === 'window/planned')).toHaveLength(
      1,
    );
  });
});

describe('an override of the window', () => {
  const waiting = (closesAt = HOUR): Drive =>
    new Drive(planFor({ window: { closesAtMs: closesAt }, steps: (api) => [forAnHour, oneByOne(api)] })).until(
      50 * MIN,
    );

  test('gives it longer until an instant, and no longer than that', () => {
    const drive = waiting();
    expect(override(drive, { class: 'window', untilMs: 90 * MIN })).toBeNull();
    expect(closesAtMs(drive.state, drive.machine.index)).toBe(90 * MIN);
    expect(drive.until(80 * MIN).state.mode).toBe('forward');
    expect(drive.until(2 * HOUR).closed).toMatchObject({ outcome: 'home', atMs: 90 * MIN - 12_000 + 1 });
  });

  test('is refused where there is nothing to give', () => {
    const drive = waiting();
    expect(override(drive, { class: 'window' })).toMatch('say how much longer');
    expect(override(drive, { class: 'window', untilMs: 30 * MIN })).toMatch('does not make it shorter');
    expect(override(drive, { class: 'window', untilMs: 14 * HOUR })).toMatch('at most');
    expect(override(drive.until(2 * HOUR), { class: 'window', untilMs: 4 * HOUR })).toMatch('on its way home');
    const opening = new Drive(planFor({ window: { opensAtMs: HOUR }, steps: (api) => [setAside(api)] })).settle();
    expect(override(opening, { class: 'window', untilMs: 2 * HOUR })).toMatch('has not opened');
  });

  test('of other classes where nothing is in the way says so', () => {
    const drive = waiting();
    expect(override(drive, { class: 'freeze' })).toMatch('no freeze');
    expect(override(drive, { class: 'guard' })).toMatch('no guard');
    expect(override(drive, { class: 'mirror' })).toMatch('not behind');
  });
});

describe('a clock that is set, and a machine that slept', () => {
  const soak = (api: Api): readonly StepSpec[] => [setAside(api, { forMs: 10 * MIN }), forAnHour, oneByOne(api)];

  test('soaks, gates and the limit last as long as they were meant to, however the clock is set', () => {
    for (const byMs of [-HOUR, HOUR]) {
      const drive = new Drive(planFor({ limitMs: HOUR, steps: soak })).until(5 * MIN);
      const before = drive.machine.next(drive.state).wakeAtMs;
      drive.say({ type: 'jumped', sort: 'clock', byMs });
      expect(drive.machine.next(drive.state).wakeAtMs).toBe(before);
      expect(closesAtMs(drive.state, drive.machine.index)).toBe(HOUR);
    }
  });

  test('an agreed closing comes nearer when the clock is set forward, and is not put off when it is set back', () => {
    const plan = planFor({ limitMs: 5 * HOUR, window: { closesAtMs: 2 * HOUR }, steps: soak });
    const closing = (byMs: number): number => {
      const drive = new Drive(plan).until(MIN).say({ type: 'jumped', sort: 'clock', byMs });
      return closesAtMs(drive.state, drive.machine.index);
    };
    expect([closing(HOUR), closing(-HOUR)]).toEqual([HOUR, 2 * HOUR]);
  });

  test('a window that is open stays open when the clock is set back to before it', () => {
    const plan = planFor({ window: { opensAtMs: HOUR }, steps: (api) => [forAnHour, setAside(api)] });
    const drive = new Drive(plan).until(HOUR + MIN).say({ type: 'jumped', sort: 'clock', byMs: -HOUR });
    expect(drive.answer('1', 'yes').closed.outcome).toBe('done');
  });

  test('after a sleep past the window nothing more is taken, and what was taken goes home', () => {
    const drive = new Drive(
      planFor({ limitMs: HOUR, steps: (api) => [setAside(api), forAnHour, oneByOne(api)] }),
    ).until(MIN);
    drive.nowMs = 9 * HOUR;
    drive.say({ type: 'jumped', sort: 'slept', byMs: 9 * HOUR - MIN }).settle();
    expect(drive.closed.outcome).toBe('home');
    expect(drive.state.homeWhy?.why).toContain('the window closed');
    expect(drive.made('perform')).toHaveLength(4);
    expect(new Set(drive.made('undo'))).toEqual(new Set(['api-1', 'api-2', 'api-3', 'api-4']));
  });

  test('who was found ready before it is looked at again', () => {
    const drive = new Drive(planFor({ steps: (api) => [setAside(api)] }), (effect, nowMs) =>
      effect.effect === 'look' ? goesWell()(effect, nowMs) : undefined,
    );
    const { effects } = drive.machine.next(drive.state);
    for (const effect of effects) drive.say({ type: 'intended', effect });
    for (const effect of effects) drive.say(goesWell()(effect, 0) as never);
    drive.say({ type: 'jumped', sort: 'slept', byMs: HOUR });
    expect(drive.machine.next(drive.state).effects.map(({ effect }) => effect)).toEqual([
      'look',
      'look',
      'look',
      'look',
    ]);
  });
});
