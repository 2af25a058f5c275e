import type { JsonObject } from '../model/index.ts';

/** One line of a journal, as it was written: `hash` covers all the others. */
export interface JournalRow {
  readonly seq: number;
  readonly atMs: number;
  readonly epoch: number;
  readonly event: JsonObject;
  readonly prev: string;
  readonly hash: string;
}

/**
 * A run's journal: ordered, durable, hash-chained, one file, one writer. `append` resolves when the events are on
 * disk (promise 3). When it rejects, the outcome is unknown: the caller stops, reopens, reads again.
 */
export interface Journal {
  append(events: readonly { readonly atMs: number; readonly event: JsonObject }[]): Promise<readonly JournalRow[]>;
  /** What is written so far from there on, in order; at most `count` rows of it. */
  read(fromSeq: number, count?: number): Promise<readonly JournalRow[]>;
  close(): Promise<void>;
}
