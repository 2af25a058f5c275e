import {
  constant,
  Kernel,
  OpenArrivals,
  type RetryBudget,
  since,
  Station,
  Stream,
  tallied,
  withRetries,
  withTimeout,
} from '../../src/herd/des/index.ts';
import { around, type Check, type Row } from './row.ts';

const CAPACITY = 300;
const OUTAGE_MS = 10_000;
const TIMEOUT_MS = 1_000;

/** A database that is away for ten seconds, and clients who try once more. */
export const retries: Check = {
  id: 'V2',
  title: 'Retries',
  source: 'Bronson, Aghayev, Charapko, Zhu: Metastable Failures in Distributed Systems, HotOS 2021',
  chosen:
    'constant service times, an unbounded queue, retries at once; the time to recover is a fluid formula from these',
  rows: (seeds) => [
    ...afterTheOutage(seeds),
    ...[100, 130, 140].map((perSecond) => recovery(seeds, perSecond)),
    {
      what: '155 QPS: the same (looked at for 300 s)',
      published: 'never: stable below 150 only',
      ours: seeds.map((seed) => recoveredAfterS(seed, 155)),
      unit: 's',
      same: [Infinity, Infinity],
    },
    {
      what: 'failed at 280 QPS, then 130 QPS: served of what arrives',
      published: 'recovers below 150',
      ours: seeds.map((seed) => goodput(seed, { laterPerSecond: 130, settleS: 500 }).served / 130),
      unit: '',
      same: around(1, 0.02),
    },
    {
      what: 'failed at 280 QPS, then 160 QPS: served of what arrives',
      published: 'stays failed',
      ours: seeds.map((seed) => goodput(seed, { laterPerSecond: 160, settleS: 500 }).served / 160),
      unit: '',
      same: [0, 0.02],
    },
    {
      what: '280 QPS, retries only from a budget (0.1 a success, at most 10): goodput',
      published: 'recovers with few retries (below 20 QPS)',
      ours: seeds.map((seed) => goodput(seed, { budget: { perSuccess: 0.1, tokensMax: 10 }, settleS: 300 }).served),
      unit: 'QPS',
      same: around(280, 0.02),
    },
    {
      what: '280 QPS, requests that queued 0.5 s are shed: goodput',
      published: 'shedding at the queue is a cure',
      ours: seeds.map((seed) => goodput(seed, { sheds: true }).served),
      unit: 'QPS',
      same: around(280, 0.02),
    },
  ],
};

function afterTheOutage(seeds: readonly number[]): readonly Row[] {
  const after = seeds.map((seed) => goodput(seed, {}));
  return [
    {
      what: '280 QPS, capacity 300, 10 s outage: load on the database ever after',
      published: '560 QPS',
      ours: after.map(({ load }) => load),
      unit: 'QPS',
      same: around(560, 0.02),
    },
    {
      what: 'and goodput',
      published: '0',
      ours: after.map(({ served }) => served),
      unit: 'QPS',
      same: [0, 1],
    },
  ];
}

/** From the end of the outage until nobody has to wait for longer than the timeout, by the fluid formula. */
function fluidRecoveryS(perSecond: number): number {
  const [outageS, timeoutS] = [OUTAGE_MS / 1000, TIMEOUT_MS / 1000];
  return (perSecond * (2 * outageS - timeoutS) - CAPACITY * timeoutS) / (CAPACITY - 2 * perSecond);
}

function recovery(seeds: readonly number[], perSecond: number): Row {
  const fluid = fluidRecoveryS(perSecond);
  return {
    what: `${perSecond} QPS: until requests are served in time`,
    published: `recovers; fluid ${fluid.toFixed(0)} s`,
    ours: seeds.map((seed) => recoveredAfterS(seed, perSecond)),
    unit: 's',
    same: around(fluid, 0.1),
    stated: around(fluid, 0.25),
    why: 'the nearer to half of the capacity, the more the chance of arrivals weighs: the formula knows their mean only',
  };
}

interface Variant {
  readonly budget?: RetryBudget;
  readonly sheds?: boolean;
  readonly laterPerSecond?: number;
  /** So long is waited before it is measured: what has piled up takes its time, with 20 QPS to spare. */
  readonly settleS?: number;
}

function build(seed: number, { budget, sheds = false }: Variant) {
  const kernel = new Kernel();
  const database = new Station(kernel, {
    places: 1,
    queueMax: Infinity,
    serviceMs: constant(1000 / CAPACITY),
    stream: new Stream(seed, 'database'),
    ...(sheds ? { shed: { targetMs: 500, windowMs: 1_000 } } : {}),
  });
  const back = tallied(database.ask);
  const client = withRetries(
    kernel,
    {
      attempts: 2,
      backoff: { kind: 'none' },
      stream: new Stream(seed, 'backoff'),
      ...(budget === undefined ? {} : { budget }),
    },
    withTimeout(kernel, TIMEOUT_MS, back.ask).ask,
  );
  const front = tallied(client.ask);
  const arrivals = new OpenArrivals(kernel, new Stream(seed, 'arrivals'), front.ask);
  return { kernel, database, back, front, arrivals };
}

/** What is served and what arrives at the database, a second, in one minute some time after the outage or the change of load. */
function goodput(seed: number, variant: Variant): { readonly served: number; readonly load: number } {
  const { kernel, database, back, front, arrivals } = build(seed, variant);
  arrivals.setRate(280);
  kernel.runUntil(20_000);
  database.pause();
  kernel.runUntil(20_000 + OUTAGE_MS);
  database.resume();
  kernel.runUntil(60_000);
  if (variant.laterPerSecond !== undefined) arrivals.setRate(variant.laterPerSecond);
  kernel.runUntil(kernel.nowMs + (variant.settleS ?? 60) * 1000);
  const [clients, load] = [front.tally(), back.tally()];
  kernel.runUntil(kernel.nowMs + 60_000);
  return { served: since(clients, front.tally()).served / 60, load: since(load, back.tally()).arrived / 60 };
}

function recoveredAfterS(seed: number, perSecond: number): number {
  const { kernel, database, arrivals } = build(seed, {});
  arrivals.setRate(perSecond);
  kernel.runUntil(20_000);
  database.pause();
  kernel.runUntil(20_000 + OUTAGE_MS);
  database.resume();
  for (let afterMs = 0; afterMs <= 300_000; afterMs += 100) {
    kernel.runUntil(20_000 + OUTAGE_MS + afterMs);
    if (database.queued <= (CAPACITY * TIMEOUT_MS) / 1000) return afterMs / 1000;
  }
  return Infinity;
}
