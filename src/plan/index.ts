/** Facts and a runbook become a plan. Pure: the same facts give the same bytes and the same hash. */
export { canonicalJson } from './canonical.ts';
export { readChange } from './changes.ts';
export { compile, PLAN_HOLDS_MS, tampered, type CompileInput, type PlanText } from './compile.ts';
export { foresee, learn, NOTHING_FORESEEN, remember, type Foresight, type Told } from './foresee.ts';
export { sha256Hex } from './hash.ts';
export { lineDiff } from './line-diff.ts';
export { outline, type Outline } from './outline.ts';
export { refuse } from './refuse.ts';
export { ageingMs, carriedRehearsal, plannedOutage, rehearsalMs, showsManner } from './rehearsal.ts';
export { judgeRehearsal, type RehearsalVerdict } from './rehearsed.ts';
export {
  concurrencyOf,
  expectedOf,
  homeOf,
  isTakenBack,
  neededOf,
  reckonedHomeOf,
  reckonedOf,
  SAMPLES_MIN,
  slowestMs,
  takesRisk,
} from './timing.ts';
export { WAY_BACK_HOLDS_MS, wayBack, type WayBackInput } from './way-back.ts';
export { netEffect, type Deed, type Fate, type Judged, type Standing } from './net-effect.ts';
export { deedsAfter, stepIds } from './after.ts';
export { doesOf, experienced, historyKey, withHistory, type History } from './history.ts';
export { withServing, type ServingQuestion } from './serving.ts';
