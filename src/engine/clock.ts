import type { Fleet } from '../model/index.ts';
import type { Clock } from '../ports/index.ts';

/** Longer waits are taken in parts, in real milliseconds: a laptop that slept, or a clock that was set, is noticed within this. */
const LONGEST_SLEEP_MS = 60_000;

/** Plan time of a fleet: the wall clock, or what a lab's anchor and rate make of it. Survives a restart, since it holds no state. */
export function planClock(clock: Fleet['clock']): Clock {
  const { anchorRealMs, anchorPlanMs, rate } = clock ?? { anchorRealMs: 0, anchorPlanMs: 0, rate: 1 };
  const nowMs = (): number => anchorPlanMs + (Date.now() - anchorRealMs) * rate;
  const realMsUntil = (atMs: number): number => Math.max(0, (atMs - nowMs()) / rate);
  const after = (atMs: number, call: () => void): (() => void) => {
    let cancel: () => void = () => undefined;
    const wait = (): void => {
      const leftMs = Math.max(1, Math.ceil(realMsUntil(atMs)));
      cancel = afterRealMs(Math.min(leftMs, LONGEST_SLEEP_MS), () => (realMsUntil(atMs) > 0 ? wait() : call()));
    };
    wait();
    return () => cancel();
  };
  const sleepUntil = (atMs: number): Promise<void> =>
    realMsUntil(atMs) > 0 ? new Promise((resolve) => void after(atMs, resolve)) : Promise.resolve();
  return { nowMs, realMsUntil, sleepUntil, after, pauseRealMs };
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
