import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type Backoff,
  cached,
  Database,
  type Draw,
  constant,
  exponential,
  Kernel,
  type Manner,
  OpenArrivals,
  type Service,
  singleFlight,
  Stream,
  type Tally,
  tallied,
  WarmKeys,
  withCap,
  withRetries,
  withTimeout,
} from '../../../src/herd/des/index.ts';

/** One piece of a composition, as data. */
type Piece =
  | { readonly piece: 'timeout'; readonly ms: number }
  | { readonly piece: 'cap'; readonly limit: number }
  | { readonly piece: 'retries'; readonly attempts: number; readonly kind: 'none' | 'full' | 'decorrelated' }
  | { readonly piece: 'single-flight' }
  | { readonly piece: 'cache' };

interface Composition {
  readonly seed: number;
  readonly pieces: readonly Piece[];
  readonly places: number;
  readonly queueMax: number;
  readonly connectionsMax: number;
  readonly exponential: boolean;
  readonly perSecond: number;
  readonly manners: readonly { readonly manner: Manner; readonly atMs: number }[];
}

const piece: fc.Arbitrary<Piece> = fc.oneof(
  fc.record({ piece: fc.constant('timeout' as const), ms: fc.integer({ min: 1, max: 500 }) }),
  fc.record({ piece: fc.constant('cap' as const), limit: fc.integer({ min: 1, max: 20 }) }),
  fc.record({
    piece: fc.constant('retries' as const),
    attempts: fc.integer({ min: 1, max: 4 }),
    kind: fc.constantFrom('none', 'full', 'decorrelated' as const),
  }),
  fc.constant({ piece: 'single-flight' as const }),
  fc.constant({ piece: 'cache' as const }),
);

const composition: fc.Arbitrary<Composition> = fc.record({
  seed: fc.nat(1_000),
  pieces: fc.array(piece, { maxLength: 5 }),
  places: fc.integer({ min: 1, max: 5 }),
  queueMax: fc.constantFrom(0, 3, 50, Infinity),
  connectionsMax: fc.constantFrom(2, 30, Infinity),
  exponential: fc.boolean(),
  perSecond: fc.integer({ min: 1, max: 200 }),
  manners: fc.array(
    fc.record({
      manner: fc.constantFrom<Manner>('up', 'refuse', 'drop', 'hang'),
      atMs: fc.integer({ min: 0, max: 3_000 }),
    }),
    { maxLength: 4 },
  ),
});

interface Built {
  readonly kernel: Kernel;
  readonly database: Database;
  readonly arrivals: OpenArrivals;
  readonly front: () => Tally;
  readonly back: () => Tally;
}

function build(rules: Composition): Built {
  const { seed, places, queueMax, connectionsMax, perSecond } = rules;
  const kernel = new Kernel();
  const serviceMs: Draw = rules.exponential ? exponential(20) : constant(20);
  const stream = (name: string): Stream => new Stream(seed, name);
  const database = new Database(kernel, { places, queueMax, connectionsMax, serviceMs, stream: stream('database') });
  const back = tallied(database.ask);
  // Every layer is counted, so that a second answer anywhere is thrown.
  const service = rules.pieces.reduce<Service>(
    (inner, one, at) => tallied(wrap(kernel, one, inner, stream(`piece ${at}`))).ask,
    back.ask,
  );
  const front = tallied(service);
  const keys = stream('keys');
  const arrivals = new OpenArrivals(kernel, stream('arrivals'), front.ask, () => 1 + Math.floor(keys.draw() * 30));
  arrivals.setRate(perSecond);
  for (const { manner, atMs } of rules.manners) kernel.at(atMs, () => database.turn(manner));
  return { kernel, database, arrivals, front: front.tally, back: back.tally };
}

