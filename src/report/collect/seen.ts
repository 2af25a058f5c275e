import type { RunEvent, RunState } from '../../run/index.ts';

/** One event, with the run as it was before and as it is after it. */
export interface Seen {
  readonly atMs: number;
  readonly event: RunEvent;
  readonly before: RunState | null;
  readonly after: RunState;
}

/** Gathers one part of a report while the journal is folded. */
export interface Collector {
  see(seen: Seen): void;
}
