import type { Fleet } from '../model/index.ts';
import type { Clock } from '../ports/index.ts';
import type { RunEvent } from '../run/index.ts';
import { skewed, thisMachine, type TimeSource } from './clock.ts';

/** What the clocks differ by less than this is drift and reading them one after another, in real milliseconds. */
const JUMP_MIN_MS = 2_000;

export type Jumped = Extract<RunEvent, { type: 'jumped' }>;

/** The clock of an engine: plan time that goes on evenly, whatever is done to the clock on the wall. */
export interface SteadyClock extends Clock {
  /** Goes on where an earlier engine was: by how much the wall was ahead, and what time it had come to. */
  readonly goOn: (skewMs: number, nowMs: number) => void;
}

/**
 * Notices, whenever it is asked for the time, that the machine slept or that its clock was set, and says so. Time that
 * was slept through has passed; a clock that was set has not changed how long anything took.
 */
export function steadyClock(
  clock: Fleet['clock'],
  jumped: (event: Jumped) => void,
  source: TimeSource = thisMachine,
): SteadyClock {
  const rate = clock?.rate ?? 1;
  let skewMs = 0;
  let wallAheadMs = source.wallMs() - source.awakeMs();
  let sleptMs = slept(source);
  const notice = (): number => {
    const aheadMs = source.wallMs() - source.awakeMs();
    const movedMs = aheadMs - wallAheadMs;
    wallAheadMs = aheadMs;
    if (Math.abs(movedMs) < JUMP_MIN_MS) return skewMs;
    const inAll = slept(source);
    // Where the system does not tell, time that is missing is taken for sleep: then nothing counts as shorter than it was.
    const asleepMs = inAll !== null && sleptMs !== null ? inAll - sleptMs : Math.max(0, movedMs);
    sleptMs = inAll;
    const setMs = movedMs - asleepMs;
    if (Math.abs(setMs) >= JUMP_MIN_MS) skewMs += setMs * rate;
    if (asleepMs >= JUMP_MIN_MS) jumped({ type: 'jumped', sort: 'slept', byMs: Math.round(asleepMs * rate) });
    if (Math.abs(setMs) >= JUMP_MIN_MS) jumped({ type: 'jumped', sort: 'clock', byMs: Math.round(setMs * rate) });
    return skewMs;
  };
  const steady = skewed(clock, notice, source);
  return {
    ...steady,
    goOn: (skew, nowMs) => {
      skewMs = skew;
      const behindMs = nowMs - steady.nowMs();
      if (behindMs <= 0) return;
      // The clock was set back while no engine was there to see it.
      skewMs -= behindMs;
      if (behindMs >= JUMP_MIN_MS * rate) jumped({ type: 'jumped', sort: 'clock', byMs: -Math.round(behindMs) });
    },
  };
}

/** How long this machine slept since it was started, to a constant. */
function slept(source: TimeSource): number | null {
  const sinceBootMs = source.sinceBootMs();
  return sinceBootMs === null ? null : sinceBootMs - source.awakeMs();
}
