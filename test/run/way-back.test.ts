import { describe, expect, test } from 'vitest';
import { defineRunbook, inWaves, z } from '../../src/index.ts';
import type { Failure, Plan, Runbook, StepSpec, Targets, Way } from '../../src/model/index.ts';
import { Drive, goesWell, seen, type Script } from '../support/drive.ts';
import { paperFleet } from '../support/fleet.ts';
import { mend, setAside } from '../support/kinds.ts';
import { compiled, outlineOf } from '../support/plans.ts';
import { paperWayBack } from '../support/way-back.ts';

// Goal: a way back runs as an ordinary run (promises 6, 7 and 9): undo by undo, with the old run's changes, under the
// budget where it takes something, and with a way home of its own. Method: plans of ways back, driven by hand.

type Api = Targets<Way>;
const SERVERS = 6;
const failure = (kind: Failure['kind'], what = kind as string): Failure => ({
  kind,
  what,
  where: '',
  state: '',
  remedy: '',
});

/** What looking shows: each change that a run's own `perform` or `undo` made, by the kind of its step. */
class Paper {
  readonly plan: () => Plan;
  /** Servers as after step `id`. */
  readonly after = new Map<string, Set<string>>();
  readonly undone: string[] = [];
  readonly redone: string[] = [];
  most = 0;

  constructor(plan: () => Plan) {
    this.plan = plan;
  }

  script: Script = (effect, nowMs) => {
    if (!('place' in effect)) return goesWell()(effect, nowMs);
    const step = this.plan().header.steps[effect.place.step];
    const id = step?.step === 'act' ? (step.undoes?.step ?? step.id) : '';
    const is = this.after.get(id) ?? new Set();
    this.after.set(id, is);
    const server = effect.place.target;
    if (effect.effect === 'look')
      return {
        type: 'looked',
        id: effect.id,
        outcome: is.has(server) ? seen(null, { verdict: { verdict: 'nothing' } }) : seen({ to: 'out' }),
      };
    if (effect.effect === 'perform') is.add(server);
    if (effect.effect === 'undo') is.delete(server);
    return goesWell()(effect, nowMs);
  };
}

function back(steps: (api: Api) => readonly StepSpec[], failures = 3) {
  const runbook = defineRunbook({
    title: 'made up',
    reach: { api: ['ssh', 'http', 'bmc'] },
    inputs: z.strictObject({}),
    budget: { failures },
    window: { limitMs: 24 * 3_600_000 },
    steps: ({ api }) => steps(api),
  }) as unknown as Runbook;
  const fleet = paperFleet({ servers: SERVERS });
  let plan = compiled({ runbook, fleet, laid: outlineOf(runbook, fleet) });
  const paper = new Paper(() => plan);
  const was = new Drive(plan, paper.script).until(3_600_000);
  expect(was.closed.outcome).toBe('done');
  plan = paperWayBack(was, { runbook, servers: SERVERS });
  return { plan, paper, drive: (script: Script = paper.script) => new Drive(plan, script) };
}

