import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mostInWindow } from '../../src/herd/formulas.ts';
import { inSlots, probe, readClocks, refreshCaches } from '../../src/index.ts';
import type { Plan, SlotSpec } from '../../src/model/index.ts';
import type { ActState, RunEvent } from '../../src/run/index.ts';
import { Drive, goesWell, seen, type Script } from '../support/drive.ts';
import { failureOf, planOf } from '../support/made-up.ts';

interface Wish extends Partial<SlotSpec> {
  readonly servers?: number;
}

/** Reads every clock, refreshes in slots of one a second unless told otherwise, and probes. */
function planWith({ servers = 6, ...slots }: Wish = {}): Plan {
  return planOf({
    servers,
    domains: 2,
    fleet: (fleet) => ({
      ...fleet,
      servers: fleet.servers.map((server, k) => ({ ...server, uses: { shard: `s${k % 3}` } })),
    }),
    steps: (api) => [readClocks(api), inSlots({ perSecond: 1, fraction: 1, ...slots }, refreshCaches(api)), probe(api)],
  });
}

/** Ages by server, in seconds; every value lives 200 s. */
function withAges(ages: Readonly<Record<string, number>>, act: Script = goesWell({ refresh: ['sessions'] })): Script {
  return (effect, nowMs) => {
    if (effect.effect !== 'look' || !('place' in effect)) return act(effect, nowMs);
    if (effect.place.step !== 0) return act(effect, nowMs);
    const ageS = ages[effect.place.target];
    const clock = {
      name: 'sessions',
      whenExpired: 'fatal',
      ageMs: (ageS ?? 0) * 1_000,
      ttlMs: 200_000,
      readAtMs: nowMs,
    };
    const readings = ageS === undefined ? null : { clocks: [clock] };
    return { type: 'looked', id: effect.id, outcome: seen(null, { verdict: { verdict: 'nothing' }, readings }) };
  };
}

/** Who begins the slotted step when, in its order. */
function begunOf(drive: Drive): readonly (readonly [string, number])[] {
  return drive.begun.flatMap(({ effect, atMs }) =>
    effect.effect === 'perform' && effect.place.step === 1 ? [[effect.place.target, atMs] as const] : [],
  );
}

function namesOf(drive: Drive): readonly string[] {
  return begunOf(drive).map(([server]) => server);
}

function actOf(drive: Drive): ActState {
  const act = drive.state.tracks[0]?.steps[1];
  if (act?.step !== 'act') throw new Error('no step');
  return act;
}

