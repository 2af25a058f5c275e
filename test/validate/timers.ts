import { CoupledTimers, Kernel, Stream } from '../../src/herd/des/index.ts';
import { type Check, type Range, type Row } from './row.ts';

const PERIOD_MS = 121_000;
const BUSY_MS = 110;
const LIMIT_MS = 2_000_000_000;

/** Timers that nobody synchronised, and that synchronise. */
export const timers: Check = {
  id: 'V10',
  title: 'Periodic timers that are weakly coupled',
  source: 'Floyd and Jacobson, IEEE/ACM Transactions on Networking 2(2), 1994: an abrupt phase transition',
  chosen: 'nothing: period 121 s, 0.11 s of work a message, 20 routers are theirs; runs end after 2,000,000 s',
  rows: (seeds) => [
    together(seeds, { count: 20, jitterMs: 50, published: 'synchronises', range: [1e4, 2e5] }),
    together(seeds, { count: 20, jitterMs: 100, published: 'synchronises', range: [2e4, 1e6] }),
    never(seeds, { count: 8, jitterMs: 100, published: 'fewer: does not' }),
    never(seeds, { count: 20, jitterMs: 150, published: 'a little more jitter: does not' }),
    never(seeds, { count: 20, jitterMs: 300, published: 'more jitter: does not' }),
    apart(seeds),
  ],
};

interface Setting {
  readonly count: number;
  readonly jitterMs: number;
  readonly published: string;
}

function together(
  seeds: readonly number[],
  { count, jitterMs, published, range }: Setting & { readonly range: Range },
): Row {
  return {
    what: `${count} timers, +-${jitterMs / 1000} s: until all fire together, from apart`,
    published,
    ours: seeds.map((seed) => (run(seed, count, jitterMs, false).togetherAtMs ?? Infinity) / 1000),
    unit: 's',
    same: range,
  };
}

function never(seeds: readonly number[], { count, jitterMs, published }: Setting): Row {
  return {
    what: `${count} timers, +-${jitterMs / 1000} s: until all fire together, from apart`,
    published,
    ours: seeds.map((seed) => (run(seed, count, jitterMs, false).togetherAtMs ?? Infinity) / 1000),
    unit: 's',
    same: [LIMIT_MS / 1000, Infinity],
  };
}

function apart(seeds: readonly number[]): Row {
  return {
    what: '20 timers, +-1.1 s (ten times the work): until each fires alone, from together',
    published: 'breaks up',
    ours: seeds.map((seed) => (run(seed, 20, 1_100, true).apartAtMs ?? Infinity) / 1000),
    unit: 's',
    same: [0, 1e5],
  };
}

function run(seed: number, count: number, jitterMs: number, startTogether: boolean): CoupledTimers {
  const kernel = new Kernel();
  const group = new CoupledTimers(kernel, {
    timers: count,
    periodMs: PERIOD_MS,
    jitterMs,
    busyMs: BUSY_MS,
    stream: new Stream(seed, 'timers'),
    together: startTogether,
  });
  const reached = (): boolean => (startTogether ? group.apartAtMs : group.togetherAtMs) !== null;
  for (let untilMs = 0; untilMs < LIMIT_MS && !reached(); untilMs += 1_000_000) kernel.runUntil(untilMs);
  return group;
}