describe('done', () => {
  test('every server, last step first, each undone once with the change of the old run', () => {
    const { drive, paper } = back((api) => [inWaves({ atMost: 2 }, setAside(api)), mend(api)]);
    const run = drive().until(3_600_000);
    expect(run.closed).toMatchObject({ outcome: 'done', exitCode: 0 });
    expect(run.made('undo')).toHaveLength(2 * SERVERS);
    expect(run.made('perform')).toEqual([]);
    expect([...paper.after.values()].flatMap((each) => [...each])).toEqual([]);
    const steps = run.effects.flatMap((effect) => (effect.effect === 'undo' ? [effect.place.step] : []));
    expect(steps).toEqual(steps.toSorted((a, b) => a - b));
    const looks = run.effects.flatMap((effect) => (effect.effect === 'look' ? [effect.change] : []));
    expect(new Set(looks.map((change) => JSON.stringify(change)))).toEqual(new Set(['{"to":"out"}']));
  });

  test('a server that is back already when its turn comes is left alone', () => {
    const { drive, paper } = back((api) => [setAside(api)]);
    paper.after.get('1')!.delete('api-3');
    expect(drive().until(3_600_000).made('undo')).toHaveLength(SERVERS - 1);
  });

  test('one that drifted since the preview is left as it is, named, and spends budget', () => {
    const { drive, paper } = back((api) => [setAside(api)]);
    const run = drive((effect, nowMs) =>
      effect.effect === 'look' && effect.place.target === 'api-3'
        ? { type: 'looked', id: effect.id, outcome: seen({ to: 'elsewhere' }, { stands: 'other' }) }
        : paper.script(effect, nowMs),
    ).until(3_600_000);
    expect(run.state.out['api-3']).toMatchObject({ fate: 'drifted' });
    expect(run.made('undo')).not.toContain('api-3');
    expect(run.closed.summary).toContain('api-3 (it stands neither as before that change nor as after it)');
  });

  test('an undo that could not be done, three times, is named, and a person is needed', () => {
    const { drive, paper } = back((api) => [setAside(api)]);
    const run = drive((effect, nowMs) =>
      effect.effect === 'undo' && effect.place.target === 'api-3'
        ? { type: 'performed', id: effect.id, failure: failure('command', 'it said no') }
        : paper.script(effect, nowMs),
    ).until(3_600_000);
    expect(run.made('undo').filter((server) => server === 'api-3')).toHaveLength(3);
    expect(run.closed).toMatchObject({ outcome: 'human', exitCode: 5 });
    expect(run.closed.summary).toContain('api-3 (it said no)');
    expect(run.effects.some((effect) => effect.effect === 'page' && effect.text.includes('api-3'))).toBe(true);
  });
});

describe('what it takes is risk', () => {
  test('it is stopped by the budget, and goes home: what it took again is done again, and it is as after the old run', () => {
    const { drive, paper, plan } = back((api) => [inWaves({ atMost: 2 }, mend(api))], 2);
    expect(plan.header.steps[0]).toMatchObject({ nature: 'risk' });
    const run = drive((effect, nowMs) =>
      effect.effect === 'undo' && ['api-3', 'api-4'].includes(effect.place.target)
        ? { type: 'performed', id: effect.id, failure: failure('command') }
        : paper.script(effect, nowMs),
    ).until(3_600_000);
    expect(run.state.homeWhy?.code).toBe('budget');
    expect(run.made('perform', 'home1').toSorted()).toEqual(
      run
        .made('undo')
        .filter((server) => !['api-3', 'api-4'].includes(server))
        .toSorted(),
    );
    expect([...paper.after.get('1')!].toSorted()).toHaveLength(SERVERS);
  });

  test('what gives back is neither counted nor stopped', () => {
    const { drive, plan } = back((api) => [setAside(api)], 1);
    expect(plan.header.steps[0]).toMatchObject({ nature: 'restore' });
    expect(
      drive(() => undefined)
        .settle()
        .made('look'),
    ).toHaveLength(SERVERS);
  });
});

test('aborted: what was given back is left so, and said; what was taken is done again', () => {
  const { drive, paper } = back((api) => [inWaves({ atMost: 2 }, setAside(api)), inWaves({ atMost: 2 }, mend(api))]);
  // Held in the middle of its second step, which gives back.
  const run = drive((effect, nowMs) =>
    'place' in effect && effect.place.track === 'main' && effect.place.step === 1 && effect.place.wave > 0
      ? undefined
      : paper.script(effect, nowMs),
  ).settle();
  const given = run.made('undo').slice(SERVERS);
  expect(given).toHaveLength(2);
  run.say({ type: 'abort', by: 'somebody', reason: 'enough' });
  for (const effect of run.effects.filter((each) => 'place' in each && each.place.step === 1 && each.place.wave > 0))
    if (effect.effect === 'look')
      run.say({ type: 'looked', id: effect.id, outcome: seen(null, { verdict: { verdict: 'nothing' } }) });
  run.until(3_600_000);
  expect(run.closed).toMatchObject({ outcome: 'home', exitCode: 1 });
  expect(run.closed.summary).toContain(
    `Given back before, and left so: step 2 "undo of step 1: set aside" on ${given.join(', ')}`,
  );
  expect(paper.after.get('2')!.size).toBe(SERVERS);
  expect(paper.after.get('1')!.size).toBe(SERVERS - 2);
});
