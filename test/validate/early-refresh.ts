import {
  closedClients,
  constant,
  ExpiringValue,
  type ExpiringValueCounts,
  Kernel,
  OpenArrivals,
  type RefreshWay,
  type Service,
  Stream,
  uniform,
} from '../../src/herd/des/index.ts';
import { around, type Check, type Row } from './row.ts';

const EULER = 0.5772156649;

/** A value that is computed anew a little before its time, by chance. */
export const earlyRefresh: Check = {
  id: 'V8',
  title: 'XFetch: a stampede avoided by chance',
  source:
    'Vattani, Chierichetti, Lowenstein, VLDB 2015 (closed forms derived from it); internetarchive/xfetch, its sample logs',
  chosen: 'for the logs: workers lose 27 ms a round to forking, which makes their 94 reads a second',
  rows: (seeds) => [
    ...[1, 2, 0.5].map((beta) => refreshes(seeds, { beta, perSecond: 200 })),
    refreshes(seeds, { beta: 1, perSecond: 2_000 }),
    gap(seeds, { beta: 1, perSecond: 200 }),
    ...sampleLogs(seeds),
  ],
};

interface Load {
  readonly beta: number;
  readonly perSecond: number;
}

const TOOK_MS = 500;

function refreshes(seeds: readonly number[], load: Load): Row {
  const expected = Math.exp(1 / load.beta);
  return {
    what: `beta ${load.beta}, ${load.perSecond} reads/s: refreshes begun for each expiry`,
    published: `e^(1/beta) = ${expected.toFixed(2)}, whatever the rate`,
    ours: seeds.map((seed) => mean(open(seed, load).perValue)),
    unit: '',
    same: around(expected, 0.08),
  };
}

function gap(seeds: readonly number[], load: Load): Row {
  const scaleMs = load.beta * TOOK_MS;
  const expected = (Math.log((load.perSecond * scaleMs) / 1000) + EULER) * scaleMs;
  return {
    what: `beta ${load.beta}, ${load.perSecond} reads/s: how long before the expiry the first begins`,
    published: `(ln(r beta delta) + 0.577) beta delta = ${(expected / 1000).toFixed(2)} s`,
    ours: seeds.map((seed) => mean(open(seed, load).gapsMs) / 1000),
    unit: 's',
    same: around(expected / 1000, 0.05),
  };
}

function open(seed: number, { beta, perSecond }: Load): ExpiringValueCounts {
  const kernel = new Kernel();
  const value = new ExpiringValue(
    kernel,
    {
      way: 'early',
      ttlMs: 20_000,
      beta,
      resolutionMs: 0,
      lookAgainMs: 10,
      stream: new Stream(seed, 'early'),
    },
    takes(kernel),
  );
  new OpenArrivals(kernel, new Stream(seed, 'arrivals'), value.ask).setRate(perSecond);
  // About three hundred expiries: the count for each has a spread as wide as its mean.
  kernel.runUntil(perSecond > 1_000 ? 1_800_000 : 6_000_000);
  return value.counts();
}

/** Fifty workers, each of whom pauses 10 to 1,000 ms and reads; a time to live of 20 s, which Redis tells in seconds. */
function sampleLogs(seeds: readonly number[]): readonly Row[] {
  const by = (way: RefreshWay, ms: number) => seeds.map((seed) => workers(seed, way, ms));
  const [plain, locked, early, both] = [
    by('everyone', 290_000),
    by('locked', 294_000),
    by('early', 450_000),
    by('early-locked', 317_000),
  ];
  const reads = plain.map(({ hits, misses }) => (hits + misses) / 290);
  const ofOne = 'one run was published, and one run of ours differs from the next by as much';
  return [
    { what: '50 workers: reads a second', published: '93.7', ours: reads, unit: '/s', same: around(93.7, 0.03) },
    {
      what: 'plain, 290 s: recomputed for each expiry',
      published: '484 / 13 = 37',
      ours: plain.map(({ recomputed }) => recomputed / 13),
      unit: '',
      same: around(37.2, 0.2),
      stated: around(37.2, 0.4),
      why: ofOne,
    },
    {
      what: 'locked, 294 s: recomputed',
      published: '14',
      ours: locked.map(({ recomputed }) => recomputed),
      unit: '',
      same: [13, 15],
    },
    {
      what: 'locked, 294 s: had to wait',
      published: '505',
      ours: locked.map(({ waited }) => waited),
      unit: '',
      same: around(505, 0.15),
      stated: around(505, 0.3),
      why: ofOne,
    },
    {
      what: 'XFetch, 450 s: recomputed',
      published: '52',
      ours: early.map(({ recomputed }) => recomputed),
      unit: '',
      same: around(52, 0.2),
      stated: around(52, 0.5),
      why: 'one run of 24 values was published, and of 300 runs of ours one in ten has 52 or fewer (median 66)',
    },
    {
      what: 'XFetch, 450 s: misses',
      published: '0',
      ours: early.map(({ misses }) => misses),
      unit: '',
      same: [0, 0],
    },
    {
      what: 'XFetch with a lock, 317 s: recomputed',
      published: '17',
      ours: both.map(({ recomputed }) => recomputed),
      unit: '',
      same: [16, 18],
    },
    {
      what: 'XFetch with a lock: recomputed together',
      published: '0',
      ours: both.map(({ recomputedTogether }) => recomputedTogether),
      unit: '',
      same: [0, 0],
    },
  ];
}

function workers(seed: number, way: RefreshWay, ms: number): ExpiringValueCounts {
  const kernel = new Kernel();
  const rules = {
    way,
    ttlMs: 20_000,
    beta: 1,
    resolutionMs: 1_000,
    lookAgainMs: 10,
    stream: new Stream(seed, 'early'),
  };
  const value = new ExpiringValue(kernel, rules, takes(kernel));
  // The logs begin with a warm cache.
  value.ask(0, () => undefined);
  kernel.runUntil(TOOK_MS);
  const before = value.counts();
  closedClients(
    kernel,
    { clients: 50, thinkMs: uniform(10 + 27, 1_000 + 27), stream: new Stream(seed, 'workers') },
    value.ask,
  );
  kernel.runUntil(TOOK_MS + ms);
  const after = value.counts();
  return { ...after, misses: after.misses - before.misses, recomputed: after.recomputed - before.recomputed };
}

function takes(kernel: Kernel): Service {
  const took = constant(TOOK_MS);
  const stream = new Stream(0, 'computing');
  return (_key, done) => void kernel.after(took(stream), () => done('served'));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
