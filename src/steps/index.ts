/** The step kinds that ship, and what runbooks are written with. */
export { checkServer } from './check-server/index.ts';
export { offlineMode } from './offline-mode/index.ts';
export { cutPath } from './cut-path/index.ts';
export { refreshCaches } from './refresh-caches/index.ts';
export { proveFuse } from './prove-fuse/index.ts';
export { probe } from './probe/index.ts';
export { dependencyAnswers } from './answers/index.ts';
export { proveConfiguration } from './prove-configuration/index.ts';
export { hardReset } from './hard-reset/index.ts';
export { giveTraffic, takeOut } from './traffic/index.ts';
export { conditionOf, describeVitals } from './hard-reset/decide.ts';
export { checkNeed } from './needs.ts';
export { defineStep, earlier, type Step } from './define.ts';
export * from './guards.ts';
export * from './runbook.ts';
