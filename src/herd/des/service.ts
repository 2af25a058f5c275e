/** What became of a request, as whoever asked sees it. */
export type Outcome = 'served' | 'refused' | 'timed-out';

/** Hears what became of a request, once. */
export type Done = (outcome: Outcome) => void;

/**
 * Something that requests are sent to, by the key that they are about. It answers at most once, now or later; whoever
 * cannot wait for ever puts a timeout before it. Pieces of a composition take a service and are one, so that a client
 * with retries before a cache before a database is written from the outside in.
 */
export type Service = (key: number, done: Done) => void;

/** What went through one place of a composition: arrived = served + refused + timedOut + open, at every moment. */
export interface Tally {
  readonly arrived: number;
  readonly served: number;
  readonly refused: number;
  readonly timedOut: number;
  /** Sent on, and not yet answered. */
  readonly open: number;
  /** Most that were open at once. */
  readonly openMax: number;
}

/** A service that counts what goes through it. A second answer to one request is a defect of a piece, and thrown. */
export function tallied(service: Service): { readonly ask: Service; readonly tally: () => Tally } {
  let [arrived, served, refused, timedOut, openMax] = [0, 0, 0, 0, 0];
  const open = (): number => arrived - served - refused - timedOut;
  const ask: Service = (key, done) => {
    let answered = false;
    arrived += 1;
    openMax = Math.max(openMax, open());
    service(key, (outcome) => {
      if (answered) throw new Error(`a second answer, "${outcome}", to one request`);
      answered = true;
      if (outcome === 'served') served += 1;
      else if (outcome === 'refused') refused += 1;
      else timedOut += 1;
      done(outcome);
    });
  };
  return { ask, tally: () => ({ arrived, served, refused, timedOut, open: open(), openMax }) };
}

/** What went through between two looks at a tally. */
export function since(earlier: Tally, later: Tally): Omit<Tally, 'openMax'> {
  return {
    arrived: later.arrived - earlier.arrived,
    served: later.served - earlier.served,
    refused: later.refused - earlier.refused,
    timedOut: later.timedOut - earlier.timedOut,
    open: later.open,
  };
}
