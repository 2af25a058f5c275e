/**
 * A stream of chance: the same seed and name give the same numbers on every machine. Every part of a composition draws
 * from a stream of its own, so that another part more, or one that draws more often, changes nothing for the rest;
 * two compositions can then be compared on the same arrivals.
 */
export class Stream {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number, name: string) {
    const mixed = hashOf(name) ^ Math.imul(seed | 0, 0x9e3779b1);
    this.#a = mixed;
    this.#b = seed | 0;
    this.#c = hashOf(`${name}/${seed}`);
    for (let round = 0; round < WARM_UP; round += 1) this.draw();
  }

  /** The next number in [0, 1). SFC32 (Chris Doty-Humphrey, PractRand, public domain): 128 bits of state. */
  draw(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 4_294_967_296;
  }

  /** The next number in (0, 1]: for logarithms. */
  drawAboveZero(): number {
    return 1 - this.draw();
  }

  /** Whether something of this probability happens. */
  happens(probability: number): boolean {
    return this.draw() < probability;
  }
}

/** The generator's author lets it run so long before its numbers are used. */
const WARM_UP = 15;

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash;
}
