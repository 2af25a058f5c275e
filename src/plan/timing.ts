import type { ActStep, PlanHeader, PlanStep } from '../model/index.ts';

/** Fewer samples than this from earlier runs are shown and not reckoned with. */
export const SAMPLES_MIN = 5;

/** What a person is given to answer before something is taken back, in plan milliseconds. */
const ANSWER_MS = 5 * 60_000;

/** How many servers of a step may be under way at once: its own cap, and for risk what the failure budget leaves (promise 6). */
export function concurrencyOf(step: ActStep, failures: number): number {
  return step.nature === 'restore' ? step.atMost : Math.min(step.atMost, failures);
}

/** Expected plan time of one step for these waves, in milliseconds: slots or concurrency, whichever is slower, and its soak once a wave. */
export function expectedOf(step: ActStep, failures: number): number {
  return takes(
    step,
    step.waves.map((wave) => wave.length),
    concurrencyOf(step, failures),
    step.expectedMs,
  );
}

/** The same for so many servers a wave, so many at once, each taking what a window must reckon with. */
export function reckonedOf(step: ActStep, sizes: readonly number[], atOnce: number): number {
  return takes(step, sizes, atOnce, reckonedMs(step));
}

function takes(step: ActStep, sizes: readonly number[], atOnce: number, eachMs: number): number {
  return sizes.reduce(
    (sum, size) => {
      if (size === 0) return sum;
      const turns = Math.ceil(size / atOnce) * eachMs;
      return sum + Math.max(turns, size * slotMs(step)) + step.soakMs;
    },
    pauseMs(step, sizes),
  );
}

/** How long a slot lasts: by its rate, or by all that it needs a token of where that was laid out and takes longer. */
function slotMs({ perSecond, slots, waves }: ActStep): number {
  if (perSecond === null) return 0;
  const eachMs = 1000 / perSecond;
  if (!slots?.forecast) return eachMs;
  const servers = waves.reduce((sum, { length }) => sum + length, 0);
  return Math.max(eachMs, (slots.forecast.spanMs - (slots.canary?.pauseMs ?? 0)) / servers);
}

/** What lies between a canary's slots and the others. */
function pauseMs({ slots }: ActStep, sizes: readonly number[]): number {
  return sizes.filter((size) => size > 0).length > 1 ? (slots?.canary?.pauseMs ?? 0) : 0;
}

/** What one server's part must be given: slower than nearly all were in earlier runs, or what the kind says where there were few. */
export function reckonedMs({ expectedMs, expectedFrom }: ActStep): number {
  return expectedFrom.from === 'history' && expectedFrom.samples >= SAMPLES_MIN
    ? Math.max(expectedMs, expectedFrom.p95Ms)
    : expectedMs;
}

/** The longest that one server's part is known to take, or said to: whoever is that slow is still at work. */
export function slowestMs({ expectedMs, expectedFrom }: ActStep): number {
  return expectedFrom.from === 'kind' ? expectedMs : Math.max(expectedMs, expectedFrom.kindMs, expectedFrom.p95Ms);
}

/** Expected plan time of the whole main line, its planned outage included. */
export function expectedTotal(steps: readonly PlanStep[], failures: number): number {
  return steps.reduce((sum, step) => {
    if (step.step === 'act') return sum + expectedOf(step, failures);
    return sum + (step.step === 'gate' && step.fuse ? step.fuse.outageMs : 0);
  }, 0);
}

/** Expected plan time of the way home from the end of the line: every risk step undone, paced as it went in. */
export function homeTotal(steps: readonly PlanStep[]): number {
  return steps.reduce((sum, step) => (step.step === 'act' && isTakenBack(step) ? sum + homeOf(step) : sum), 0);
}

/** Expected plan time of undoing one step on all of its servers. */
export function homeOf(step: ActStep): number {
  return homeFor(
    step,
    step.waves.map((wave) => wave.length),
    step.expectedMs,
  );
}

/** The same for so many servers a wave, in what a window must reckon with; a person who is asked first is given time. */
export function reckonedHomeOf(step: ActStep, sizes: readonly number[]): number {
  const changed = sizes.some((size) => size > 0);
  return homeFor(step, sizes, reckonedMs(step)) + (changed && step.askBeforeUndo ? ANSWER_MS : 0);
}

/** What a whole run and its way home must be given, in plan milliseconds: by the slow ones of earlier runs, where there were any. */
export function neededOf({ steps, budget }: Pick<PlanHeader, 'steps' | 'budget'>): {
  readonly runMs: number;
  readonly homeMs: number;
} {
  let runMs = 0;
  let homeMs = 0;
  for (const step of steps) {
    if (step.step === 'gate') runMs += step.fuse?.outageMs ?? 0;
    if (step.step !== 'act') continue;
    const sizes = step.waves.map((wave) => wave.length);
    runMs += reckonedOf(step, sizes, concurrencyOf(step, budget.failures));
    if (isTakenBack(step)) homeMs += reckonedHomeOf(step, sizes);
  }
  return { runMs: Math.ceil(runMs), homeMs: Math.ceil(homeMs) };
}

/** Whether anything is taken away at all: what only gives back is stopped by no window and no freeze (promise 7). */
export function takesRisk(steps: readonly PlanStep[]): boolean {
  return steps.some((step) => step.step === 'act' && step.nature === 'risk');
}

/** Only what took something away is taken back on the way home. */
export function isTakenBack(step: ActStep): boolean {
  return step.nature === 'risk' && step.irreversible === null && !step.leavesNothing;
}

function homeFor(step: ActStep, sizes: readonly number[], eachMs: number): number {
  return sizes.reduce((sum, size) => sum + Math.ceil(size / step.atMost) * eachMs * 2, 0);
}
