/** The model of a herd of servers, their database and balancer: pure, driven from outside in any time. */
export { advance, waiting } from './advance.ts';
export { databaseAnswers, setDatabase } from './database.ts';
export { february, type ServerSeed, type WorldOptions } from './options.ts';
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
  type World,
} from './state.ts';
