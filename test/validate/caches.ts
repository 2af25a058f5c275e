import {
  constant,
  Kernel,
  lookAside,
  OpenArrivals,
  readThrough,
  since,
  Station,
  Stream,
  tallied,
  WarmKeys,
  Zipf,
} from '../../src/herd/des/index.ts';
import { around, type Check } from './row.ts';

const CAPACITY = 300;
const KEYS = new Zipf(5_000, 0.6);
/** The cache has room for the keys that get nine requests in ten. */
const ROOM = KEYS.keyOf(0.9);

/** A cache before a database that could not do without it. */
export const caches: Check = {
  id: 'V3',
  title: 'A look-aside cache is lost',
  source: 'Bronson and others, HotOS 2021',
  chosen:
    'timeout 1 s; a cache that reads through waits 60 s for the database; 5,000 keys by Zipf with exponent 0.6 (with 1, the hottest few come back at once, and about half of the requests are served for ever after)',
  rows: (seeds) => {
    const lost = seeds.map((seed) => run(seed, { perSecond: 2_700, through: false }));
    const through = seeds.map((seed) => run(seed, { perSecond: 2_700, through: true }));
    const hidden = seeds.map((seed) => run(seed, { perSecond: 270, through: false }));
    return [
      {
        what: '90% hits, database 300 QPS, 2,700 QPS asked: load on the database, after over before',
        published: '10 x',
        ours: lost.map(({ step }) => step),
        unit: 'x',
        same: around(10, 0.05),
      },
      {
        what: 'hits two minutes later: every query times out, and fills nothing',
        published: 'stays empty',
        ours: lost.map(({ hits }) => hits * 100),
        unit: '%',
        same: [0, 5],
        stated: [0, 20],
        why: 'what the queue takes in before it is a second long is served in time: the hottest keys are filled at once',
      },
      {
        what: 'and goodput',
        published: 'near 0',
        ours: lost.map(({ served }) => served * 100),
        unit: '%',
        same: [0, 5],
        stated: [0, 20],
        why: 'the same hottest keys: whoever asks for them is served, and nobody else',
      },
      {
        what: 'the same with a cache that reads through with patience: hits two minutes later',
        published: 'refills',
        ours: through.map(({ hits }) => hits * 100),
        unit: '%',
        same: around(90, 0.05),
      },
      {
        what: '270 QPS, below the hidden capacity of 300: hits two minutes later',
        published: 'refills',
        ours: hidden.map(({ hits }) => hits * 100),
        unit: '%',
        same: around(90, 0.05),
      },
    ];
  },
};

function run(
  seed: number,
  { perSecond, through }: { readonly perSecond: number; readonly through: boolean },
): { readonly step: number; readonly hits: number; readonly served: number } {
  const kernel = new Kernel();
  const database = new Station(kernel, {
    places: 1,
    queueMax: Infinity,
    serviceMs: constant(1000 / CAPACITY),
    stream: new Stream(seed, 'database'),
  });
  const back = tallied(database.ask);
  const warm = new WarmKeys(KEYS.keys);
  warm.warmUpTo(ROOM);
  const admits = (key: number): boolean => key <= ROOM;
  const cache = through
    ? readThrough(kernel, { warm, admits, timeoutMs: 1_000, fillTimeoutMs: 60_000 }, back.ask)
    : lookAside(kernel, { warm, admits, timeoutMs: 1_000 }, back.ask);
  const front = tallied(cache.ask);
  const keys = new Stream(seed, 'keys');
  new OpenArrivals(kernel, new Stream(seed, 'arrivals'), front.ask, () => KEYS.draw(keys)).setRate(perSecond);
  kernel.runUntil(30_000);
  const before = back.tally().arrived / 30;
  warm.coolUpTo(KEYS.keys);
  // The first tenth of a second: a longer look would see the hottest keys come back.
  kernel.runUntil(30_100);
  const step = (back.tally().arrived - before * 30) / 0.1 / before;
  kernel.runUntil(130_000);
  const [clients, hits] = [front.tally(), cache.hits()];
  kernel.runUntil(150_000);
  const { arrived, served } = since(clients, front.tally());
  return { step, hits: (cache.hits() - hits) / arrived, served: served / arrived };
}
