import { describe, expect, test } from 'vitest';
import {
  atRate,
  hardReset,
  inSlots,
  inWaves,
  probe,
  refreshCaches,
  takeOut,
  whenFleetIsBack,
  whenHung,
} from '../../src/index.ts';
import type { ActStep, Fleet, Plan, SlotSpec } from '../../src/model/index.ts';
import { planSchema } from '../../src/model/index.ts';
import { expectedOf } from '../../src/plan/index.ts';
import { setAside } from '../support/kinds.ts';
import { planOf } from '../support/made-up.ts';

const SLOTS: SlotSpec = { perSecond: 10, fraction: 0.5 };

function planWith(slots: SlotSpec, servers = 8, fleet: (fleet: Fleet) => Fleet = withShards): Plan {
  return planOf({ servers, domains: 2, fleet, steps: (api) => [inSlots(slots, refreshCaches(api)), probe(api)] });
}

function withShards(fleet: Fleet): Fleet {
  return { ...fleet, servers: fleet.servers.map((server, k) => ({ ...server, uses: { shard: `s${k % 2}` } })) };
}

function firstOf({ header }: Plan): ActStep {
  const [step] = header.steps;
  if (step?.step !== 'act') throw new Error('no step');
  return step;
}

describe('the rule of slots', () => {
  test('is in the plan of what refreshes, with what it slows down on; what has only a rate has none, as in older plans', () => {
    expect(firstOf(planWith(SLOTS)).slots).toEqual({
      resources: [{ name: 'slots', everyMs: 200, of: null }],
      canary: null,
      keepsWaves: false,
      ttlMs: { min: 180_000, max: 240_000 },
      each: 1,
      coherenceBelow: null,
      slowDown: {
        dependency: 'database',
        windowMs: 5_000,
        delayMs: 50,
        freezeDelayMs: 500,
        errorShare: 0.05,
        freezeErrorShare: 0.25,
      },
      forecast: null,
    });
    const rated = planOf({ servers: 3, steps: (api) => [atRate({ perMinute: 30 }, setAside(api))] });
    expect(firstOf(rated)).not.toHaveProperty('slots');
    expect(planSchema.parse(structuredClone(rated))).toEqual(rated);
    const slotted = planWith(SLOTS);
    expect(planSchema.parse(structuredClone(slotted))).toEqual(slotted);
  });

  test('has a bound for each resource, whole or by part, and a share of the slots for each domain', () => {
    const plan = planWith({
      ...SLOTS,
      also: [
        { resource: 'logins', perSecond: 4 },
        { resource: 'database', perSecond: 2, fraction: 0.5, each: 'shard' },
      ],
      domainShare: 0.25,
    });
    const [, logins, shards, domains] = firstOf(plan).slots?.resources ?? [];
    expect(logins).toEqual({ name: 'logins', everyMs: 250, of: null });
    expect(shards).toMatchObject({ name: 'database', everyMs: 1_000, of: { 'api-1': 's0', 'api-2': 's1' } });
    expect(domains).toMatchObject({ name: 'domain', everyMs: 800, of: { 'api-1': 'd1', 'api-2': 'd2' } });
  });

  test('of a contingency speaks of everybody whom it can be armed for', () => {
    const plan = planOf({
      servers: 4,
      fleet: withShards,
      steps: (api) => [probe(api)],
      contingencies: (api) => [
        whenHung(api, { title: 'Recover', suspectAbove: 2 }, (hung) => [
          takeOut(hung),
          hardReset(hung),
          whenFleetIsBack(),
          inSlots({ ...SLOTS, also: [{ resource: 'database', perSecond: 1, each: 'shard' }] }, refreshCaches(hung)),
        ]),
      ],
    });
    const step = plan.header.contingencies[0]?.steps[3];
    expect(step).toMatchObject({ perSecond: 5, slots: { resources: [{}, { of: { 'api-4': 's1' } }] } });
  });

  test('takes as long as it is told to, never faster than its bound; a canary and its pause are reckoned with', () => {
    expect(firstOf(planWith({ ...SLOTS, overMs: 80_000 })).perSecond).toBe(0.1);
    expect(firstOf(planWith({ ...SLOTS, overMs: 100 })).perSecond).toBe(5);
    const canary = firstOf(planWith({ ...SLOTS, overMs: 80_000, canary: { servers: 1, pauseMs: 30_000 } }));
    expect(canary.waves.map(({ length }) => length)).toEqual([1, 7]);
    expect(expectedOf(canary, 3)).toBe(110_000);
    // One server is its own canary.
    expect(firstOf(planWith({ ...SLOTS, canary: { servers: 1, pauseMs: 30_000 } }, 1)).slots?.canary).toBeNull();
  });

  test('keeps the waves that the runbook has, and cuts its own into the canary and the rest', () => {
    const own = planOf({ servers: 6, steps: (api) => [inSlots(SLOTS, inWaves({ atMost: 2 }, refreshCaches(api)))] });
    expect(firstOf(own)).toMatchObject({
      slots: { keepsWaves: true },
      waves: [{ length: 2 }, { length: 2 }, { length: 2 }],
    });
  });

  test('reads the delay of the dependency that tells one, or of none', () => {
    const mute = planWith(SLOTS, 2, (fleet) => ({
      ...fleet,
      servers: fleet.servers.map((server) => {
        const { delay: _, ...database } = server.service.dependencies.database!;
        return { ...server, service: { ...server.service, dependencies: { database } } };
      }),
    }));
    expect(firstOf(mute).slots?.slowDown?.dependency).toBeNull();
    expect(firstOf(planWith({ ...SLOTS, slowDown: false })).slots?.slowDown).toBeNull();
  });
});

test.each<[SlotSpec, RegExp]>([
  [{ ...SLOTS, domainShare: 1.5 }, /a domainShare of 1\.5 is no share/],
  [{ ...SLOTS, canary: { servers: 0, pauseMs: 0 } }, /a canary of 0 servers/],
  [{ ...SLOTS, coherenceBelow: 0 }, /coherenceBelow is 0/],
  [{ ...SLOTS, overMs: 0 }, /overMs is 0/],
  [{ ...SLOTS, also: [{ resource: 'x', perSecond: 0 }] }, /resource x gives 0 a second/],
  [{ ...SLOTS, also: [{ resource: 'x', perSecond: 1, each: 'rack' }] }, /no server says which rack it uses/],
  [{ ...SLOTS, slowDown: { dependency: 'queue' } }, /the delay of queue, and no server lists how it is read/],
  [{ ...SLOTS, slowDown: { delayMs: [500, 50] } }, /slots freeze below what halves them/],
])('%j is refused', (slots, why) => {
  expect(() => planWith(slots)).toThrow(why);
});

test('what is to bring expiries apart needs a step behind it, before which that is judged', () => {
  const last = { ...SLOTS, overMs: 180_000, coherenceBelow: 0.3 };
  expect(() => planOf({ servers: 4, steps: (api) => [inSlots(last, refreshCaches(api))] })).toThrow(
    /needs a step behind it/,
  );
});
