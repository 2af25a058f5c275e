/**
 * Events a second of the request-level simulator: `node bench/herd-events.ts`. The kernel alone with 1,000 and with
 * 100,000 events pending; timeouts that are nearly all cancelled; a whole composition (clients with retries and
 * timeouts, a cache, a database) in requests a second; and the chain that is asked before a simulation. Medians of five
 * rounds; memory is what the process holds after them. It does not measure the fluid model of a fleet.
 */
import {
  exponential,
  Kernel,
  lookAside,
  OpenArrivals,
  recoveryChain,
  Station,
  Stream,
  tallied,
  WarmKeys,
  withRetries,
  Zipf,
} from '../src/herd/des/index.ts';

const ROUNDS = 5;
const EVENTS = 1_000_000;

/** So many events are pending all the time; each that happens asks for one more. */
function pending(count: number): number {
  const kernel = new Kernel();
  const stream = new Stream(1, 'delays');
  const again = (): void => void kernel.after(stream.draw() * 1_000, again);
  for (let at = 0; at < count; at += 1) again();
  while (kernel.happened < EVENTS) kernel.runUntil(kernel.nowMs + 10);
  return kernel.happened;
}

/** A request a millisecond with a timeout of a second, answered after ten. */
function cancelled(): number {
  const kernel = new Kernel();
  const ask = (): void => {
    const due = kernel.after(1_000, () => undefined);
    kernel.after(10, () => kernel.cancel(due));
    kernel.after(1, ask);
  };
  ask();
  while (kernel.happened < EVENTS) kernel.runUntil(kernel.nowMs + 1_000);
  return kernel.happened;
}

/** 34.5 million keys, 1,200 requests a second, as many virtual seconds as it takes for 300,000 of them. */
function composed(): number {
  const kernel = new Kernel();
  const stream = (name: string): Stream => new Stream(1, name);
  const zipf = new Zipf(34_511_000, 1.14165);
  const warm = new WarmKeys(zipf.keys);
  warm.warmUpTo(1_000_000);
  const database = new Station(kernel, {
    places: 2,
    queueMax: 1_000,
    serviceMs: exponential(25),
    stream: stream('database'),
  });
  const cache = lookAside(kernel, { warm, timeoutMs: 1_000 }, database.ask);
  const rules = {
    attempts: 3,
    backoff: { kind: 'full', baseMs: 50, capMs: 2_000 },
    stream: stream('backoff'),
  } as const;
  const front = tallied(withRetries(kernel, rules, cache.ask).ask);
  const keys = stream('keys');
  new OpenArrivals(kernel, stream('arrivals'), front.ask, () => zipf.draw(keys)).setRate(1_200);
  kernel.runUntil(250_000);
  return front.tally().arrived;
}

/** The instant check, cut off at 200 requests and 20 clients who will come again. */
function chain(): number {
  recoveryChain({ ratePerSecond: 9, capacityPerSecond: 20, timeoutMs: 1_000, queueMax: 200, orbitMax: 20 });
  return 1;
}

function measure(what: string, unit: string, run: () => number): void {
  const rates: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const from = performance.now();
    const count = run();
    rates.push((count / (performance.now() - from)) * 1_000);
  }
  const median = rates.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? 0;
  process.stdout.write(`${what.padEnd(48)} ${Math.round(median).toLocaleString('en').padStart(12)} ${unit}\n`);
}

measure('kernel, 1,000 events pending', 'events/s', () => pending(1_000));
measure('kernel, 100,000 events pending', 'events/s', () => pending(100_000));
measure('kernel, timeouts that are cancelled', 'events/s', cancelled);
measure('retries, timeout, cache of 34.5 M keys, database', 'requests/s', composed);
measure('recovery chain of 4,221 states', 'a second', chain);
process.stdout.write(`${'memory held after it'.padEnd(48)} ${Math.round(process.memoryUsage().rss / 2 ** 20)} MB\n`);
