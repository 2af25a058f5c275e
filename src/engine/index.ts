/** The only folder that makes effects happen: loading, observing, planning, and the process that runs a plan. */
export { eachAtOnce } from './at-once.ts';
export { afterRealMs, pauseRealMs, planClock } from './clock.ts';
export { loadConfig, type Config } from './config.ts';
export { loadFleet, loadRunbook, parseInputs, type Loaded } from './load.ts';
export { messageSchema, type Message, type Request } from './messages.ts';
export { makePlan, ownVersion, type Preview } from './planning.ts';
export { createReach, type ReachCommand } from './reach/index.ts';
export { expectedFiles } from './expected.ts';
export { findRun, listRuns, placeOf, prepareRun, readOrder, readPlan, writePlan, type RunPlace } from './runs.ts';
export { connectEngine, type EngineConnection } from './socket.ts';
export { EngineRefused, engineOf, startEngine } from './start.ts';
