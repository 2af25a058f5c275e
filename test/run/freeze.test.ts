import { describe, expect, test } from 'vitest';
import { defineRunbook, gate, giveTraffic, inWaves, z } from '../../src/index.ts';
import type { Plan, PlanHeader, Runbook, StepSpec, Targets, Way } from '../../src/model/index.ts';
import { overrideOf } from '../../src/run/index.ts';
import { Drive } from '../support/drive.ts';
import { paperFleet } from '../support/fleet.ts';
import { setAside } from '../support/kinds.ts';
import { compiled, outlineOf } from '../support/plans.ts';

const MIN = 60_000;
const HOUR = 60 * MIN;

type Api = Targets<Way>;

/** Four servers, one at a time: 4 s to set them aside and 8 s to take that back. */
function planFor(freezes: PlanHeader['freezes'], steps: (api: Api) => readonly StepSpec[] = waitThenTake): Plan {
  const runbook = defineRunbook({
    title: 'made up',
    reach: { api: ['ssh', 'http', 'bmc'] },
    inputs: z.strictObject({}),
    budget: { failures: 4 },
    window: { limitMs: 24 * HOUR },
    steps: ({ api }) => steps(api),
  }) as unknown as Runbook;
  const fleet = paperFleet({ servers: 4 });
  return compiled({ runbook, fleet, laid: outlineOf(runbook, fleet), freezes });
}

const asked = gate('Go on?', { role: 'duty', onTimeout: 'hold' });
const waitThenTake = (api: Api): readonly StepSpec[] => [asked, inWaves({ atMost: 1 }, setAside(api))];
const friday = { title: 'Black Friday', fromMs: HOUR, toMs: 3 * HOUR };

function override(drive: Drive, about: string | null): string | null {
  const event = overrideOf(drive.state, drive.machine.index, {
    class: 'freeze',
    about,
    untilMs: null,
    by: 'anna',
    reason: 'agreed',
  });
  if (typeof event === 'string') return event;
  drive.say(event).settle();
  return null;
}

describe('a freeze', () => {
  test('lets nothing begin that could not be taken back before it, to the millisecond', () => {
    expect(new Drive(planFor([friday])).until(HOUR - 12_000).answer('1', 'yes').closed.outcome).toBe('done');
    const late = new Drive(planFor([friday])).until(HOUR - 11_999);
    expect(late.closed).toMatchObject({ outcome: 'home', exitCode: 1 });
    expect(late.state.homeWhy?.code).toBe('freeze');
    expect(late.state.homeWhy?.why).toContain('"Black Friday" begins');
    expect(late.made('perform')).toEqual([]);
  });

  test('that begins while servers are offline lets the fleet come home', () => {
    const plan = planFor([friday], (api) => [
      setAside(api),
      asked,
      inWaves({ atMost: 1 }, setAside(api, { forMs: 1 })),
    ]);
    const drive = new Drive(plan).until(2 * HOUR);
    expect(drive.state.homeWhy?.code).toBe('freeze');
    expect(drive.closed.outcome).toBe('home');
    expect(new Set(drive.made('undo'))).toEqual(new Set(['api-1', 'api-2', 'api-3', 'api-4']));
  });

  test('does not stop who only gives back, and one that is over stops nobody', () => {
    const giving = planFor([{ ...friday, fromMs: 0 }], (api) => [giveTraffic(api)]);
    expect(new Drive(giving).settle().closed.outcome).toBe('done');
    const over = new Drive(planFor([{ ...friday, fromMs: -2 * HOUR, toMs: 0 }])).settle().answer('1', 'yes');
    expect(over.closed.outcome).toBe('done');
  });

  test('inside which the run finds itself turns it at once', () => {
    const drive = new Drive(planFor([{ ...friday, fromMs: 0 }])).settle();
    expect(drive.state.homeWhy).toMatchObject({ code: 'freeze', why: expect.stringContaining('until 03:00:00 UTC') });
  });

  test('is told of in time, with the words that decide against it', () => {
    const drive = new Drive(planFor([friday])).until(50 * MIN - 12_000);
    const page = drive.effects.find((effect) => effect.effect === 'page' && effect.key === `freeze/short/${HOUR}`);
    expect(page).toMatchObject({ text: expect.stringContaining('neap override r freeze "Black Friday"') });
  });

  test('is overridden by its title, and no other with it', () => {
    const again = { title: 'Christmas', fromMs: 5 * HOUR, toMs: 6 * HOUR };
    const drive = new Drive(planFor([friday, again])).until(MIN);
    expect(override(drive, 'Easter')).toMatch('no freeze called "Easter"');
    expect(override(drive, null)).toBeNull();
    drive.until(4 * HOUR);
    expect(drive.state.mode).toBe('forward');
    expect(drive.until(5 * HOUR).state.homeWhy?.why).toContain('Christmas');
  });

  test('that somebody declared since the plan was made holds from when it is read', () => {
    const drive = new Drive(planFor([])).until(MIN);
    drive.say({ type: 'freezes', freezes: [friday] });
    expect(drive.until(HOUR).state.homeWhy?.code).toBe('freeze');
    const lifted = new Drive(planFor([friday])).until(MIN);
    lifted.say({ type: 'freezes', freezes: [] });
    expect(lifted.until(2 * HOUR).answer('1', 'yes').closed.outcome).toBe('done');
  });

  test('begins earlier when the clock is set forward, and ends later when it is set back', () => {
    const forward = new Drive(planFor([friday])).until(MIN).say({ type: 'jumped', sort: 'clock', byMs: 30 * MIN });
    expect(forward.until(30 * MIN).state.homeWhy?.code).toBe('freeze');
    const past = { title: 'Night', fromMs: -HOUR, toMs: 0 };
    const back = new Drive(planFor([past])).say({ type: 'jumped', sort: 'clock', byMs: -HOUR }).until(2 * MIN);
    expect(back.state.homeWhy?.code).toBe('freeze');
  });
});

describe('a calendar that cannot be read', () => {
  const unread = { type: 'freezes', unread: 'freezes.ics: there is no such file' } as const;

  test('lets no risk begin, is paged once, and goes on by itself when it can be read', () => {
    const drive = new Drive(planFor([]))
      .until(MIN)
      .say(unread)
      .answer('1', 'yes')
      .until(2 * MIN);
    expect(drive.made('perform')).toEqual([]);
    drive.say(unread).until(3 * MIN);
    expect(
      drive.effects.filter((effect) => effect.effect === 'page' && effect.key.startsWith('freeze/unread')),
    ).toHaveLength(1);
    expect(drive.say({ type: 'freezes', freezes: [] }).settle().closed.outcome).toBe('done');
  });

  test('leaves what was known in force, and is overridden by its own name', () => {
    const drive = new Drive(planFor([friday])).until(MIN).say(unread);
    expect(override(drive, 'calendars')).toBeNull();
    expect(drive.until(2 * HOUR).state.homeWhy?.code).toBe('freeze');
    const elsewhere = new Drive(planFor([friday])).until(MIN).say(unread);
    expect(override(elsewhere, 'Black Friday')).toBeNull();
    expect(elsewhere.answer('1', 'yes').made('perform')).toEqual([]);
    const other = new Drive(planFor([])).until(MIN).say(unread).answer('1', 'yes');
    expect(override(other, null)).toBeNull();
    expect(other.closed.outcome).toBe('done');
  });

  test('keeps nobody from coming home', () => {
    const plan = planFor([], (api) => [setAside(api), asked]);
    const drive = new Drive(plan).until(MIN).say(unread).answer('2', 'no');
    expect(drive.closed.outcome).toBe('home');
  });
});
