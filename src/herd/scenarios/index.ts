/** Incidents and plans told in the fleet model. */
export { forecastScenario, scenarios, type ScenarioForecast, type CaseForecast } from './forecast.ts';
export { KnobError, knobsText, type Knob, type Knobs } from './knobs.ts';
export { verdictOf, type Curve, type Figures, type Mark, type Outcome, type Verdict } from './outcome.ts';
export { plannedScenario, type PlannedOutage } from './planned.ts';
export type { Scenario } from './scenario.ts';
