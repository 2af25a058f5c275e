import {
  exponential,
  Kernel,
  OpenArrivals,
  recoveryChain,
  Station,
  Stream,
  withRetries,
  withTimeout,
} from '../../src/herd/des/index.ts';
import { ALWAYS, around, type Check } from './row.ts';

const CAPACITY = 20;
const TIMEOUT_MS = 1_000;
const OUTAGE_S = 5;
const RATES = [4, 6, 7, 8, 9] as const;
const RUNS = 20;
/** A run that has not recovered by then counts as one that never does. */
const LIMIT_MS = 3_600_000;

/** The expected time to recover, by a small Markov chain at once and by simulation. */
export const recovery: Check = {
  id: 'V13',
  title: 'Expected time to recover: a chain before the simulation',
  source:
    'Alvaro, Isaacs and others: Formal Analysis of Metastable Failures in Software Systems, arXiv 2510.03551; HotOS 2025',
  chosen:
    'capacity 20/s, timeout 1 s, one retry, an outage of 5 s; the chain is cut off at 200 requests and 20 clients',
  rows: (seeds) => {
    const chain = RATES.map(expectedS);
    const ours = RATES.map((perSecond) => seeds.map((seed) => simulatedS(seed, perSecond)));
    return [
      {
        what: `from ${RATES.join(' to ')} requests a second: each load takes longer than the one before, in the simulation`,
        published: 'rises towards the boundary',
        ours: seeds.map((_, at) => (rises(RATES.map((_rate, load) => ours[load]?.[at] ?? 0)) ? 1 : 0)),
        unit: 'of runs',
        same: ALWAYS,
      },
      {
        what: 'and in the chain',
        published: 'rises towards the boundary',
        ours: [rises(chain) ? 1 : 0],
        unit: '',
        same: ALWAYS,
      },
      {
        what: 'chain at 11 requests a second, beyond half of the capacity, over that at 9',
        published: 'blows up at the boundary',
        ours: [expectedS(11) / (chain.at(-1) ?? 1)],
        unit: 'x',
        same: [1_000, Infinity],
      },
      ...RATES.map((perSecond, load) => ({
        what: `${perSecond} requests a second: simulated over the chain's expectation`,
        published: '1, after calibration; this is without',
        ours: (ours[load] ?? []).map((seconds) => seconds / (chain[load] ?? 1)),
        unit: 'x',
        same: around(1, 0.1),
        stated: around(1, 0.35),
        why: 'clients wait exactly the timeout before they try again, and the chain’s an exponential time with that mean',
      })),
    ];
  },
};

/** From the end of the outage until the queue is empty: what piled up is the load of the outage and its retries. */
function expectedS(perSecond: number): number {
  const chain = recoveryChain({
    ratePerSecond: perSecond,
    capacityPerSecond: CAPACITY,
    timeoutMs: TIMEOUT_MS,
    queueMax: 200,
    orbitMax: 20,
  });
  const queue = perSecond * (2 * OUTAGE_S - TIMEOUT_MS / 1000);
  return chain(Math.round(queue), Math.round((perSecond * TIMEOUT_MS) / 1000)) / 1000;
}

function simulatedS(seed: number, perSecond: number): number {
  let sum = 0;
  for (let run = 0; run < RUNS; run += 1) sum += oneRecoveryS(seed * 1_000 + run, perSecond);
  return sum / RUNS;
}

function oneRecoveryS(seed: number, perSecond: number): number {
  const kernel = new Kernel();
  const station = new Station(kernel, {
    places: 1,
    queueMax: Infinity,
    serviceMs: exponential(1000 / CAPACITY),
    stream: new Stream(seed, 'service'),
  });
  const patient = withTimeout(kernel, TIMEOUT_MS, station.ask);
  const rules = { attempts: 2, backoff: { kind: 'none' } as const, stream: new Stream(seed, 'backoff') };
  new OpenArrivals(kernel, new Stream(seed, 'arrivals'), withRetries(kernel, rules, patient.ask).ask).setRate(
    perSecond,
  );
  kernel.runUntil(20_000);
  station.pause();
  const backMs = 20_000 + OUTAGE_S * 1000;
  kernel.runUntil(backMs);
  station.resume();
  while (station.busy > 0 && kernel.nowMs < backMs + LIMIT_MS) kernel.runUntil(kernel.nowMs + 10);
  return station.busy > 0 ? Infinity : (kernel.nowMs - backMs) / 1000;
}

function rises(values: readonly number[]): boolean {
  return values.every((value, at) => at === 0 || value > (values[at - 1] ?? 0));
}
