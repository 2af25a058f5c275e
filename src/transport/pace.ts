/** Runs work when its turn comes: never more than a fixed number at once, first come first served. */
export type Pace = <T>(work: () => Promise<T>) => Promise<T>;

/** A pace of `atMost` at once. It adds no deadline: each work brings its own. */
export function createPace(atMost: number): Pace {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running >= atMost) await new Promise<void>((turn) => waiting.push(turn));
    else running += 1;
    try {
      return await work();
    } finally {
      // The turn is handed over, not given back, so that nobody can slip in between.
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