function wrap(kernel: Kernel, one: Piece, inner: Service, stream: Stream): Service {
  switch (one.piece) {
    case 'timeout':
      return withTimeout(kernel, one.ms, inner).ask;
    case 'cap':
      return withCap(one.limit, inner);
    case 'retries': {
      const backoff: Backoff = one.kind === 'none' ? { kind: 'none' } : { kind: one.kind, baseMs: 5, capMs: 200 };
      return withRetries(kernel, { attempts: one.attempts, backoff, stream }, inner).ask;
    }
    case 'single-flight':
      return singleFlight(inner);
    case 'cache':
      return cached(new WarmKeys(30), inner).ask;
  }
}

/** What must be true of a composition at every moment. */
function check({ database, front, back }: Built): void {
  for (const { arrived, served, refused, timedOut, open } of [front(), back()]) {
    expect(open).toBeGreaterThanOrEqual(0);
    expect(arrived).toBe(served + refused + timedOut + open);
  }
  // Whatever was sent to the database and not answered is held by it, or was dropped by it.
  expect(back().open).toBe(database.connections + database.dropped);
  expect(database.connections).toBeGreaterThanOrEqual(database.station.busy + database.station.queued);
  expect(database.station.begun).toBe(back().served + database.station.busy);
}

test('requests are conserved, whatever a service is composed of and whatever happens to its database', () => {
  fc.assert(
    fc.property(composition, (rules) => {
      const built = build(rules);
      const { kernel, arrivals, database } = built;
      for (const atMs of [500, 1_500, 3_000]) {
        kernel.runUntil(atMs);
        check(built);
      }
      arrivals.setRate(0);
      database.turn('up');
      kernel.drain(1_000_000);
      check(built);
      // Nobody is lost: who still waits does so for an answer that was dropped.
      expect(database.connections).toBe(0);
      const answersAll = database.dropped === 0 || rules.pieces.at(-1)?.piece === 'timeout';
      expect(answersAll ? built.front().open : 0).toBe(0);
    }),
    { numRuns: 100 },
  );
});

test('the same seed is the same story, and a piece more does not change what arrives', () => {
  fc.assert(
    fc.property(composition, piece, (rules, more) => {
      const story = (all: Composition): unknown[] => {
        const { kernel, front, back } = build(all);
        kernel.runUntil(2_000);
        return [front(), back(), kernel.happened];
      };
      expect(story(rules)).toEqual(story(rules));
      const arrived = (all: Composition): unknown => (story(all)[0] as Tally).arrived;
      expect(arrived({ ...rules, pieces: [more, ...rules.pieces] })).toBe(arrived(rules));
    }),
    { numRuns: 40 },
  );
});

test('more places never serve fewer: request by request without timeouts, on average with retries', () => {
  const servedBy = (rules: Composition, ms: number): number => {
    const { kernel, front } = build(rules);
    kernel.runUntil(ms);
    return front().served;
  };
  const base = { seed: 1, pieces: [], queueMax: Infinity, connectionsMax: Infinity, exponential: true, manners: [] };
  fc.assert(
    fc.property(
      fc.nat(1_000),
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 10, max: 300 }),
      (seed, places, perSecond) => {
        const rules = { ...base, seed, perSecond, places };
        expect(servedBy({ ...rules, places: places + 1 }, 2_000)).toBeGreaterThanOrEqual(servedBy(rules, 2_000));
      },
    ),
    { numRuns: 40 },
  );
  const retrying: readonly Piece[] = [
    { piece: 'timeout', ms: 200 },
    { piece: 'retries', attempts: 3, kind: 'full' },
  ];
  const means = [1, 2, 3, 4, 6].map((places) => {
    const runs = Array.from({ length: 12 }, (_, seed) =>
      servedBy({ ...base, seed, pieces: retrying, perSecond: 100, places }, 3_000),
    );
    return runs.reduce((sum, served) => sum + served, 0) / runs.length;
  });
  // Once everybody is served, all that differs is who is still inside at the end.
  for (const [at, mean] of means.entries()) expect(mean).toBeGreaterThanOrEqual(0.995 * (means[at - 1] ?? 0));
});
