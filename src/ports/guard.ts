import type { GuardRead } from '../model/index.ts';
import type { GuardReading } from '../run/index.ts';

/** Reads a guard once, within the limits that it was given. Never rejects: what cannot be read is no data. */
export type GuardReader = (read: GuardRead) => Promise<GuardReading>;
