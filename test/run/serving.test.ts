import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { loadOnEach, servingJudge } from '../../src/herd/index.ts';
import { defineRunbook, inWaves, offlineMode, probe, rest, takeOut, z } from '../../src/index.ts';
import type { Fleet, Plan, Runbook, StepSpec } from '../../src/model/index.ts';
import { withServing } from '../../src/plan/index.ts';
import { Chance } from '../support/chance.ts';
import { Drive, goesWell, seen, type Script } from '../support/drive.ts';
import { paperFleet } from '../support/fleet.ts';
import { failureOf, type Api } from '../support/made-up.ts';
import { compiled, outlineOf } from '../support/plans.ts';

// Goal: a run never puts more on those who serve than its plan showed, whoever falls out of it. Method: the machine is
// driven by hand; who serves is counted from its effects alone.

const SERVERS = 12;

function planOf(steps: (api: Api) => readonly StepSpec[], failures = 6): Plan {
  const fleet: Fleet = {
    ...paperFleet({ servers: SERVERS }),
    balancers: { api: { offline: 'leaves', requestsPerSecond: 100 * SERVERS, returnSurge: 1 } },
  };
  const runbook = defineRunbook({
    title: 'made up',
    reach: { api: ['ssh', 'http', 'bmc'] },
    inputs: z.strictObject({}),
    budget: { failures },
    window: { limitMs: 24 * 3_600_000 },
    steps: ({ api }) => steps(api),
  }) as unknown as Runbook;
  const laid = outlineOf(runbook, fleet);
  const served = withServing({
    fleet,
    laid,
    foresights: new Map(),
    leftOut: [],
    connections: new Map(),
    judge: servingJudge,
  });
  return compiled({ runbook, fleet, laid: served.laid });
}

const shownBy = (plan: Plan): number =>
  Math.max(
    ...plan.header.steps.flatMap((step) =>
      step.step === 'act' ? (step.serving?.load?.waves.map(({ perSecond }) => perSecond) ?? []) : [],
    ),
  );

/** The check finds nothing to do, and all else goes well. */
const well: Script = (effect, nowMs) =>
  effect.effect === 'look' && effect.place.track === 'main' && effect.place.step === 0
    ? { type: 'looked', id: effect.id, outcome: seen(null, { verdict: { verdict: 'nothing' } }) }
    : goesWell()(effect, nowMs);

/** Servers that a check finds dead, and everything else goes well. */
function without(names: readonly string[]): Script {
  return (effect, nowMs) =>
    effect.effect === 'look' && names.includes(effect.place.target)
      ? { type: 'looked', id: effect.id, outcome: { failure: failureOf('command') } }
      : well(effect, nowMs);
}

test('whoever fell out serves no longer: fewer leave, a person is paged with the numbers, and nobody gets more than shown', () => {
  const plan = planOf((api) => [probe(api), inWaves({ atMost: 2 }, takeOut(rest(api, 7)))]);
  expect(shownBy(plan)).toBeCloseTo(1_200 / 7);
  const drive = new Drive(plan, without(['api-01', 'api-02'])).until(600_000);
  // Ten serve, and seven must.
  expect(drive.made('perform')).toHaveLength(3);
  const pages = drive.effects.flatMap((effect) => (effect.effect === 'page' ? [effect.text] : []));
  expect(pages.join('\n')).toMatch(
    /takes nobody more out of service: only 7 still serve.*more than the 171 requests\/s that the plan shows/s,
  );
  expect(drive.state.closed).toBeNull();
  // It gives back all the same when it is told to.
  drive.say({ type: 'abort', by: 'somebody', reason: 'enough' }).settle();
  expect(drive.made('look', 'home1')).toHaveLength(3);
});

test('whoever fell out of those that were to leave anyway keeps nobody else', () => {
  const plan = planOf((api) => [probe(api), inWaves({ atMost: 2 }, takeOut(rest(api, 7)))]);
  const drive = new Drive(plan, (effect, nowMs) => {
    const fails = effect.effect === 'perform' && effect.place.target === 'api-08';
    return fails ? { type: 'performed', id: effect.id, failure: failureOf('command') } : well(effect, nowMs);
  }).until(600_000);
  expect([...new Set(drive.made('perform'))].toSorted()).toEqual(['api-08', 'api-09', 'api-10', 'api-11', 'api-12']);
});

test('property: by the effects alone, nobody who serves gets more than the plan shows', () => {
  const wish = fc.record({
    seed: fc.nat(),
    leave: fc.integer({ min: 1, max: 9 }),
    atMost: fc.integer({ min: 1, max: 6 }),
    wrong: fc.constantFrom(0, 0.1, 0.3),
    by: fc.constantFrom('balancer', 'offline'),
  });
  fc.assert(
    fc.property(wish, ({ seed, leave, atMost, wrong, by }) => {
      const plan = planOf((api) => {
        const some = rest(api, SERVERS - leave);
        return [probe(api), inWaves({ atMost }, by === 'balancer' ? takeOut(some) : offlineMode(some, { on: true }))];
      });
      const shown = shownBy(plan);
      const chance = new Chance(seed);
      const left = new Set<string>();
      let worst = 0;
      const drive: Drive = new Drive(plan, (effect, nowMs) => {
        if (!('place' in effect) || effect.place.track !== 'main') return well(effect, nowMs);
        if (effect.effect === 'perform') left.add(effect.place.target);
        // Whoever is out of the run serves no longer, as far as anybody knows.
        const gone = new Set([...left, ...Object.keys(drive.state.out)]);
        if (effect.effect === 'perform') worst = Math.max(worst, loadOnEach(1_200, SERVERS - gone.size));
        if (!chance.happens(wrong) || effect.effect === 'confirm') return well(effect, nowMs);
        const failure = failureOf('command');
        return effect.effect === 'look'
          ? { type: 'looked', id: effect.id, outcome: { failure } }
          : { type: 'performed', id: effect.id, failure };
      });
      drive.until(120_000);
      expect(worst).toBeLessThanOrEqual(shown * (1 + 1e-9));
    }),
    { numRuns: 100 },
  );
});
