/**
 * Plan time: what soaks, slots, fuses, windows and gates are measured in. On a real fleet it is the wall clock; a
 * lab's fleet file carries an anchor and a rate. I/O deadlines are never on this clock.
 */
export interface Clock {
  readonly nowMs: () => number;
  /** Resolves at `atMs` of plan time, or at once when it has passed. */
  readonly sleepUntil: (atMs: number) => Promise<void>;
  /** Calls back once at `atMs` of plan time, or as soon as it can when that has passed; what it returns cancels it. */
  readonly after: (atMs: number, call: () => void) => () => void;
  /** Waits in real milliseconds, however fast a lab's clock runs: so that a server is not read without a pause. */
  readonly pauseRealMs: (ms: number) => Promise<void>;
  /** Real milliseconds until `atMs`; never negative. */
  readonly realMsUntil: (atMs: number) => number;
}