describe('slots', () => {
  test('go to the earliest expiry first, and who is not known before all others', () => {
    const ages = { 'api-1': 10, 'api-2': 150, 'api-3': 30, 'api-4': 190, 'api-6': 90 };
    const drive = new Drive(planWith(), withAges(ages)).until(100_000);
    expect(namesOf(drive)).toEqual(['api-5', 'api-4', 'api-2', 'api-6', 'api-3', 'api-1']);
    expect(drive.events.filter(({ type }) => type === 'scheduled')).toEqual([
      { type: 'scheduled', track: 'main', step: '2', servers: namesOf(drive), known: 5 },
    ]);
  });

  test('keep the order of the plan where nothing is known, and names that are numbers get theirs by expiry too', () => {
    expect(namesOf(new Drive(planWith(), withAges({})).until(100_000))).toEqual(
      ['1', '2', '3', '4', '5', '6'].map((k) => `api-${k}`),
    );
    const numbered = planOf({
      servers: 3,
      fleet: (fleet) => ({ ...fleet, servers: fleet.servers.map((server, k) => ({ ...server, name: String(k + 1) })) }),
      steps: (api) => [readClocks(api), inSlots({ perSecond: 1, fraction: 1 }, refreshCaches(api))],
    });
    const drive = new Drive(numbered, withAges({ 1: 10, 2: 20, 3: 30 })).until(100_000);
    expect(namesOf(drive)).toEqual(['3', '2', '1']);
  });

  test('are reckoned anew by an engine that takes over, go on behind the last, and never burst for those that were missed', () => {
    const ages = { 'api-1': 10, 'api-2': 150, 'api-3': 30, 'api-4': 190, 'api-5': 0, 'api-6': 90 };
    const drive = new Drive(planWith(), withAges(ages)).until(1_500);
    expect(namesOf(drive)).toEqual(['api-4', 'api-2']);
    drive.nowMs = 60_000;
    drive.say({ type: 'engine', pid: 2, host: 'here', neap: '0' }).until(200_000);
    const [, ...later] = begunOf(drive).slice(1);
    expect(later.map(([server]) => server)).toEqual(['api-6', 'api-3', 'api-1', 'api-5']);
    expect(later.map(([, atMs]) => atMs)).toEqual([60_000, 61_000, 62_000, 63_000]);
    expect(drive.events.filter(({ type }) => type === 'scheduled')).toHaveLength(2);
  });

  test('give the canary alone its slot, and the others theirs when it is done and its pause is over', () => {
    const ages = Object.fromEntries([1, 2, 3, 4, 5, 6].map((k) => [`api-${k}`, k * 10]));
    const drive = new Drive(planWith({ canary: { servers: 1, pauseMs: 12_000 } }), withAges(ages)).until(100_000);
    const begun = begunOf(drive);
    expect(begun.map(([server]) => server)).toEqual(['api-1', 'api-6', 'api-5', 'api-4', 'api-3', 'api-2']);
    expect(begun.map(([, atMs]) => atMs)).toEqual([0, 12_000, 13_000, 14_000, 15_000, 16_000]);
  });

  test('are given to nobody else while the canary is not done: held it is waited for, failed it ends the run', () => {
    const plan = planWith({ canary: { servers: 1, pauseMs: 2_000 } });
    let answers = false;
    const held: Script = (effect, nowMs) =>
      effect.effect === 'look' && effect.place.step === 1 && !answers
        ? {
            type: 'looked',
            id: effect.id,
            outcome: seen({ refresh: ['sessions'] }, { need: { holds: false, why: 'it is away' } }),
          }
        : goesWell({ refresh: ['sessions'] })(effect, nowMs);
    const waiting = new Drive(plan, withAges({}, held)).until(120_000);
    expect(
      waiting.begun.filter(
        ({ effect }) => effect.effect === 'look' && effect.place.step === 1 && effect.place.target !== 'api-1',
      ),
    ).toEqual([]);
    answers = true;
    expect(namesOf(waiting.until(300_000))).toHaveLength(6);

    const failing: Script = (effect, nowMs) =>
      effect.effect === 'perform' && effect.place.target === 'api-1'
        ? { type: 'performed', id: effect.id, failure: failureOf('command') }
        : goesWell({ refresh: ['sessions'] })(effect, nowMs);
    const failed = new Drive(plan, withAges({}, failing)).until(300_000);
    expect(namesOf(failed)).toEqual(['api-1']);
    expect(failed.state.homeWhy).toMatchObject({ code: 'canary', why: expect.stringMatching(/^the canary api-1: /) });
  });

  test('are not kept waiting by a slow one: who has begun holds up nobody, within what may be under way at once', () => {
    const plan = planWith({ servers: 100, perSecond: 10 });
    const slow: Script = (effect, nowMs) =>
      effect.effect === 'perform' && effect.place.step === 1 && effect.place.target === 'api-001'
        ? undefined
        : goesWell({ refresh: ['sessions'] })(effect, nowMs);
    const drive = new Drive(plan, withAges({}, slow)).until(20_000);
    const begun = begunOf(drive);
    expect(begun).toHaveLength(100);
    expect(begun.at(-1)?.[1]).toBe(9_900);
    expect(drive.state.closed).toBeNull();
    const [id] = drive.effects.flatMap((effect) =>
      effect.effect === 'perform' && effect.place.target === 'api-001' ? [effect.id] : [],
    );
    expect(drive.say({ type: 'performed', id: id ?? '' }).until(30_000).closed.outcome).toBe('done');
  });

  test('need a token of each resource: in no window is any bound passed, and whoever has all its tokens is not kept waiting', () => {
    const bounds = { logins: 0.8, shard: 0.25 };
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 199 }), { minLength: 9, maxLength: 9 }), (ages) => {
        const plan = planWith({
          servers: 9,
          also: [
            { resource: 'logins', perSecond: 1, fraction: 0.8 },
            { resource: 'shard', perSecond: bounds.shard, each: 'shard' },
          ],
        });
        const all = Object.fromEntries(ages.map((age, k) => [`api-${k + 1}`, age]));
        const begun = begunOf(new Drive(plan, withAges(all)).until(100_000));
        expect(begun).toHaveLength(9);
        expect(
          most(
            begun.map(([, atMs]) => atMs),
            5_000,
          ),
        ).toBeLessThanOrEqual(mostInWindow(bounds.logins, 5_000));
        for (const shard of [0, 1, 2]) {
          const own = begun.filter(([server]) => (Number(server.slice(4)) - 1) % 3 === shard).map(([, atMs]) => atMs);
          expect(most(own, 9_000)).toBeLessThanOrEqual(mostInWindow(bounds.shard, 9_000));
        }
        // Three on each shard, four seconds apart: nobody is through sooner, and nobody needs to be later by much.
        expect(begun.at(-1)?.[1]).toBeLessThan(13_000);
      }),
      { numRuns: 30 },
    );
  });
});

