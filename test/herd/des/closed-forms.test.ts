import { expect, test } from 'vitest';
import {
  closedClients,
  constant,
  CoupledTimers,
  ExpiringValue,
  exponential,
  Kernel,
  OpenArrivals,
  recoveryChain,
  type RefreshWay,
  Station,
  Stream,
  tallied,
} from '../../../src/herd/des/index.ts';

test('a single server with a queue has as many requests in it as M/M/1 says', () => {
  const kernel = new Kernel();
  const station = new Station(kernel, {
    places: 1,
    queueMax: Infinity,
    serviceMs: exponential(10),
    stream: new Stream(5, 'service'),
  });
  new OpenArrivals(kernel, new Stream(5, 'arrivals'), station.ask).setRate(50);
  let [looks, inside] = [0, 0];
  for (let atMs = 1_000; atMs <= 1_001_000; atMs += 50) {
    kernel.runUntil(atMs);
    looks += 1;
    inside += station.busy + station.queued;
  }
  // rho / (1 - rho) at rho = 0.5.
  expect(inside / looks).toBeGreaterThan(0.9);
  expect(inside / looks).toBeLessThan(1.1);
});

test('closed clients are served no faster than they think and wait', () => {
  const kernel = new Kernel();
  const station = new Station(kernel, {
    places: 10,
    queueMax: 0,
    serviceMs: constant(100),
    stream: new Stream(1, 'service'),
  });
  const all = tallied(station.ask);
  closedClients(kernel, { clients: 10, thinkMs: constant(400), stream: new Stream(1, 'think') }, all.ask);
  kernel.runUntil(10_000);
  expect(all.tally()).toMatchObject({ arrived: 200, served: 200, refused: 0, openMax: 10 });
});

test.each<[RefreshWay, object]>([
  ['everyone', { hits: 2, misses: 3, recomputed: 3, recomputedTogether: 2, waited: 0 }],
  ['locked', { hits: 2, misses: 3, recomputed: 1, recomputedTogether: 0, waited: 2 }],
])('a value that expired is computed anew by %s', (way, counts) => {
  const kernel = new Kernel();
  const rules = { way, ttlMs: 100, beta: 1, resolutionMs: 0, lookAgainMs: 1, stream: new Stream(1, 'early') };
  const value = new ExpiringValue(kernel, rules, (_key, done) => void kernel.after(10, () => done('served')));
  const asked = tallied(value.ask);
  for (const atMs of [0, 1, 2, 50, 60]) kernel.at(atMs, () => asked.ask(0, () => undefined));
  kernel.runUntil(70);
  expect(value.counts()).toMatchObject(counts);
  expect(asked.tally()).toMatchObject({ served: 5, open: 0 });
});

test('timers that start together and have no jitter stay together; a single one never meets another', () => {
  const run = (timers: number, together: boolean): CoupledTimers => {
    const kernel = new Kernel();
    const group = new CoupledTimers(kernel, {
      timers,
      periodMs: 1_000,
      jitterMs: 0,
      busyMs: 10,
      stream: new Stream(2, 'timers'),
      together,
    });
    kernel.runUntil(20_000);
    return group;
  };
  expect(run(5, true).togetherAtMs).toBe(1_050);
  expect(run(5, true).apartAtMs).toBe(null);
  const two = run(2, false);
  expect([two.togetherAtMs === null, two.apartAtMs === null]).toEqual([true, false]);
});

test('the recovery chain solves its own equations, and its times rise with load and blow up past half of the capacity', () => {
  const question = { ratePerSecond: 8, capacityPerSecond: 20, timeoutMs: 1_000, queueMax: 60, orbitMax: 12 };
  const expected = recoveryChain(question);
  expect(expected(0, 5)).toBe(0);
  // Far above, where every request is late: one step forward must cost what the neighbours say.
  const [queue, orbit] = [50, 4];
  const out = 8 + 20 + 4;
  const next =
    8 * expected(queue + 1, orbit + 1) + 20 * expected(queue - 1, orbit) + 4 * expected(queue + 1, orbit - 1);
  expect(expected(queue, orbit)).toBeCloseTo((1_000 + next) / out, 3);
  const from = (ratePerSecond: number): number => recoveryChain({ ...question, ratePerSecond })(40, 8);
  const times = [2, 4, 6, 8, 9, 10, 12].map(from);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect((times.at(-1) ?? 0) / (times[0] ?? 1)).toBeGreaterThan(30);
});

test('without retries that matter the chain is a queue that is worked off', () => {
  // Nobody is ever late within an hour: M/M/1 from n empties in n / (mu - lambda).
  const expected = recoveryChain({
    ratePerSecond: 5,
    capacityPerSecond: 20,
    timeoutMs: 3_600_000,
    queueMax: 200,
    orbitMax: 2,
  });
  expect(expected(30, 0) / 1_000).toBeCloseTo(30 / 15, 3);
});
