import {
  balanced,
  constant,
  either,
  Kernel,
  OpenArrivals,
  since,
  Station,
  Stream,
  tallied,
} from '../../src/herd/des/index.ts';
import { around, type Check } from './row.ts';

/** One request in twenty hangs, and takes the threads of all the others with it. */
export const bimodal: Check = {
  id: 'V1',
  title: 'Bimodal latency',
  source: 'Site Reliability Engineering (2016), ch. 22',
  chosen: 'requests reach the ten servers at random',
  rows: (seeds) => [
    {
      what: '1,000 QPS, 100 ms, 10 x 100 threads, 5% hang to a 100 s deadline: refused',
      published: '80.4%',
      ours: seeds.map((seed) => refusedShare(seed, 0.05) * 100),
      unit: '%',
      same: around(80.4, 0.01),
    },
    {
      what: 'the same where none hangs: refused',
      published: 'none',
      ours: seeds.map((seed) => refusedShare(seed, 0) * 100),
      unit: '%',
      same: [0, 0],
    },
  ],
};

function refusedShare(seed: number, hang: number): number {
  const kernel = new Kernel();
  const servers = Array.from(
    { length: 10 },
    (_, server) =>
      new Station(kernel, {
        places: 100,
        queueMax: 0,
        serviceMs: either(constant(100), constant(100_000), hang),
        stream: new Stream(seed, `server ${server}`),
      }),
  );
  const front = tallied(
    balanced(
      kernel,
      servers.map(({ ask }) => ask),
      { stream: new Stream(seed, 'balancer') },
    ).ask,
  );
  new OpenArrivals(kernel, new Stream(seed, 'arrivals'), front.ask).setRate(1_000);
  // The first that hang leave together after 100 s, and make room for as many: that wave takes its time to flatten.
  kernel.runUntil(500_000);
  const before = front.tally();
  kernel.runUntil(1_500_000);
  const { arrived, refused } = since(before, front.tally());
  return refused / arrived;
}
