import { dec2018 } from './dec-2018.ts';
import { feb2021 } from './feb-2021.ts';
import { jan2025 } from './jan-2025.ts';
import { jul2023 } from './jul-2023.ts';
import { verdictOf, type Figures, type Outcome, type Verdict } from './outcome.ts';
import type { Case, Scenario } from './scenario.ts';

/** All scenarios that there are, by their names. */
export const scenarios: readonly Scenario[] = [feb2021, jan2025, dec2018, jul2023];

/** A scenario, told for several seeds. */
export interface ScenarioForecast {
  readonly name: string;
  readonly title: string;
  readonly source: string;
  readonly facts: readonly string[];
  readonly chosen: readonly string[];
  /** Every knob as it stands, `name=value`. */
  readonly settings: readonly string[];
  readonly seeds: readonly number[];
  readonly cases: readonly CaseForecast[];
}

export interface CaseForecast {
  readonly name: string;
  readonly what: string;
  /** The worst over the seeds; `refused` where neap would not have begun. */
  readonly verdict: Verdict;
  /** Why it was refused, and the cures; empty otherwise. */
  readonly refused: readonly string[];
  /** The first seed's. */
  readonly outcome: Outcome;
  /** Its beginning, finer; null: there is no more to see in it. */
  readonly closeUp: Outcome | null;
  /** Each figure over all seeds; a figure that some seed does not have is null there. */
  readonly spread: Readonly<Record<keyof Figures, Spread | null>>;
}

export interface Spread {
  readonly min: number;
  readonly max: number;
}

/**
 * Tells a scenario in all its ways.
 * @throws KnobError for a what-if that names nothing, or gives it an impossible value
 */
export function forecastScenario(
  scenario: Scenario,
  { whatIf, seeds }: { readonly whatIf: readonly string[]; readonly seeds: readonly number[] },
): ScenarioForecast {
  const told = scenario.told(whatIf);
  const { name, title, source, facts, chosen } = scenario;
  const cases = told.cases.map((each) => forecastCase(each, seeds));
  return { name, title, source, facts, chosen, settings: told.settings, seeds, cases };
}

/** Tells one case for each seed. */
export function forecastCase({ name, what, refused, run, closeUpMs }: Case, seeds: readonly number[]): CaseForecast {
  const outcomes = seeds.map((seed) => run(seed));
  const [outcome] = outcomes;
  if (outcome === undefined) throw new RangeError('a case is told for at least one seed');
  const worst = WORST.find((verdict) => outcomes.some(({ figures }) => verdictOf(figures) === verdict));
  return {
    name,
    what,
    verdict: refused ? 'refused' : (worst ?? 'unharmed'),
    refused: refused ?? [],
    outcome,
    closeUp: closeUpMs === undefined || seeds[0] === undefined ? null : run(seeds[0], closeUpMs),
    spread: spreadOf(outcomes.map(({ figures }) => figures)),
  };
}

const WORST: readonly Verdict[] = ['collapse', 'errors', 'page'];

function spreadOf(all: readonly Figures[]): CaseForecast['spread'] {
  const names = Object.keys(all[0] ?? {}) as (keyof Figures)[];
  return Object.fromEntries(
    names.map((name) => {
      const values = all.map((figures) => figures[name]);
      const known = values.filter((value) => value !== null);
      return [name, known.length < values.length ? null : { min: Math.min(...known), max: Math.max(...known) }];
    }),
  ) as CaseForecast['spread'];
}
