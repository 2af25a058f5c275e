import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Berth } from './berth.ts';
import { AT_A_TIME, POINTS, type Point, type Sort } from './points.ts';

/**
 * `npm run test:exact -- [--sort kill|random|once|lasting] [--only fsync] [--every 1] [--at-once 2] [--times 300]`: the engine of a real run is met, under
 * strace, by SIGKILL at every write and every flush of its journal and of its claims, or by an error of the disk at
 * one of them (`once`) or at all from there on (`lasting`), or by SIGKILL at `--times` random times (`random`); then it is resumed. The lab's own record judges.
 */
const { values } = parseArgs({
  options: {
    sort: { type: 'string', multiple: true, default: ['kill', 'random', 'once', 'lasting'] },
    only: { type: 'string', default: '' },
    times: { type: 'string', default: '300' },
    every: { type: 'string', default: '1' },
    'at-once': { type: 'string', default: '2' },
  },
});
const stateDir = await mkdtemp(join(tmpdir(), 'neap-exact-'));
const atOnce = Number(values['at-once']);
const from = Date.now();
let faults = 0;
let tried = 0;
let struck = 0;
const berths: Berth[] = [];
try {
  for (let at = 0; at < atOnce; at += 1) berths.push(await Berth.open(stateDir, `exact-${at}`));
  await Promise.all(berths.map((berth) => berth.rehearse()));
  for (const sort of values.sort as Sort[]) {
    for (const point of POINTS[sort].filter(({ title }) => title.includes(values.only))) await sweep(berths, point);
  }
} catch (error) {
  faults += 1;
  process.stdout.write(`${error instanceof Error ? error.message : String(error)}\n`);
} finally {
  await Promise.all(berths.map((berth) => berth.close()));
}
process.stdout.write(
  `${struck} of ${tried} points struck, ${faults} of them wrong; ${Math.round((Date.now() - from) / 1000)} s\n`,
);
if (faults === 0) await rm(stateDir, { recursive: true, force: true });
else process.stdout.write(`Journals, traces and logs: ${stateDir}\n`);
process.exitCode = faults === 0 && struck > 0 ? 0 : 1;

/** Strikes at the first, the second, ... call until the run gets through without being struck. */
async function sweep(berths: readonly Berth[], point: Point): Promise<void> {
  const step = Math.max(1, Number(values.every)) * point.stride;
  let next = 1;
  let isThrough = false;
  const ends = new Map<string, number>();
  await Promise.all(
    berths.map(async (berth) => {
      while (!isThrough) {
        const at = next;
        next += step;
        if (point === AT_A_TIME && at > Number(values.times)) return;
        const { struck: wasStruck, end, wrong } = await berth.strike(point, at);
        tried += 1;
        if (wasStruck) struck += 1;
        else if (point !== AT_A_TIME) isThrough = true;
        ends.set(end, (ends.get(end) ?? 0) + 1);
        if (wrong.length === 0) continue;
        faults += 1;
        process.stdout.write(`${point.title}, number ${at}: WRONG: ${wrong.join('; ')} (${berth.run})\n`);
      }
    }),
  );
  const counts = [...ends].map(([end, count]) => `${count} ${end}`).join(', ');
  process.stdout.write(`${point.title}: ${counts}\n`);
}
