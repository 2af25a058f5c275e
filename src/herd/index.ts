/** Caches, databases and servers in numbers: the fuse, the schedule of refreshes, and the model of a herd. Pure. */
export * from './world/index.ts';
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
