/** The nouns, as readonly data. Imports nothing but zod. */
export * from './config.ts';
export * from './edge.ts';
export * from './failure.ts';
export * from './fleet.ts';
export * from './json.ts';
export * from './kind.ts';
export * from './plan.ts';
export * from './readers.ts';
export * from './reading.ts';
export * from './rehearsal.ts';
export * from './runbook.ts';
export * from './slots.ts';
export * from './serving-judge.ts';
export * from './serving.ts';