describe('the closed loop', () => {
  const paced = (share: number): RunEvent => ({ type: 'paced', track: 'main', step: '2', share, why: 'it is slow' });

  test('takes slots apart, stops them, pages for that, and never brings them closer than the bound', () => {
    const drive = new Drive(planWith({ servers: 8 }), withAges({})).until(1_000);
    drive.say(paced(0.5)).until(5_000).say(paced(0)).until(60_000);
    expect(begunOf(drive).map(([, atMs]) => atMs)).toEqual([0, 1_000, 3_000, 5_000]);
    // Only the window's end is waited for.
    expect(drive.machine.next(drive.state).wakeAtMs).toBeGreaterThan(20 * 3_600_000);
    const pages = drive.effects.flatMap((effect) => (effect.effect === 'page' ? [effect.text] : []));
    expect(pages).toEqual([expect.stringMatching(/"refresh caches" \(step 2\) stands still: it is slow/)]);
    expect(actOf(drive.say(paced(7))).pace?.share).toBe(1);
    drive.until(70_000);
    expect(
      begunOf(drive)
        .map(([, atMs]) => atMs)
        .slice(4),
    ).toEqual([60_000, 61_000, 62_000, 63_000]);
    expect(drive.state.closed?.outcome).toBe('done');
  });

  test('is believed by an engine that takes over', () => {
    const drive = new Drive(planWith({ servers: 8 }), withAges({})).until(1_000).say(paced(0.25)).until(2_000);
    drive.say({ type: 'engine', pid: 2, host: 'here', neap: '0' }).until(20_000);
    expect(begunOf(drive).map(([, atMs]) => atMs)).toEqual([0, 1_000, 5_000, 9_000, 13_000, 17_000]);
  });

  test('says nothing of a step that the plan does not have', () => {
    const drive = new Drive(planWith(), withAges({})).until(1_000);
    const { tracks } = drive.state;
    for (const event of [
      { ...paced(0), step: '9' },
      { ...paced(0), track: 'c7' },
    ])
      expect(drive.say(event).state.tracks).toEqual(tracks);
    expect(actOf(drive).pace).toBeUndefined();
  });
});

describe('expiries that lie together', () => {
  /** Each refresh gives a value that lives 200 s; what is read then tells when it expires. */
  const refreshing: Script = (effect, nowMs) => {
    if (effect.effect !== 'confirm') return goesWell({ refresh: ['sessions'] })(effect, nowMs);
    const clock = { name: 'sessions', whenExpired: 'fatal', ageMs: 0, ttlMs: 200_000, readAtMs: nowMs };
    return { type: 'confirmed', id: effect.id, readings: { clocks: [clock] } };
  };

  test('are brought apart by slots over one time to live, once', () => {
    const plan = planWith({ servers: 8, overMs: 200_000, coherenceBelow: 0.3 });
    const drive = new Drive(plan, withAges({}, refreshing)).until(300_000);
    expect(drive.closed.outcome).toBe('done');
    expect(namesOf(drive)).toHaveLength(8);
  });

  test('are refreshed again a few times where the slots do not do it, and then the run goes home', () => {
    const plan = planWith({ servers: 4, overMs: 8_000, coherenceBelow: 0.3 });
    const drive = new Drive(plan, withAges({}, refreshing)).until(300_000);
    expect(drive.closed.outcome).toBe('home');
    expect(drive.state.homeWhy?.why).toMatch(
      /^expiries lie together by 1\.00, and 0\.3 is the most that is meant, after 4 times/,
    );
    expect(namesOf(drive)).toHaveLength(16);
    // The bound holds from one round to the next.
    const gaps = begunOf(drive).map(([, atMs], k, all) => atMs - (all[k - 1]?.[1] ?? -Infinity));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(2_000);
  });
});

function most(instants: readonly number[], windowMs: number): number {
  return Math.max(0, ...instants.map((from) => instants.filter((at) => at >= from && at <= from + windowMs).length));
}
