import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Backoff,
  backoffMs,
  balanced,
  constant,
  Database,
  either,
  exponential,
  Kernel,
  lookAside,
  normal,
  type Outcome,
  QueueDelay,
  readThrough,
  type Service,
  singleFlight,
  Station,
  Stream,
  tallied,
  uniform,
  WarmKeys,
  withCap,
  withRetries,
  withTimeout,
} from '../../../src/herd/des/index.ts';

const stream = (): Stream => new Stream(1, 'test');
const none: Backoff = { kind: 'none' };

/** Asks at once, and writes down what came of it and when. */
function asking(kernel: Kernel, service: Service, key = 0): string[] {
  const heard: string[] = [];
  service(key, (outcome) => heard.push(`${outcome} at ${kernel.nowMs}`));
  return heard;
}

function station(kernel: Kernel, places: number, queueMax: number, ms: number): Station {
  return new Station(kernel, { places, queueMax, serviceMs: constant(ms), stream: stream() });
}

describe('station', () => {
  test('serves in its places, queues in order, refuses what does not fit', () => {
    const kernel = new Kernel();
    const one = station(kernel, 2, 1, 100);
    const heard = [1, 2, 3, 4].map(() => asking(kernel, one.ask));
    expect([one.busy, one.queued]).toEqual([2, 1]);
    kernel.drain(10);
    expect(heard.flat()).toEqual(['served at 100', 'served at 100', 'served at 200', 'refused at 0']);
    expect([one.busy, one.queued, one.begun]).toEqual([0, 0, 3]);
  });

  test('paused it finishes what it began, and goes on with the oldest', () => {
    const kernel = new Kernel();
    const one = station(kernel, 1, 10, 100);
    const first = asking(kernel, one.ask);
    one.pause();
    const second = asking(kernel, one.ask);
    kernel.runUntil(500);
    expect([...first, ...second]).toEqual(['served at 100']);
    one.slowBy(2);
    one.resume();
    kernel.drain(10);
    expect(second).toEqual(['served at 700']);
  });

  test('sheds whoever has queued too long, once the queue stands for a whole window', () => {
    const kernel = new Kernel();
    const one = new Station(kernel, {
      places: 1,
      queueMax: Infinity,
      serviceMs: constant(100),
      stream: stream(),
      shed: { targetMs: 300, windowMs: 1_000 },
    });
    const all = tallied(one.ask);
    for (let atMs = 0; atMs < 10_000; atMs += 50) kernel.at(atMs, () => all.ask(0, () => undefined));
    kernel.runUntil(10_000);
    expect(all.tally().refused).toBeGreaterThan(80);
    // Twice its capacity arrives, and nobody waits for much longer than the target: without it 100 would be queued.
    expect(one.queued).toBeLessThan(15);
  });
});

test('the least delay of a window rises only when every delay in it did', () => {
  const delay = new QueueDelay(100, 0);
  delay.observe(10, 50);
  delay.observe(60, 80);
  expect(delay.minimumMs(90)).toBe(0);
  expect(delay.minimumMs(100)).toBe(50);
  delay.observe(130, 90);
  expect(delay.minimumMs(130)).toBe(80);
  delay.observe(140, 20);
  expect(delay.minimumMs(140)).toBe(20);
  delay.emptied(150);
  expect(delay.minimumMs(300)).toBe(0);
});

test('a timeout ends the wait and not the work', () => {
  const kernel = new Kernel();
  const one = station(kernel, 1, 10, 100);
  const patient = withTimeout(kernel, 150, one.ask);
  const heard = [1, 2].map(() => asking(kernel, patient.ask));
  kernel.drain(10);
  expect(heard.flat()).toEqual(['served at 100', 'timed-out at 150']);
  expect([one.begun, patient.wasted(), kernel.nowMs]).toEqual([2, 1, 200]);
});

