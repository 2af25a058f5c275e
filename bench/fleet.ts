/**
 * How time and memory grow with the fleet: `node bench/fleet.ts [servers ...]`. The real run machine, loop and journal
 * (durable, on the disk of the temporary folder), over servers that answer at once. It does not measure SSH, observing,
 * or planning.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createJournal } from '../src/journal/index.ts';
import { createMachine, type RunState, type Stamped } from '../src/run/index.ts';
import { nullPlan } from './null-fleet.ts';
import { sail } from './sail.ts';

const sizes = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [100, 1_000, 10_000];
process.stdout.write('servers   events   seconds   events/s   apply µs   next µs   peak heap MB   peak RSS MB\n');
for (const servers of sizes) await measure(servers);

async function measure(servers: number): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'neap-bench-'));
  const machine = createMachine(nullPlan(servers));
  const cost = { apply: 0, applied: 0, next: 0, asked: 0 };
  const measured = {
    index: machine.index,
    apply(state: RunState | null, event: Stamped): RunState {
      const from = performance.now();
      const after = machine.apply(state, event);
      cost.apply += performance.now() - from;
      cost.applied += 1;
      return after;
    },
    next(state: RunState) {
      const from = performance.now();
      const now = machine.next(state);
      cost.next += performance.now() - from;
      cost.asked += 1;
      return now;
    },
  };
  const journal = await createJournal(join(dir, 'journal.db'));
  const peak = { heap: 0, rss: 0 };
  const look = setInterval(() => {
    const { heapUsed, rss } = process.memoryUsage();
    peak.heap = Math.max(peak.heap, heapUsed);
    peak.rss = Math.max(peak.rss, rss);
  }, 100);
  const from = performance.now();
  await sail(measured, journal);
  const tookMs = performance.now() - from;
  clearInterval(look);
  await journal.close();
  await rm(dir, { recursive: true });
  const figures = [
    servers,
    cost.applied,
    (tookMs / 1000).toFixed(2),
    Math.round((cost.applied / tookMs) * 1000),
    ((cost.apply / cost.applied) * 1000).toFixed(1),
    ((cost.next / cost.asked) * 1000).toFixed(1),
    Math.round(peak.heap / 1e6),
    Math.round(peak.rss / 1e6),
  ];
  process.stdout.write(
    `${figures.map((each, at) => String(each).padStart([7, 8, 9, 10, 10, 9, 14, 13][at] ?? 0)).join(' ')}\n`,
  );
}
