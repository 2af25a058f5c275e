/**
 * How fast the fleet model is: `node bench/herd.ts [servers ...]`. Ten simulated minutes of February 2021 with nobody
 * who helps, told whole (every curve, a look each second), what that grew the heap by, and the closed form's
 * verdict on a planned outage of as many servers. It does not measure reading a fleet.
 */
import { forecastFuse, forecastScenario, scenarios } from '../src/herd/index.ts';

const sizes = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [200, 1_000, 10_000];
const february = scenarios.find(({ name }) => name === 'feb-2021');
if (!february) throw new Error('the scenario is gone');

process.stdout.write(
  'servers   10 min of feb-2021 s   heap grown MB   RSS MB   five seeds, all cases s   closed form ms\n',
);
for (const servers of sizes) {
  const { cases } = february.told([`servers=${servers}`]);
  const nobody = cases.find(({ name }) => name === 'nobody comes');
  const heapMb = heap();
  let fromMs = performance.now();
  nobody?.run(1, 600_000);
  const oneMs = performance.now() - fromMs;
  const grownMb = heap() - heapMb;
  fromMs = performance.now();
  if (servers <= 1_000) forecastScenario(february, { whatIf: [`servers=${servers}`], seeds: [1, 2, 3, 4, 5] });
  const allMs = performance.now() - fromMs;
  fromMs = performance.now();
  check(servers);
  const checkMs = performance.now() - fromMs;
  const figures = [
    servers,
    (oneMs / 1_000).toFixed(2),
    grownMb.toFixed(0),
    (process.memoryUsage().rss / 1e6).toFixed(0),
    servers <= 1_000 ? (allMs / 1_000).toFixed(2) : '-',
    checkMs.toFixed(0),
  ];
  process.stdout.write(
    `${figures.map((each, at) => String(each).padStart([7, 23, 16, 9, 26, 17][at] ?? 0)).join('')}\n`,
  );
}

/** What the preview does with a planned outage, every server with a load of its own. */
function check(servers: number): void {
  forecastFuse({
    servers: Array.from({ length: servers }, (_, index) => ({
      name: `api-${index}`,
      clocks: [{ name: 'config', whenExpired: 'fatal', ttlMs: { min: 180_000, max: 240_000 } }],
      dependencyTimeoutMs: 10_000,
      load: { requestsPerSecond: 150 + index / 1e3, memoryPerRequestBytes: 40e6, memoryFreeBytes: 56e9 },
    })),
    refresh: { perSecond: 1_000, overheadMs: 5_000 },
    outageMs: 300_000,
    marginMs: 30_000,
  });
}

function heap(): number {
  return process.memoryUsage().heapUsed / 1e6;
}
