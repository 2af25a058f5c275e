/**
 * Plan time: what soaks, slots, fuses, windows and gates are measured in. On a real fleet it is the wall clock; a
 * lab's fleet file carries an anchor and a rate. I/O deadlines are never on this clock.
 */
export interface Clock {
  nowMs(): number;
  /** Resolves at `atMs` or when the signal aborts, whichever is first. */
  sleepUntil(atMs: number, signal: AbortSignal): Promise<void>;
}
