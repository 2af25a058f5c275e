import type { Kernel } from './kernel.ts';
import type { Done, Service } from './service.ts';
import type { Stream } from './stream.ts';

/**
 * Who computes a value anew: everybody who finds none; the one who gets a lock, while the others look again and again;
 * anybody a little before the time, by chance (XFetch: A. Vattani, F. Chierichetti, K. Lowenstein, "Optimal
 * Probabilistic Cache Stampede Prevention", VLDB 2015); or, of those, only the one who gets the lock.
 */
export type RefreshWay = 'everyone' | 'locked' | 'early' | 'early-locked';

export interface ExpiringValueRules {
  readonly way: RefreshWay;
  readonly ttlMs: number;
  /** XFetch's beta: above 1 earlier, below 1 later. */
  readonly beta: number;
  /** The store tells the time that is left in steps of this, rounded to the nearest; 0 tells it exactly. */
  readonly resolutionMs: number;
  /** How often one without the lock looks again. */
  readonly lookAgainMs: number;
  readonly stream: Stream;
}

/** What became of the requests that asked for the value. */
export interface ExpiringValueCounts {
  readonly hits: number;
  /** Found a value and computed it anew before its time, or found somebody at that and took the value as it was. */
  readonly early: number;
  readonly misses: number;
  readonly recomputed: number;
  /** Computed while somebody else did so too. */
  readonly recomputedTogether: number;
  /** Had to wait for a lock, once or oftener. */
  readonly waited: number;
  /** How long before the expiry the first early one began, for each value that had one. */
  readonly gapsMs: readonly number[];
  /** How many began to compute from one value, for each value that was replaced. */
  readonly perValue: readonly number[];
}

/** One value in a cache, with its expiry, and requests that compute it anew in the service behind it. */
export class ExpiringValue {
  readonly #kernel: Kernel;
  readonly #rules: ExpiringValueRules;
  readonly #compute: Service;
  #value: { readonly expiresAtMs: number; readonly tookMs: number } | null = null;
  #computing = 0;
  #locked = false;
  /** Began from the value that stands. */
  #begun = 0;
  #tally = { hits: 0, early: 0, misses: 0, recomputed: 0, recomputedTogether: 0, waited: 0 };
  #gapsMs: number[] = [];
  #perValue: number[] = [];

  constructor(kernel: Kernel, rules: ExpiringValueRules, compute: Service) {
    this.#kernel = kernel;
    this.#rules = rules;
    this.#compute = compute;
  }

  counts(): ExpiringValueCounts {
    return { ...this.#tally, gapsMs: this.#gapsMs, perValue: this.#perValue };
  }

  readonly ask: Service = (key, done) => {
    const leftMs = this.#leftMs();
    if (leftMs === null) {
      this.#tally.misses += 1;
      this.#miss(key, done, false);
    } else if (this.#isEarly(leftMs)) {
      this.#tally.early += 1;
      if (this.#rules.way === 'early-locked' && this.#locked) done('served');
      else this.#recompute(key, done);
    } else {
      this.#tally.hits += 1;
      done('served');
    }
  };

  /** The time that is left, as the store tells it; null where there is no value. */
  #leftMs(): number | null {
    const leftMs = (this.#value?.expiresAtMs ?? -Infinity) - this.#kernel.nowMs;
    if (leftMs <= 0) return null;
    const { resolutionMs } = this.#rules;
    return resolutionMs === 0 ? leftMs : Math.round(leftMs / resolutionMs) * resolutionMs;
  }

  #isEarly(leftMs: number): boolean {
    const { way, beta, stream } = this.#rules;
    if (way === 'everyone' || way === 'locked') return false;
    return -beta * (this.#value?.tookMs ?? 0) * Math.log(stream.drawAboveZero()) >= leftMs;
  }

  #miss(key: number, done: Done, waited: boolean): void {
    const { way, lookAgainMs } = this.#rules;
    const needsLock = way === 'locked' || way === 'early-locked';
    if (!needsLock || !this.#locked) {
      this.#recompute(key, done);
      return;
    }
    if (!waited) this.#tally.waited += 1;
    this.#kernel.after(lookAgainMs, () => {
      if (this.#leftMs() === null) this.#miss(key, done, true);
      else done('served');
    });
  }

  #recompute(key: number, done: Done): void {
    const { way, ttlMs } = this.#rules;
    const locks = way === 'locked' || way === 'early-locked';
    const fromMs = this.#kernel.nowMs;
    if (this.#begun === 0 && this.#value !== null) this.#gapsMs.push(this.#value.expiresAtMs - fromMs);
    this.#begun += 1;
    this.#tally.recomputed += 1;
    if (this.#computing > 0) this.#tally.recomputedTogether += 1;
    this.#computing += 1;
    if (locks) this.#locked = true;
    const from = this.#value;
    this.#compute(key, (outcome) => {
      this.#computing -= 1;
      if (locks) this.#locked = false;
      if (outcome === 'served') {
        // Only the first to finish replaces the value that it began from; later ones renew what that put there.
        if (this.#value === from) {
          if (from !== null) this.#perValue.push(this.#begun);
          this.#begun = 0;
        }
        this.#value = { expiresAtMs: this.#kernel.nowMs + ttlMs, tookMs: this.#kernel.nowMs - fromMs };
      }
      done(outcome);
    });
  }
}
