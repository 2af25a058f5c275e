import type { Fleet } from '../model/index.ts';
import type { Clock } from '../ports/index.ts';

/** setTimeout holds no longer delay than this; a longer sleep is several. */
const TIMER_MAX_MS = 2 ** 31 - 1;

/** Plan time of a fleet: the wall clock, or what a lab's anchor and rate make of it. Survives a restart, since it holds no state. */
export function planClock(clock: Fleet['clock']): Clock {
  const { anchorRealMs, anchorPlanMs, rate } = clock ?? { anchorRealMs: 0, anchorPlanMs: 0, rate: 1 };
  const nowMs = (): number => anchorPlanMs + (Date.now() - anchorRealMs) * rate;
  const realMsUntil = (atMs: number): number => Math.max(0, (atMs - nowMs()) / rate);
  const sleepUntil = async (atMs: number): Promise<void> => {
    for (let leftMs = realMsUntil(atMs); leftMs > 0; leftMs = realMsUntil(atMs)) {
      await new Promise((resolve) => setTimeout(resolve, Math.min(Math.ceil(leftMs), TIMER_MAX_MS)));
    }
  };
  return { nowMs, realMsUntil, sleepUntil };
}

/** Waits in real milliseconds: for a process, a file, a screen; never for anything that a plan speaks of. */
export function pauseRealMs(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Calls back after real milliseconds unless it is cancelled by what it returns. */
export function afterRealMs(ms: number, call: () => void): () => void {
  const timer = setTimeout(call, ms);
  return () => clearTimeout(timer);
}

/** The wall clock, for people: when a claim was made, when an engine wrote its log. */
export function wallClockMs(): number {
  return Date.now();
}
