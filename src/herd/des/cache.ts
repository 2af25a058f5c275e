import type { Kernel } from './kernel.ts';
import type { Service } from './service.ts';
import { withTimeout } from './timeout.ts';

/** Which of the keys 1..keys a cache holds: one bit each, so that tens of millions take megabytes. */
export class WarmKeys {
  readonly keys: number;
  readonly #bits: Uint8Array;

  constructor(keys: number) {
    this.keys = keys;
    this.#bits = new Uint8Array(Math.ceil((keys + 1) / 8));
  }

  has(key: number): boolean {
    return ((this.#bits[key >> 3] ?? 0) & (1 << (key & 7))) !== 0;
  }

  /** Keeps a key. */
  warm(key: number): void {
    this.#bits[key >> 3] = (this.#bits[key >> 3] ?? 0) | (1 << (key & 7));
  }

  /** Loses a key. */
  cool(key: number): void {
    this.#bits[key >> 3] = (this.#bits[key >> 3] ?? 0) & ~(1 << (key & 7));
  }

  /** Holds the keys 1..key, which by Zipf's law are the most popular ones, and what it held beyond them. */
  warmUpTo(key: number): void {
    this.#upTo(key, true);
  }

  /** Loses the keys 1..key. */
  coolUpTo(key: number): void {
    this.#upTo(key, false);
  }

  #upTo(key: number, warm: boolean): void {
    const whole = (key + 1) >> 3;
    this.#bits.fill(warm ? 0xff : 0, 0, whole);
    for (let rest = whole << 3; rest <= key; rest += 1) {
      if (warm) this.warm(rest);
      else this.cool(rest);
    }
  }
}

/**
 * Answers what it holds and asks the service behind it for the rest, keeping what that served. `admits` says which
 * keys it has room for; without it, for all.
 */
export function cached(
  warm: WarmKeys,
  service: Service,
  admits: (key: number) => boolean = () => true,
): { readonly ask: Service; readonly hits: () => number; readonly misses: () => number } {
  let [hits, misses] = [0, 0];
  const ask: Service = (key, done) => {
    if (warm.has(key)) {
      hits += 1;
      done('served');
      return;
    }
    misses += 1;
    service(key, (outcome) => {
      if (outcome === 'served' && admits(key)) warm.warm(key);
      done(outcome);
    });
  };
  return { ask, hits: () => hits, misses: () => misses };
}

/**
 * A look-aside cache: the client looks, asks the database itself and puts the answer in. One who has given up waiting
 * puts nothing in, however well the database served him: so a cold cache before a slow database stays cold.
 */
export function lookAside(
  kernel: Kernel,
  rules: { readonly warm: WarmKeys; readonly timeoutMs: number; readonly admits?: (key: number) => boolean },
  database: Service,
): ReturnType<typeof cached> {
  return cached(rules.warm, withTimeout(kernel, rules.timeoutMs, database).ask, rules.admits);
}

/**
 * A read-through cache: the cache asks the database, with patience of its own, and keeps the answer when the client
 * has long gone. So it fills, whatever its clients see meanwhile.
 */
export function readThrough(
  kernel: Kernel,
  rules: {
    readonly warm: WarmKeys;
    readonly timeoutMs: number;
    readonly fillTimeoutMs: number;
    readonly admits?: (key: number) => boolean;
  },
  database: Service,
): ReturnType<typeof cached> {
  const inner = cached(rules.warm, withTimeout(kernel, rules.fillTimeoutMs, database).ask, rules.admits);
  return { ...inner, ask: withTimeout(kernel, rules.timeoutMs, inner.ask).ask };
}
