/** What a runbook, a fleet file and a configuration import from 'neap'. */
export { z } from 'zod';
export {
  atRate,
  checkServer,
  cutPath,
  defineRunbook,
  defineStep,
  dependencyAnswers,
  first,
  gate,
  giveTraffic,
  hardReset,
  holding,
  inSlots,
  inWaves,
  offlineMode,
  probe,
  proveConfiguration,
  proveFuse,
  question,
  refreshCaches,
  rest,
  takeOut,
  whenFleetIsBack,
  whenHung,
  type GateOptions,
  type Step,
} from './steps/index.ts';
export { FailureError, defineConfig, defineFleet } from './model/index.ts';
export type { ConfigInput, Failure, Fleet, FleetInput, Runbook, Server, Service, Targets, Way } from './model/index.ts';
export type { Hands, Reader, StepContext } from './ports/index.ts';
