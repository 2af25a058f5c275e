import { uptime } from 'node:os';
import type { Fleet } from '../model/index.ts';
import type { Clock } from '../ports/index.ts';

/** Longer waits are taken in parts, in real milliseconds: a laptop that slept, or a clock that was set, is noticed within this. */
const LONGEST_SLEEP_MS = 5_000;

/** What this machine's own clocks say, in real milliseconds. */
export interface TimeSource {
  /** The clock on the wall: it can be set. */
  readonly wallMs: () => number;
  /** Goes on evenly while the machine is awake. */
  readonly awakeMs: () => number;
  /** Goes on evenly, asleep or awake; null where the system does not tell. */
  readonly sinceBootMs: () => number | null;
}

/** This machine. Only Linux tells of time that was slept through: elsewhere it follows the clock on the wall. */
export const thisMachine: TimeSource = {
  wallMs: () => Date.now(),
  awakeMs: () => performance.now(),
  sinceBootMs: () => (process.platform === 'linux' ? uptime() * 1000 : null),
};

/** Plan time of a fleet: the wall clock, or what a lab's anchor and rate make of it. Survives a restart, since it holds no state. */
export function planClock(clock: Fleet['clock'], { wallMs }: Pick<TimeSource, 'wallMs'> = thisMachine): Clock {
  const { anchorRealMs, anchorPlanMs, rate } = clock ?? { anchorRealMs: 0, anchorPlanMs: 0, rate: 1 };
  return clockOf(() => anchorPlanMs + (wallMs() - anchorRealMs) * rate, rate);
}

/** A clock that is behind the one on the wall by what that was set since: `skewMs`, in plan milliseconds. */
export function skewed(clock: Fleet['clock'], skewMs: () => number, source: TimeSource = thisMachine): Clock {
  const plan = planClock(clock, source);
  return clockOf(() => plan.nowMs() - skewMs(), clock?.rate ?? 1);
}

function clockOf(nowMs: () => number, rate: number): Clock {
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
