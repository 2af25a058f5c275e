/** The only folder that makes effects happen: loading, observing, planning, and the process that runs a plan. */
export { answerable, orderForOthers, ticketFor, type Answerable } from './answerable.ts';
export { eachAtOnce } from './at-once.ts';
export { engineOf } from './engine-file.ts';
export { afterRealMs, pauseRealMs, planClock, skewed } from './clock.ts';
export { loadConfig, type Config } from './config.ts';
export { connectionsNow } from './connections.ts';
export type { Asked } from './forecast.ts';
export type { GuardNow } from './guards.ts';
export { loadFleet, loadRunbook, parseInputs, type Loaded } from './load.ts';
export { listQuarantine, type Quarantined } from './quarantine.ts';
export { messageSchema, type HomeWord, type Message, type Request } from './messages.ts';
export { makePlan, ownVersion, type PlanWish, type Preview } from './planning.ts';
export { productionRate } from './production-rate.ts';
export { createReach, type ReachCommand } from './reach/index.ts';
export { readFleet, type ClockNow, type FleetReadings } from './readings.ts';
export { expectedFiles } from './expected.ts';
export {
  findRun,
  listRuns,
  parseOrder,
  placeOf,
  prepareRun,
  readOrder,
  readPlan,
  readPlanFile,
  writePlan,
  type RunPlace,
} from './runs.ts';
export { restoreRun, type Restored } from './restore.ts';
export { connectEngine, type EngineConnection } from './socket.ts';
export { EngineRefused, startEngine } from './start.ts';
export { StalePlan } from './stale.ts';
export type { Surroundings } from './surroundings.ts';
export { makeWayBack, type WayBackWish } from './way-back.ts';
export { durationOf, instantOf, instantText, isZone } from './instants.ts';
export { unfence, type Unfenced } from './lease/unfence.ts';