test('a cap frees its places with the answers', () => {
  const kernel = new Kernel();
  const capped = withCap(1, station(kernel, 5, 0, 100).ask);
  expect([asking(kernel, capped), asking(kernel, capped)]).toEqual([[], ['refused at 0']]);
  kernel.runUntil(100);
  expect(asking(kernel, capped)).toEqual([]);
});

describe('retries', () => {
  const failing = (kernel: Kernel, failures: number): Service => {
    let left = failures;
    return (_key, done) => void kernel.after(10, () => done((left -= 1) >= 0 ? 'refused' : 'served'));
  };

  test('go on until it is served or the attempts are used up', () => {
    for (const [failures, told] of [
      [2, ['served at 30']],
      [3, ['refused at 30']],
    ] as const) {
      const kernel = new Kernel();
      const retrying = withRetries(kernel, { attempts: 3, backoff: none, stream: stream() }, failing(kernel, failures));
      const heard = asking(kernel, retrying.ask);
      kernel.drain(20);
      expect(heard).toEqual(told);
      expect(retrying.retried()).toBe(2);
    }
  });

  test('end with their budget, which successes fill', () => {
    const kernel = new Kernel();
    let outcome: Outcome = 'refused';
    const budget = { perSuccess: 0.5, tokensMax: 2 };
    const rules = { attempts: 10, backoff: none, stream: stream(), budget };
    const retrying = withRetries(kernel, rules, (_key, done) => done(outcome));
    for (let at = 0; at < 5; at += 1) asking(kernel, retrying.ask);
    kernel.drain(50);
    expect(retrying.retried()).toBe(2);
    outcome = 'served';
    for (let at = 0; at < 2; at += 1) asking(kernel, retrying.ask);
    outcome = 'refused';
    asking(kernel, retrying.ask);
    kernel.drain(50);
    expect(retrying.retried()).toBe(3);
  });

  test('back off within their bounds', () => {
    const kinds = fc.constantFrom('exponential', 'equal', 'full', 'decorrelated' as const);
    fc.assert(
      fc.property(kinds, fc.integer({ min: 1, max: 30 }), fc.nat(3_000), fc.nat(), (kind, attempt, beforeMs, seed) => {
        const wait = backoffMs({ kind, baseMs: 5, capMs: 2_000 }, attempt, beforeMs, new Stream(seed, 'backoff'));
        const whole = Math.min(2_000, 5 * 2 ** attempt);
        const least = { exponential: whole, equal: whole / 2, full: 0, decorrelated: 5 }[kind];
        expect(wait).toBeGreaterThanOrEqual(least);
        expect(wait).toBeLessThanOrEqual(kind === 'decorrelated' ? Math.min(2_000, Math.max(5, 3 * beforeMs)) : whole);
      }),
    );
  });
});

test('a single flight serves all who ask for its key, and nobody else', () => {
  const kernel = new Kernel();
  const one = station(kernel, 5, 0, 100);
  const flight = singleFlight(one.ask);
  const heard = [1, 1, 2, 1].map((key) => asking(kernel, flight, key));
  kernel.drain(10);
  expect(one.begun).toBe(2);
  expect(heard.flat()).toEqual(Array<string>(4).fill('served at 100'));
  asking(kernel, flight, 1);
  expect(one.begun).toBe(3);
});

describe('a cache', () => {
  const slow = (kernel: Kernel, warm: WarmKeys, through: boolean): Service => {
    const { ask } = station(kernel, 1, 10, 200);
    return through
      ? readThrough(kernel, { warm, timeoutMs: 100, fillTimeoutMs: 1_000 }, ask).ask
      : lookAside(kernel, { warm, timeoutMs: 100 }, ask).ask;
  };

  test.each([
    ['that is looked into from outside stays empty when the client gives up', false],
    ['that reads through fills all the same', true],
  ])('%s', (_what, through) => {
    const kernel = new Kernel();
    const warm = new WarmKeys(10);
    const cache = slow(kernel, warm, through);
    const heard = asking(kernel, cache, 3);
    kernel.drain(10);
    expect(heard).toEqual(['timed-out at 100']);
    expect(warm.has(3)).toBe(through);
    expect(asking(kernel, cache, 3)).toEqual(through ? ['served at 200'] : []);
  });
});

