import { describe, expect, test } from 'vitest';
import {
  byHand,
  command,
  defineRunbook,
  gate,
  giveTraffic,
  guarded,
  holding,
  cutPath,
  httpProbe,
  prometheus,
  takeOut,
  whenFleetIsBack,
  whenGuard,
  whenHung,
  z,
} from '../../src/index.ts';
import { FailureError } from '../../src/model/index.ts';
import type { ContingencySpec, GuardSpec, Runbook, StepSpec, Targets, Way } from '../../src/model/index.ts';
import type { Outline } from '../../src/plan/index.ts';
import { paperFleet } from '../support/fleet.ts';
import { outlineOf } from '../support/plans.ts';

// Goal: what a runbook says of guards becomes data that can be judged by, or is refused before anything is contacted.

type Api = Targets<Way>;

function laid(
  steps: (api: Api) => readonly StepSpec[],
  contingencies: (api: Api) => readonly ContingencySpec[] = () => [],
): Outline {
  const runbook = defineRunbook({
    title: 'guarded',
    reach: { api: ['ssh', 'http', 'bmc'] },
    inputs: z.strictObject({}),
    budget: { failures: 1 },
    window: { limitMs: 3_600_000 },
    steps: ({ api }) => steps(api),
    contingencies: ({ api }) => contingencies(api),
  }) as unknown as Runbook;
  return outlineOf(runbook, paperFleet({ servers: 2 }));
}

function refusal(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof FailureError) return `${error.failure.where}: ${error.failure.what}. ${error.failure.remedy}`;
    throw error;
  }
  return 'nothing was refused';
}

const times = { title: 'Load', everyMs: 5_000, forMs: 10_000 } as const;
const load = (more: Partial<GuardSpec> = {}): GuardSpec => ({ ...command({ ...times, run: ['load'] }), ...more });
const shed = (api: Api, guard = 'Load'): ContingencySpec =>
  whenGuard(api, { title: 'Shed', guard }, (armed) => [takeOut(armed)]);

describe('guards in a plan', () => {
  test('know the steps that they cover: nested, around holds, and twice around', () => {
    const other = httpProbe({ ...times, title: 'Site', get: 'https://site.test/health', withinMs: 2_000 });
    const { guards, steps } = laid((api) => [
      guarded(load(), [
        guarded(other, [holding(cutPath(api, { from: 'database', forMs: 60_000 }), [takeOut(api)])]),
        gate('Go on?', { role: 'any', onTimeout: 'hold' }),
      ]),
      giveTraffic(api),
      guarded(load(), [takeOut(api)]),
    ]);
    expect(steps.map(({ id }) => id)).toEqual(['1', '2', '3', '4', '5', '6']);
    expect(guards.map(({ id, title, covers }) => [id, title, covers])).toEqual([
      ['g1', 'Load', ['1', '2', '3', '4', '6']],
      ['g2', 'Site', ['1', '2', '3']],
    ]);
  });

  test('say what was left unsaid: clear as long as bad, no data after three readings', () => {
    expect(load()).toMatchObject({ clearForMs: 10_000, noDataMs: 15_000, onTrip: 'stop' });
    expect(command({ ...times, forMs: 0, run: ['load'] }).clearForMs).toBe(5_000);
    // A reading may take its time.
    expect(command({ ...times, run: ['load'], timeoutMs: 60_000 }).noDataMs).toBe(65_000);
    const asked = prometheus({ ...times, url: 'http://prometheus.test', query: 'up', tripBelow: 1 });
    expect(asked.read).toMatchObject({ staleMs: 60_000, timeoutMs: 10_000, warnAbove: null, tripBelow: 1 });
  });

  test('are linked with their contingency from either end', () => {
    const byWhen = laid(
      (api) => [guarded(load(), [takeOut(api)])],
      (api) => [shed(api)],
    );
    expect(byWhen.guards[0]?.onTrip).toEqual({ contingency: 'c1' });
    expect(byWhen.contingencies[0]?.spec.when).toEqual({ guard: 'g1' });
    const hand = byHand({ group: 'api', part: { of: 'all' } }, { title: 'Shed' }, (armed) => [takeOut(armed)]);
    const byTrip = laid(
      (api) => [guarded(load({ onTrip: { contingency: 'Shed' } }), [takeOut(api)])],
      () => [hand],
    );
    expect(byTrip.guards[0]?.onTrip).toEqual({ contingency: 'c1' });
    expect(byTrip.contingencies[0]?.spec.when).toBe('hand');
  });

  test('in a contingency, what takes something away is marked', () => {
    const { contingencies } = laid(
      (api) => [guarded(load(), [takeOut(api)])],
      (api) => [whenGuard(api, { title: 'Shed', guard: 'Load' }, (armed) => [takeOut(armed), giveTraffic(armed)])],
    );
    const marks = contingencies[0]?.steps.map((step) => (step.step === 'act' ? [step.nature, step.takes] : null));
    expect(marks).toEqual([
      ['restore', true],
      ['restore', undefined],
    ]);
  });
});

