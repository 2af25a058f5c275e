/** Types only: what the host of the run machine must bring. */
export type * from './actor.ts';
export type * from './clock.ts';
export type * from './drive.ts';
export type * from './guard.ts';
export type * from './journal.ts';
export type * from './kind.ts';
export type * from './lease.ts';
export type * from './reader.ts';
export type * from './transport.ts';
