import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import {
  forecastScenario,
  KnobError,
  scenarios,
  type CaseForecast,
  type ScenarioForecast,
} from '../../src/herd/index.ts';
import { forecastOf, incidentPages } from './page.ts';

/** What the reports of the incidents say, held against the model. The same stories are docs/incidents.md. */

// A dozen stories of hours each: two seconds of work, which a machine that has no time may stretch.
vi.setConfig({ testTimeout: 90_000 });

const root = join(import.meta.dirname, '../..');
const minute = 60_000;

/** With one thing changed, for one seed. */
function changed(name: string, whatIf: readonly string[]): ScenarioForecast {
  return forecastScenario(
    scenarios.find((each) => each.name === name)!,
    { whatIf, seeds: [1] },
  );
}

function caseOf({ cases }: ScenarioForecast, name: string): CaseForecast {
  return cases.find((each) => each.name === name)!;
}

test('docs/incidents.md and its pictures are what node test/incidents/write.ts would write', () => {
  const pages = incidentPages();
  const stale = [...pages].filter(([path, text]) => readFileSync(join(root, path), 'utf8') !== text);
  expect(stale.map(([path]) => path)).toEqual([]);
  const pictures = [...pages.keys()].filter((path) => path.endsWith('.svg'));
  expect(readdirSync(join(root, 'docs/incidents')).toSorted()).toEqual(
    pictures.map((path) => path.replace('docs/incidents/', '')).toSorted(),
  );
});

/** The share of requests answered between two instants. */
function answered({ outcome }: CaseForecast, fromMs: number, toMs: number, curve = 'answered'): number {
  const points = outcome.curves
    .find(({ name }) => name === curve)!
    .points.filter(([atMs]) => atMs > fromMs && atMs <= toMs);
  return points.reduce((sum, [, share]) => sum + share, 0) / points.length;
}

test('February 2021: alive for three minutes, dead within four and a few seconds, and an hour by hand', () => {
  const story = forecastOf('feb-2021');
  const { verdict, outcome, spread } = caseOf(story, 'as it happened');
  expect(verdict).toBe('collapse');
  expect(spread.firstDeadMs!.min).toBeGreaterThan(3 * minute);
  expect(spread.lastDeadMs!.max).toBeLessThan(4 * minute + 12_000);
  expect(spread.deadAtMost).toEqual({ min: 200, max: 200 });
  // r * D is more than the memory holds, so it is the memory that is met: 56 GB in requests of 40 MB.
  expect(outcome.figures.peakInFlight).toBeCloseTo(1_400, -1);
  expect(spread.troubleMs!.min).toBeGreaterThan(45 * minute);
  expect(spread.troubleMs!.max).toBeLessThan(75 * minute);
  // Nobody recovers when the traffic stops.
  expect(caseOf(story, 'nobody comes').outcome.figures).toMatchObject({ deadAtMost: 200, troubleMs: null });
});

test('February 2021 with neap: refused; forced with each cure no server hangs; with the contingency it is minutes', () => {
  const story = forecastOf('feb-2021');
  const refused = caseOf(story, 'with neap');
  expect(refused.verdict).toBe('refused');
  expect(refused.refused.join('\n')).toMatch(
    /an outage of 300 s and a margin of 30 s do not fit into a fuse of 179\.8 s/,
  );
  const cures = story.cases.filter(({ name }) => /^with .*-/.test(name));
  expect(cures.map(({ name, verdict }) => [name, verdict])).toEqual([
    ['with shorter-outage', 'unharmed'],
    ['with raise-ttl', 'unharmed'],
    ['with stale-on-error', 'unharmed'],
    ['with refuse-connections', 'errors'],
    ['with fail-fast', 'errors'],
    ['with cap-concurrency', 'errors'],
    ['with answer-at-edge', 'page'],
  ]);
  for (const { spread } of cures) expect(spread.deadAtMost!.max).toBe(0);
  const contingency = caseOf(story, 'with the contingency');
  expect(contingency.spread.troubleMs!.max).toBeLessThan(10 * minute);
  // The page at the edge keeps most of the fleet, where the reset one by one had all of it to do.
  expect(contingency.spread.deadAtMost!.max).toBeLessThan(100);
});

test.each([
  ['a service that fails fast', ['timeout=1s'], 'errors'],
  ['a database that refuses', ['manner=refuse'], 'errors'],
  ['an outage that ends before the fuse', ['outage=140s'], 'unharmed'],
  ['a load that the memory bears', ['rate=100'], 'errors'],
  ['expired values that are served', ['stale=yes'], 'unharmed'],
  ['a database that hangs after accepting', ['manner=hang'], 'collapse'],
] as const)('February 2021 with %s', (_, whatIf, verdict) => {
  expect(caseOf(changed('feb-2021', whatIf), 'as it happened').verdict).toBe(verdict);
});

