/** Chance from a seed: the same seed gives the same draws, in the same order, on every machine. */
export class Chance {
  #bits: number;

  constructor(seed: number) {
    this.#bits = (seed * 0x9e3779b1) >>> 0;
  }

  /** In [0, 1). Mulberry32. */
  draw(): number {
    this.#bits = (this.#bits + 0x6d2b79f5) >>> 0;
    let bits = this.#bits;
    bits = Math.imul(bits ^ (bits >>> 15), bits | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number in [min, max]. */
  whole(min: number, max: number): number {
    return min + Math.floor(this.draw() * (max - min + 1));
  }

  happens(probability: number): boolean {
    return this.draw() < probability;
  }

  pick<T>(from: readonly T[]): T {
    const picked = from[Math.floor(this.draw() * from.length)];
    if (picked === undefined) throw new Error('nothing to pick from');
    return picked;
  }
}
