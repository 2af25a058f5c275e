import type { World } from '../herd/index.ts';
import type { LabClock } from './clock.ts';
import type { LabRecord } from './record.ts';

/** What every address of a lab shares: the model, its time, and the record. */
export interface Stage {
  readonly world: World;
  readonly clock: LabClock;
  readonly record: LabRecord;
  /** Lets the model catch up with the clock, and every address with the model. Called before and after each command. */
  touch(): void;
  /** Resolves after so many lab milliseconds, or at once when the lab ends. */
  wait(labMs: number): Promise<void>;
}
