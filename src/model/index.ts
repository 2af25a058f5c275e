/** The nouns, as readonly data. Imports nothing but zod. */
export * from './config.ts';
export * from './failure.ts';
export * from './fleet.ts';
export * from './json.ts';
export * from './kind.ts';
export * from './plan.ts';
export * from './runbook.ts';
