import {
  balanced,
  constant,
  exponential,
  Kernel,
  lookAside,
  OpenArrivals,
  readThrough,
  type Service,
  since,
  Station,
  Stream,
  tallied,
  uniform,
  WarmKeys,
  withRetries,
  withTimeout,
  Zipf,
} from '../../src/herd/des/index.ts';
import type { Check, Row } from './row.ts';

const TRIGGER_MS = [30_000, 40_000] as const;
const MEASURED_MS = [150_000, 180_000] as const;
const TIMEOUT_MS = 1_000;

/** What a scenario is built of: where requests go in, how many come, and what the trigger is. */
interface Built {
  readonly ask: Service;
  readonly perSecond: number;
  readonly keyOf?: () => number;
  /** Begins the trigger and, ten seconds later, ends it. */
  readonly trigger: (on: boolean, arrivals: OpenArrivals) => void;
}

interface Mechanism {
  readonly name: string;
  /** As the survey sorts them: what begins it, and what keeps it up. */
  readonly class: string;
  readonly without: string;
  readonly build: (kernel: Kernel, seed: number, sustained: boolean) => Built;
}

const mechanisms: readonly Mechanism[] = [
  {
    name: 'retries after a spike of load',
    class: 'load spike, more work',
    without: 'no retries',
    build: (kernel, seed, sustained) => ({
      ask: clients(kernel, seed, server(kernel, seed).ask, sustained ? 3 : 1),
      perSecond: 200,
      trigger: (on, arrivals) => arrivals.setRate(on ? 600 : 200),
    }),
  },
  {
    name: 'retries after a stop of the database',
    class: 'less capacity, more work',
    without: 'no retries',
    build: (kernel, seed, sustained) => {
      const station = server(kernel, seed);
      return {
        ask: clients(kernel, seed, station.ask, sustained ? 3 : 1),
        perSecond: 200,
        trigger: (on) => (on ? station.pause() : station.resume()),
      };
    },
  },
  {
    name: 'errors that cost more than answers',
    class: 'load spike, more work',
    without: 'errors cost nothing',
    build: (kernel, seed, sustained) => {
      const station = server(kernel, seed);
      const patient = clients(kernel, seed, station.ask, 1);
      return {
        // Who fails writes a report, which is work for the same machine.
        ask: (key, done) =>
          patient(key, (outcome) => {
            if (sustained && outcome !== 'served') for (const _ of [1, 2]) station.ask(key, () => undefined);
            done(outcome);
          }),
        perSecond: 200,
        trigger: (on, arrivals) => arrivals.setRate(on ? 600 : 200),
      };
    },
  },
  {
    name: 'a look-aside cache is lost',
    class: 'less capacity, less capacity',
    without: 'a cache that reads through with patience',
    build: (kernel, seed, sustained) => {
      const keys = new Zipf(5_000, 0.6);
      const warm = new WarmKeys(keys.keys);
      warm.warmUpTo(keys.keys);
      const drawn = new Stream(seed, 'keys');
      const { ask } = server(kernel, seed);
      const cache = sustained
        ? lookAside(kernel, { warm, timeoutMs: TIMEOUT_MS }, ask)
        : readThrough(kernel, { warm, timeoutMs: TIMEOUT_MS, fillTimeoutMs: 60_000 }, ask);
      return {
        ask: cache.ask,
        perSecond: 2_000,
        keyOf: () => keys.draw(drawn),
        trigger: (on) => (on ? warm.coolUpTo(keys.keys) : undefined),
      };
    },
  },
  {
    name: 'work that slows down as the queue grows (garbage collection, locks)',
    class: 'load spike, less capacity',
    without: 'its pace does not depend on the queue',
    build: (kernel, seed, sustained) => {
      const station: Station = new Station(kernel, {
        places: 1,
        queueMax: Infinity,
        serviceMs: (from) => exponential(1000 / 300)(from) * (sustained ? 1 + Math.min(3, station.queued / 500) : 1),
        stream: new Stream(seed, 'service'),
      });
      return {
        ask: clients(kernel, seed, station.ask, 1),
        perSecond: 200,
        trigger: (on, arrivals) => arrivals.setRate(on ? 600 : 200),
      };
    },
  },
  {
    name: 'health checks that take out what is overloaded',
    class: 'load spike, less capacity',
    without: 'no health checks',
    build: (kernel, seed, sustained) => {
      const servers = Array.from(
        { length: 10 },
        (_, at) =>
          new Station(kernel, {
            places: 1,
            queueMax: 200,
            serviceMs: exponential(1000 / 30),
            stream: new Stream(seed, `server ${at}`),
          }).ask,
      );
      const health = { everyMs: uniform(1_800, 2_200), timeoutMs: TIMEOUT_MS, fall: 2, rise: 10 };
      const balancer = balanced(kernel, servers, {
        stream: new Stream(seed, 'balancer'),
        ...(sustained ? { health } : {}),
      });
      return {
        ask: clients(kernel, seed, balancer.ask, 1),
        perSecond: 240,
        trigger: (on, arrivals) => arrivals.setRate(on ? 600 : 240),
      };
    },
  },
];

/** Every sort of sustaining effect that the survey found, shown with it and without it. */
export const mechanismClasses: Check = {
  id: 'V7',
  title: 'Mechanisms that keep a failure up when its trigger is gone',
  source: 'Huang and others, OSDI 2022: 600 post-mortems, 21 metastable outages, retries in more than half of them',
  chosen: 'every figure of the scenarios; triggers last ten seconds; the share served two minutes later is shown',
  rows: (seeds) => mechanisms.flatMap((mechanism) => rowsOf(seeds, mechanism)),
};

function rowsOf(seeds: readonly number[], mechanism: Mechanism): readonly Row[] {
  const row = (sustained: boolean): Row => ({
    what: sustained ? `${mechanism.name} (${mechanism.class})` : `the same, but ${mechanism.without}`,
    published: sustained ? 'stays failed' : 'recovers',
    ours: seeds.map((seed) => served(seed, mechanism, sustained) * 100),
    unit: '%',
    same: sustained ? [0, 50] : [98, 102],
  });
  return [row(true), row(false)];
}

function served(seed: number, { build }: Mechanism, sustained: boolean): number {
  const kernel = new Kernel();
  const { ask, perSecond, keyOf, trigger } = build(kernel, seed, sustained);
  const front = tallied(ask);
  const arrivals = new OpenArrivals(kernel, new Stream(seed, 'arrivals'), front.ask, keyOf);
  arrivals.setRate(perSecond);
  kernel.runUntil(TRIGGER_MS[0]);
  const before = front.tally();
  if (before.served < 0.98 * (before.arrived - before.open)) return Number.NaN;
  trigger(true, arrivals);
  kernel.runUntil(TRIGGER_MS[1]);
  trigger(false, arrivals);
  kernel.runUntil(MEASURED_MS[0]);
  const later = front.tally();
  kernel.runUntil(MEASURED_MS[1]);
  const during = since(later, front.tally());
  return during.served / during.arrived;
}

/** 300 requests a second. */
function server(kernel: Kernel, seed: number): Station {
  return new Station(kernel, {
    places: 1,
    queueMax: Infinity,
    serviceMs: constant(1000 / 300),
    stream: new Stream(seed, 'service'),
  });
}

function clients(kernel: Kernel, seed: number, service: Service, attempts: number): Service {
  const rules = { attempts, backoff: { kind: 'none' } as const, stream: new Stream(seed, 'backoff') };
  return withRetries(kernel, rules, withTimeout(kernel, TIMEOUT_MS, service).ask).ask;
}