test('January 2025: half of the requests fail, up and down from minute to minute, better in the second hour', () => {
  const story = forecastOf('jan-2025');
  const it = caseOf(story, 'as it happened');
  expect(answered(it, -4 * minute, 0)).toBeGreaterThan(0.99);
  expect(answered(it, minute, 60 * minute)).toBeGreaterThan(0.42);
  expect(answered(it, minute, 60 * minute)).toBeLessThan(0.58);
  expect(answered(it, 61 * minute, 115 * minute)).toBeGreaterThan(0.7);
  expect(answered(it, 117 * minute, 150 * minute)).toBeGreaterThan(0.99);
  expect(it.spread.troubleMs!.max).toBeLessThan(125 * minute);
  // Up and down: how often a half comes back in ten minutes.
  const points = it
    .closeUp!.curves.find(({ name }) => name === 'answered, old')!
    .points.filter(([atMs]) => atMs > 2 * minute);
  const rises = points.filter(([, share], at) => share > 0.5 && (points[at - 1]?.[1] ?? 1) <= 0.5).length;
  expect(rises).toBeGreaterThanOrEqual(8);
  expect(rises).toBeLessThanOrEqual(15);
  expect(caseOf(story, 'nobody finds it').outcome.figures.troubleMs).toBeNull();
});

test('January 2025: load that can be moved ends it, a budget ends the flapping, and the sum refuses the change', () => {
  const story = forecastOf('jan-2025');
  expect(caseOf(story, 'with load shift').spread.troubleMs!.max).toBeLessThan(20 * minute);
  const budget = caseOf(story, 'with a connection budget');
  expect(answered(budget, minute, 60 * minute)).toBeGreaterThan(0.78);
  const steady = budget.outcome.curves[0]!.points.filter(([atMs]) => atMs > 2 * minute && atMs < 60 * minute);
  expect(Math.min(...steady.map(([, share]) => share))).toBeGreaterThan(0.75);
  expect(caseOf(story, 'with neap').verdict).toBe('refused');
  // A change that fits is not refused, and nothing happens.
  const fits = changed('jan-2025', ['after=0.3']);
  expect(fits.cases.map(({ verdict }) => verdict)).not.toContain('refused');
  expect(caseOf(fits, 'nobody finds it').verdict).toBe('unharmed');
});

test('December 2018: the balancer takes out every server of a hung database; refusing ends it', () => {
  const story = forecastOf('dec-2018');
  const it = caseOf(story, 'as it happened');
  expect(answered(it, minute, 17 * minute)).toBe(0);
  expect(it.outcome.figures.troubleMs! / minute).toBeGreaterThan(18);
  expect(it.outcome.figures.troubleMs! / minute).toBeLessThan(20);
  expect(caseOf(story, 'nobody kills it').outcome.figures.troubleMs).toBeNull();
  // Those who need no database are served throughout, with a read timeout.
  expect(answered(caseOf(story, 'with a read timeout'), minute, 17 * minute)).toBeCloseTo(0.4, 2);
  expect(caseOf(story, 'refused at once').outcome.figures.troubleMs!).toBeLessThan(2 * minute);
});

test('July 2023: a storage that works for those who have gone never recovers; in slots nobody notices', () => {
  const story = forecastOf('jul-2023');
  expect(caseOf(story, 'nobody does anything').outcome.figures.troubleMs).toBeNull();
  expect(caseOf(story, 'all back at once').outcome.figures.troubleMs).toBeNull();
  expect(caseOf(story, 'as it happened').outcome.figures.troubleMs).not.toBeNull();
  expect(caseOf(story, 'paced from the start').verdict).toBe('unharmed');
  const last = caseOf(story, 'paced from the start').outcome.curves.at(-1)!;
  expect([last.name, last.points.at(-1)![1]]).toEqual(['clients to synchronise', expect.closeTo(0, 0)]);
});

test('a what-if that names nothing, or gives it an impossible value, says what there is', () => {
  expect(() => changed('feb-2021', ['nonsense=1'])).toThrow(KnobError);
  const failure = (whatIf: string): KnobError => {
    try {
      changed('feb-2021', [whatIf]);
    } catch (error) {
      if (error instanceof KnobError) return error;
    }
    throw new Error(`${whatIf} was taken`);
  };
  expect(failure('constructor=1').remedy).toMatch(/^There are: servers=200, rate=150, timeout=10s, /);
  expect(failure('timeout=10').remedy).toBe('timeout is a time with its unit, e.g. timeout=10s; at most a day');
  expect(failure('timeout').remedy).toBe('Write timeout=10s');
  expect(failure('manner=gone').remedy).toBe('manner is one of: drop, refuse, hang');
  expect(failure('servers=0').remedy).toBe('servers is a number from 1 to 20000');
  expect(failure('servers=10s').message).toBe('servers cannot be 10s');
});
