import type { Kernel } from './kernel.ts';
import type { Stream } from './stream.ts';

export interface CoupledTimersRules {
  readonly timers: number;
  /** A timer is set to a time evenly between period - jitter and period + jitter. */
  readonly periodMs: number;
  readonly jitterMs: number;
  /** The work that one expiry makes for everybody: its message is prepared by one and processed by all. */
  readonly busyMs: number;
  readonly stream: Stream;
  /** Whether all start together; otherwise they start at random within a period. */
  readonly together: boolean;
}

/**
 * Periodic timers that are weakly coupled: whoever's timer expires makes work for all, and sets it again only when all
 * the work before him is done (S. Floyd and V. Jacobson, "The Synchronization of Periodic Routing Messages", IEEE/ACM
 * Transactions on Networking 2(2), 1994). So those who expire while others are busy set theirs at one moment, and
 * from then on belong together until chance parts them.
 */
export class CoupledTimers {
  readonly #kernel: Kernel;
  readonly #rules: CoupledTimersRules;
  #busyUntilMs = 0;
  #group = 0;
  #groups: { readonly atMs: number; readonly size: number }[] = [];
  #togetherAtMs: number | null = null;
  #apartAtMs: number | null = null;

  constructor(kernel: Kernel, rules: CoupledTimersRules) {
    this.#kernel = kernel;
    this.#rules = rules;
    for (let timer = 0; timer < rules.timers; timer += 1) {
      kernel.after(rules.together ? rules.periodMs : rules.stream.draw() * rules.periodMs, () => this.#expire());
    }
  }

  /** When all timers were first set at one moment; null while they never were. */
  get togetherAtMs(): number | null {
    return this.#togetherAtMs;
  }

  /** When every timer in a whole round was first set alone; null while that never was. */
  get apartAtMs(): number | null {
    return this.#apartAtMs;
  }

  #expire(): void {
    const { busyMs } = this.#rules;
    this.#group += 1;
    if (this.#group === 1) {
      this.#busyUntilMs = this.#kernel.nowMs + busyMs;
      this.#kernel.at(this.#busyUntilMs, () => this.#rest());
    } else this.#busyUntilMs += busyMs;
  }

  /** The work is done, unless another expiry made more of it meanwhile. */
  #rest(): void {
    const { nowMs } = this.#kernel;
    if (this.#busyUntilMs > nowMs) {
      this.#kernel.at(this.#busyUntilMs, () => this.#rest());
      return;
    }
    const { timers, periodMs, jitterMs, stream } = this.#rules;
    const size = this.#group;
    this.#group = 0;
    for (let timer = 0; timer < size; timer += 1) {
      this.#kernel.after(periodMs + (2 * stream.draw() - 1) * jitterMs, () => this.#expire());
    }
    if (size === timers) this.#togetherAtMs ??= nowMs;
    this.#groups.push({ atMs: nowMs, size });
    while ((this.#groups[0]?.atMs ?? nowMs) < nowMs - periodMs) this.#groups.shift();
    if (this.#groups.length >= timers && this.#groups.every((group) => group.size === 1)) this.#apartAtMs ??= nowMs;
  }
}
