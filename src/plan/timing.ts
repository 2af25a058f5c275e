import type { ActStep, PlanStep } from '../model/index.ts';

/** How many servers of a step may be under way at once: its own cap, and for risk what the failure budget leaves (promise 6). */
export function concurrencyOf(step: ActStep, failures: number): number {
  return step.nature === 'restore' ? step.atMost : Math.min(step.atMost, failures);
}

/** Expected plan time of one step for these waves, in milliseconds: slots or concurrency, whichever is slower, and its soak once a wave. */
export function expectedOf(step: ActStep, failures: number): number {
  return step.waves.reduce((sum, wave) => {
    const turns = Math.ceil(wave.length / concurrencyOf(step, failures)) * step.expectedMs;
    const slots = step.perSecond === null ? 0 : (wave.length / step.perSecond) * 1000;
    return sum + Math.max(turns, slots) + step.soakMs;
  }, 0);
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
  return steps.reduce((sum, step) => (step.step === 'act' && step.nature === 'risk' ? sum + homeOf(step) : sum), 0);
}

export function homeOf(step: ActStep): number {
  return step.waves.reduce((sum, wave) => sum + Math.ceil(wave.length / step.atMost) * step.expectedMs * 2, 0);
}