describe('a database', () => {
  const build = (): { kernel: Kernel; database: Database } => {
    const kernel = new Kernel();
    const rules = { places: 1, queueMax: 10, serviceMs: constant(10), stream: stream(), connectionsMax: 3 };
    return { kernel, database: new Database(kernel, rules) };
  };

  test('refuses at once, or drops without a word', () => {
    const { kernel, database } = build();
    database.turn('refuse');
    expect(asking(kernel, database.ask)).toEqual(['refused at 0']);
    database.turn('drop');
    const dropped = asking(kernel, database.ask);
    database.turn('up');
    const served = asking(kernel, database.ask);
    kernel.drain(10);
    expect([...dropped, ...served]).toEqual(['served at 10']);
    expect([database.dropped, database.connections]).toEqual([1, 0]);
  });

  test('hangs with its connections held, until it is killed and refuses', () => {
    const { kernel, database } = build();
    database.turn('hang');
    const held = [1, 2, 3].map(() => asking(kernel, withTimeout(kernel, 50, database.ask).ask));
    const fourth = asking(kernel, database.ask);
    kernel.runUntil(100);
    // Those who gave up have freed nothing.
    expect([...held.flat(), ...fourth]).toEqual([...Array<string>(3).fill('timed-out at 50'), 'refused at 0']);
    expect(database.connections).toBe(3);
    const late = asking(kernel, database.ask);
    database.turn('refuse');
    expect([late, database.connections]).toEqual([['refused at 100'], 0]);
  });

  test('serves what hung when it wakes up', () => {
    const { kernel, database } = build();
    const before = asking(kernel, database.ask);
    database.turn('hang');
    const held = asking(kernel, database.ask);
    kernel.runUntil(100);
    database.slowBy(2);
    database.turn('up');
    kernel.drain(10);
    expect([...before, ...held]).toEqual(['served at 10', 'served at 120']);
  });
});

test('a balancer takes out who fails its checks, and brings back who passes them', () => {
  const kernel = new Kernel();
  const servers = [station(kernel, 1, 100, 10), station(kernel, 1, 100, 10)];
  const health = { everyMs: constant(100), timeoutMs: 50, fall: 2, rise: 3 };
  const balancer = balanced(
    kernel,
    servers.map(({ ask }) => ask),
    { stream: stream(), health },
  );
  servers[0]?.pause();
  const inAt = (ms: number): number => {
    kernel.runUntil(ms);
    return balancer.serversIn();
  };
  // Checks are at 100, and 100 after the last one had its answer: failed at 150 and 300.
  expect([inAt(299), inAt(300)]).toEqual([2, 1]);
  servers[0]?.resume();
  expect([inAt(600), inAt(700)]).toEqual([1, 2]);
  for (const server of servers) server.pause();
  expect(inAt(1_200)).toBe(0);
  expect(asking(kernel, balancer.ask)).toEqual(['refused at 1200']);
});

test('draws have the means that they say', () => {
  const mean = (draw: (from: Stream) => number): number => {
    const from = stream();
    return Array.from({ length: 20_000 }, () => draw(from)).reduce((sum, ms) => sum + ms, 0) / 20_000;
  };
  expect(mean(uniform(10, 30))).toBeCloseTo(20, 0);
  expect(mean(exponential(5)) / 5).toBeCloseTo(1, 1);
  expect(mean(normal(10, 2))).toBeCloseTo(10, 0);
  expect(mean(either(constant(0), constant(100), 0.1)) / 10).toBeCloseTo(1, 0);
});