describe('refused', () => {
  const one = (spec: GuardSpec) => refusal(() => laid((api) => [guarded(spec, [takeOut(api)])]));
  const query = (more: object) => one(prometheus({ ...times, url: 'http://prometheus.test', query: 'up', ...more }));

  test.each([
    [{ forMs: 4_000 }, /guard "Load": forMs \(4000\) is less than everyMs \(5000\)/],
    [{ everyMs: 10 }, /everyMs is 10, less than 1000/],
    [{ noDataMs: 4_000 }, /noDataMs \(4000\) is less than everyMs/],
    [{ noDataMs: 9_000 }, /a reading may take 10000 ms, longer than noDataMs \(9000\)/],
    [{ everyMs: Number.NaN }, /everyMs/],
    [{ clearForMs: -1 }, /clearForMs/],
    [{ read: { guard: 'command', run: [], timeoutMs: 1 } }, /run/],
    [{ read: { guard: 'command', run: [''], timeoutMs: 1 } }, /does not begin with a program/],
    [{ read: { guard: 'probe', get: 'ftp://site.test/', withinMs: 1 } }, /no http address/],
    [{ read: { guard: 'probe', get: 'http://ann:secret@site.test/', withinMs: 1 } }, /holds a name or password/],
    [{ onTrip: { contingency: 'Shed' } }, /no contingency "Shed"\. Write one with whenGuard/],
  ] as const)('%j', (more, says) => {
    const said = one(load(more as Partial<GuardSpec>));
    expect(said).toMatch(says);
    expect(said).not.toContain('ann:secret');
  });

  test('a query without a limit, and limits that leave no room', () => {
    expect(query({})).toMatch(/no limit, so it could never trip/);
    expect(query({ tripAbove: 1, tripBelow: 1 })).toMatch(/tripBelow \(1\) is not below tripAbove \(1\)/);
    expect(query({ tripAbove: 1, warnAbove: 2 })).toMatch(/warnAbove \(2\) is not below tripAbove/);
    expect(query({ tripBelow: 1, warnBelow: 0 })).toMatch(/warnBelow \(0\) is not above tripBelow/);
  });

  test('a guard around nothing, in a contingency, or of the same name and not the same', () => {
    expect(refusal(() => laid(() => [guarded(load(), [])]))).toMatch(/covers no step/);
    const inside = (api: Api) => [byHand(api, { title: 'x' }, (armed) => [guarded(load(), [takeOut(armed)])])];
    expect(refusal(() => laid((api) => [takeOut(api)], inside))).toMatch(/a contingency gives back/);
    const twice = (api: Api) => [guarded(load(), [takeOut(api)]), guarded(load({ forMs: 0 }), [takeOut(api)])];
    expect(refusal(() => laid(twice))).toMatch(/two guards have this title and are not the same/);
  });

  test('a contingency that nothing arms, that two things arm, or that waits for whoever waits for it', () => {
    const steps = (api: Api) => [guarded(load(), [takeOut(api)])];
    expect(refusal(() => laid(steps, (api) => [shed(api, 'Lode')]))).toMatch(
      /contingency "Shed": no guard has the title "Lode"\. The runbook's guards are: "Load"/,
    );
    expect(refusal(() => laid(steps, (api) => [shed(api), { ...shed(api), title: 'Other' }]))).toMatch(
      /two contingencies are armed by it: "Shed" and "Other"/,
    );
    const home = (api: Api) => [guarded(load({ onTrip: 'home' }), [takeOut(api)])];
    expect(refusal(() => laid(home, (api) => [shed(api)]))).toMatch(/goes home when it trips, and arms "Shed"/);
    const hung = (api: Api) => [whenHung(api, { title: 'Reset', suspectAbove: 1 }, (each) => [takeOut(each)])];
    const reset = (api: Api) => [guarded(load({ onTrip: { contingency: 'Reset' } }), [takeOut(api)])];
    expect(refusal(() => laid(reset, hung))).toMatch(/contingency "Reset" is armed by something else/);
    const waits = (api: Api) => [byHand(api, { title: 'Wait' }, () => [whenFleetIsBack()])];
    expect(refusal(() => laid(steps, waits))).toMatch(/waits until the fleet is back, and the main line waits for it/);
    expect(refusal(() => laid(steps, (api) => [byHand(api, { title: 'None' }, () => [])]))).toMatch(/has no step/);
  });
});
