import type { Stream } from './stream.ts';

/**
 * Zipf's law over keys 1..keys: key k is asked for in proportion to k^-exponent. One draw a key, and no table of them:
 * a sum over the first `HEAD` keys, and beyond them Euler and Maclaurin's formula, exact to 1e-12.
 */
export class Zipf {
  readonly keys: number;
  readonly exponent: number;
  readonly #head: Float64Array;
  readonly #total: number;

  constructor(keys: number, exponent: number) {
    this.keys = keys;
    this.exponent = exponent;
    this.#head = new Float64Array(Math.min(keys, HEAD) + 1);
    for (let key = 1; key < this.#head.length; key += 1) {
      this.#head[key] = (this.#head[key - 1] ?? 0) + key ** -exponent;
    }
    this.#total = this.#sum(keys);
  }

  /** The share of requests that ask for one of the `key` most popular keys. */
  share(key: number): number {
    return this.#sum(Math.min(this.keys, key)) / this.#total;
  }

  /** The smallest key whose share is at least this: how many of the most popular keys get such a share of requests. */
  keyOf(share: number): number {
    const sum = share * this.#total;
    if (sum <= (this.#head.at(-1) ?? 0)) return this.#inHead(sum);
    let key = Math.min(this.keys, Math.max(HEAD + 1, Math.ceil(this.#beyondHead(sum))));
    // The guess is off by a rounding at most.
    while (key > HEAD + 1 && this.#sum(key - 1) >= sum) key -= 1;
    while (key < this.keys && this.#sum(key) < sum) key += 1;
    return key;
  }

  /** A key, drawn. */
  draw(from: Stream): number {
    return this.keyOf(from.draw());
  }

  /** The sum of k^-exponent for k up to `key`. */
  #sum(key: number): number {
    const exact = this.#head[key];
    if (exact !== undefined) return exact;
    const s = this.exponent;
    const area = HEAD ** (1 - s) * overOne((1 - s) * Math.log(key / HEAD), 1 - s, Math.log(key / HEAD));
    const ends = (key ** -s - HEAD ** -s) / 2;
    const slopes = (s / 12) * (HEAD ** (-s - 1) - key ** (-s - 1));
    return (this.#head[HEAD] ?? 0) + area + ends + slopes;
  }

  #inHead(sum: number): number {
    let [low, high] = [1, this.#head.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#head[middle] ?? 0) < sum) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Where the area under x^-exponent, from half a key behind the head on, has reached what the head lacks of `sum`. */
  #beyondHead(sum: number): number {
    const from = HEAD + 0.5;
    const area = (sum - (this.#head[HEAD] ?? 0)) * from ** (this.exponent - 1);
    const flat = 1 - this.exponent;
    const log = Math.abs(flat) < FLAT ? area : Math.log1p(flat * area) / flat;
    return from * Math.exp(log) - 0.5;
  }
}

/** So many keys are summed up one by one. */
const HEAD = 1_024;

/** An exponent this near to 1 is 1. */
const FLAT = 1e-12;

/** (e^power - 1) / flat, and its limit `atOne` where the exponent is 1. */
function overOne(power: number, flat: number, atOne: number): number {
  return Math.abs(flat) < FLAT ? atOne : Math.expm1(power) / flat;
}
