/** The model of a herd of servers, their database and balancer: pure, driven from outside in any time. */
export { advance, waiting } from './advance.ts';
export { NEVER } from './agenda.ts';
export { databaseAnswers, setDatabase, slowDatabase } from './database.ts';
export { accountOf, type Account } from './flow.ts';
export {
  flowQueue,
  nextOfQueue,
  queueDelayMs,
  servedShare,
  setFront,
  type FrontOptions,
  type Queue,
  type QueueLimits,
} from './front.ts';
export { february, type ServerSeed, type ServerTraits, type WorldOptions } from './options.ts';
export { forgetReload, gracefulRestart, halfApply, hang, hardReset, powerOff, powerOn, reload } from './power.ts';
export {
  cacheOf,
  cutPath,
  databaseDelayMs,
  enterOffline,
  leaveOffline,
  refreshCache,
  request,
  restorePath,
  setAdmission,
  setLimit,
  setLoad,
  setPage,
  setRotation,
  type Answer,
  type Told,
} from './service.ts';
export {
  createWorld,
  isAlive,
  serverNamed,
  type DatabaseState,
  type FileState,
  type ServerState,
  type Tally,
  type World,
} from './state.ts';
