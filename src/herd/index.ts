/** Caches, databases and servers in numbers: the fuse, the schedule of refreshes, and the model of a herd. Pure. */
export * from './world/index.ts';
export * from './scenarios/index.ts';
export * as des from './des/index.ts';
export { mostAtOnce, newInOneSecond, waitBehindLimit, type Openings } from './connections.ts';
export type { Cure, CureCode } from './cures.ts';
export {
  checkFuse,
  forecastFuse,
  type FuseCheck,
  type FuseForecast,
  type FuseQuestion,
  type FuseVerdict,
} from './fuse.ts';
export type { ClockReading, FuseClock, FuseServer, RefreshRule } from './fuse-input.ts';
export { fuseFromReadings, type FuseReading } from './fuse-readings.ts';
export { waitMs, type Asking, type AwayManner, type Tries } from './dependency-wait.ts';
export { bucketsOf, scheduleSeveral, type SlotResource } from './schedule-several.ts';
export { tryOut, type Trial, type TrialRule } from './schedule-trial.ts';
export {
  chanceCoherence,
  coherence,
  coherenceAfter,
  coherenceOfCycles,
  coldStartMs,
  cyclesApart,
  ownTtlMs,
} from './spread.ts';
export { throttle, unthrottled, type Throttle, type ThrottleRule } from './throttle.ts';
export {
  feasible,
  lateServers,
  minimumCapacity,
  reslot,
  scheduleSlots,
  type Slot,
  type SlotRule,
  type SlotServer,
} from './schedule.ts';
export { isAbove, leastServing, loadOnEach, mostAway, shareAtTheEdge } from './serving.ts';
export { servingJudge } from './serving-judge.ts';
