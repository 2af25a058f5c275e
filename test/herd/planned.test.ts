import { expect, test } from 'vitest';
import {
  forecastScenario,
  plannedScenario,
  type FuseQuestion,
  type PlannedOutage,
  type ScenarioForecast,
} from '../../src/herd/index.ts';
import { clock, february, fleetOf } from './fleet.ts';

const question: FuseQuestion = {
  servers: fleetOf(12),
  refresh: { perSecond: 28, overheadMs: 20_000 },
  outageMs: 120_000,
  marginMs: 20_000,
};

/** A refusal takes a tenth of a second, where anything else takes the whole timeout. */
function parts(asked: FuseQuestion): Omit<PlannedOutage, 'title' | 'source'> {
  return {
    facts: [],
    manner: null,
    capacityPerSecond: null,
    question: (manner) => ({
      ...asked,
      servers: asked.servers.map((server) => (manner === 'refuse' ? { ...server, dependencyTimeoutMs: 100 } : server)),
    }),
  };
}

function told(change: Partial<FuseQuestion>, whatIf: readonly string[] = []): ScenarioForecast {
  const scenario = plannedScenario({
    title: 'upgrade',
    source: 'fleet.ts',
    ...parts({ ...question, ...change }),
  });
  return forecastScenario(scenario, { whatIf, seeds: [1, 2] });
}

function verdicts({ cases }: ScenarioForecast): readonly (readonly [string, string])[] {
  return cases.map(({ name, verdict }) => [name, verdict]);
}

test('a plan that fits harms nobody, burns when the database stays away, and is kept by the page at the margin', () => {
  const forecast = told({});
  expect(verdicts(forecast)).toEqual([
    ['as planned', 'unharmed'],
    ['it does not come back', 'collapse'],
    ['page at the margin', 'page'],
  ]);
  const [, stays] = forecast.cases;
  // The fuse of the preview is a bound: 180 s less the slots and the way to the cut.
  expect(stays!.spread.firstDeadMs!.min).toBeGreaterThanOrEqual(180_000 - 429 - 20_000);
});

test('a plan that does not fit is refused, and each of its cures is tried out', () => {
  const forecast = told({ outageMs: 400_000 });
  expect(verdicts(forecast)).toEqual([
    ['as planned', 'refused'],
    ['it does not come back', 'collapse'],
    ['page at the margin', 'page'],
    ['with shorter-outage', 'unharmed'],
    ['with raise-ttl', 'unharmed'],
    ['with stale-on-error', 'unharmed'],
    ['with fail-fast', 'errors'],
    ['with cap-concurrency', 'errors'],
    ['with answer-at-edge', 'page'],
  ]);
  expect(forecast.cases[0]!.outcome.figures.deadAtMost).toBe(12);
});

test('what is not declared counts as fatal, what is not fatal is no fuse, and nothing refreshed is no fuse at all', () => {
  const { load: _, ...undeclared } = february('api-0');
  const unknown = told({ servers: [undeclared], outageMs: 300_000 });
  expect(unknown.cases[0]!.outcome.figures).toMatchObject({ deadAtMost: 1, peakInFlight: 0 });
  expect(unknown.chosen.at(-1)).toMatch(/1 servers? declares? no load/);
  // A cure without a number cannot be tried out.
  expect(verdicts(unknown).map(([name]) => name)).not.toContain('with fail-fast');
  const servers = fleetOf(3).map((server) => ({
    ...server,
    clocks: [clock('config', { whenExpired: 'stale-served' })],
  }));
  expect(verdicts(told({ servers, outageMs: 600_000 }))).toEqual([
    ['as planned', 'unharmed'],
    ['it does not come back', 'unharmed'],
  ]);
  const cold = told({ refresh: null });
  expect(cold.cases[0]!.verdict).toBe('refused');
  expect(cold.cases[0]!.outcome.figures.firstDeadMs).toBeLessThan(60_000);
});

test('what-ifs change the plan: a database that refuses, a shorter timeout, more traffic, the page from the start', () => {
  const change = { outageMs: 300_000 };
  expect(told(change, ['manner=refuse']).cases[0]!.verdict).toBe('errors');
  expect(told(change, ['timeout=1s']).cases[0]!.verdict).toBe('errors');
  expect(told(change, ['load=0.5']).cases[0]!.verdict).toBe('errors');
  expect(told(change, ['page=yes']).cases[0]!.outcome.figures).toMatchObject({ deadAtMost: 0, failed: 0 });
  expect(told({}, ['outage=10m']).cases[0]!.verdict).toBe('refused');
});
