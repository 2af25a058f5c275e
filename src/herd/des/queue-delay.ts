/**
 * The least delay that anyone had in a queue within a sliding window: above zero for a whole window means a queue that
 * never empties, and not a burst that is soon worked off (K. Nichols and V. Jacobson, CoDel, 2012).
 */
export class QueueDelay {
  readonly #windowMs: number;
  /** Candidates for the minimum, oldest first; their delays rise, so the first is the least. */
  #candidates: { readonly atMs: number; readonly delayMs: number }[] = [];
  #startedAtMs: number;

  constructor(windowMs: number, nowMs: number) {
    this.#windowMs = windowMs;
    this.#startedAtMs = nowMs;
  }

  /** Someone left the queue, after so long in it. */
  observe(nowMs: number, delayMs: number): void {
    while ((this.#candidates.at(-1)?.delayMs ?? -Infinity) >= delayMs) this.#candidates.pop();
    this.#candidates.push({ atMs: nowMs, delayMs });
    this.#forget(nowMs);
  }

  /** The least delay in the window that ends now; 0 while no whole window has passed, or nobody has queued. */
  minimumMs(nowMs: number): number {
    this.#forget(nowMs);
    if (nowMs - this.#startedAtMs < this.#windowMs) return 0;
    return this.#candidates[0]?.delayMs ?? 0;
  }

  /** The queue was empty: whatever stood before it stands no longer. */
  emptied(nowMs: number): void {
    this.#candidates = [];
    this.#startedAtMs = nowMs;
  }

  #forget(nowMs: number): void {
    while (this.#candidates.length > 1 && (this.#candidates[0]?.atMs ?? nowMs) < nowMs - this.#windowMs) {
      this.#candidates.shift();
    }
  }
}
