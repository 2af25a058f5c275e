import type { Draw } from './draws.ts';
import type { Kernel } from './kernel.ts';
import { QueueDelay } from './queue-delay.ts';
import type { Done, Service } from './service.ts';
import type { Stream } from './stream.ts';

export interface StationRules {
  /** Requests that are served at once: threads, connections, cores. At least 1. */
  readonly places: number;
  /** Requests that may wait for a place; beyond them they are refused. Infinity is for textbooks. */
  readonly queueMax: number;
  /** How long one request keeps a place. */
  readonly serviceMs: Draw;
  readonly stream: Stream;
  /**
   * Sheds by queue delay: while the least delay of a whole window is above the target, whoever has waited longer than
   * the target is refused when his turn comes, and takes no place. A window of 0 asks for nothing but his own wait.
   */
  readonly shed?: { readonly targetMs: number; readonly windowMs: number };
}

/**
 * Places that requests are served in, with a queue before them, first come first served. It knows nothing of those
 * who have given up waiting: their requests are worked on all the same, which is what makes overload last.
 */
export class Station {
  readonly #kernel: Kernel;
  readonly #rules: StationRules;
  readonly #delay: QueueDelay | null;
  #waiting: Waiting[] = [];
  /** The first of `#waiting` that is still in the queue: an array is shortened in large steps only. */
  #head = 0;
  #busy = 0;
  #begun = 0;
  #factor = 1;
  #paused = false;

  constructor(kernel: Kernel, rules: StationRules) {
    this.#kernel = kernel;
    this.#rules = rules;
    this.#delay = rules.shed === undefined ? null : new QueueDelay(rules.shed.windowMs, kernel.nowMs);
  }

  /** Requests in places. */
  get busy(): number {
    return this.#busy;
  }

  /** Requests in the queue. */
  get queued(): number {
    return this.#waiting.length - this.#head;
  }

  /** Requests that were given a place so far: the work done or begun, wasted work included. */
  get begun(): number {
    return this.#begun;
  }

  readonly ask: Service = (_key, done) => {
    if (this.#busy < this.#rules.places && this.queued === 0 && !this.#paused) this.#begin(done);
    else if (this.queued < this.#rules.queueMax) this.#waiting.push({ done, sinceMs: this.#kernel.nowMs });
    else done('refused');
  };

  /** Whoever begins from now on takes so many times as long; 1 is its own pace. */
  slowBy(factor: number): void {
    this.#factor = factor;
  }

  /** Begins nothing more: requests queue. Those in places are finished. */
  pause(): void {
    this.#paused = true;
  }

  /** Works on, beginning with the oldest. */
  resume(): void {
    this.#paused = false;
    this.#fill();
  }

  #begin(done: Done): void {
    this.#busy += 1;
    this.#begun += 1;
    this.#kernel.after(this.#rules.serviceMs(this.#rules.stream) * this.#factor, () => {
      this.#busy -= 1;
      this.#fill();
      done('served');
    });
  }

  #fill(): void {
    while (!this.#paused && this.#busy < this.#rules.places) {
      const next = this.#take();
      if (next === undefined) return;
      if (this.#sheds(this.#kernel.nowMs - next.sinceMs)) next.done('refused');
      else this.#begin(next.done);
    }
  }

  #take(): Waiting | undefined {
    const next = this.#waiting[this.#head];
    if (next === undefined) {
      this.#delay?.emptied(this.#kernel.nowMs);
      return undefined;
    }
    this.#head += 1;
    if (this.#head > 1_024 && this.#head > this.#waiting.length / 2) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
    return next;
  }

  #sheds(delayMs: number): boolean {
    const { shed } = this.#rules;
    if (shed === undefined || this.#delay === null) return false;
    this.#delay.observe(this.#kernel.nowMs, delayMs);
    return delayMs > shed.targetMs && this.#delay.minimumMs(this.#kernel.nowMs) > shed.targetMs;
  }
}

interface Waiting {
  readonly done: Done;
  readonly sinceMs: number;
}
