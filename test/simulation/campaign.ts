/**
 * The simulation by hand. `npm run simulate -- --seeds 1..200000` runs a campaign, on as many workers as there are
 * cores, and ends with 1 when a promise was broken: the first seed of each is shrunk and told. `--seed N` tells one.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import type { Planted } from './engine.ts';
import type { Lot } from './worker.ts';

await import(new URL('../../bin/register.js', import.meta.url).href);
const { shapeOf } = await import('./shape.ts');
const { BUGS } = await import('./planted.ts');
const { shrink } = await import('./shrink.ts');
const { simulate, SimulationFailed } = await import('./simulate.ts');
const { transcript } = await import('./transcript.ts');

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    seed: { type: 'string' },
    /** Tells the whole seed as it is, not the least world that breaks the same. */
    whole: { type: 'boolean', default: false },
    workers: { type: 'string' },
    /** Shows that each planted bug is found, and after how many seeds. */
    planted: { type: 'boolean', default: false },
  },
});
/** After so many failures a campaign has told enough. */
const FAILURES_MAX = 20;
/** How far it is gets told every so many runs. */
const TOLD_EVERY = 10_000;

const say = (text: string): void => void process.stdout.write(`${text}\n`);
if (values.planted) process.exitCode = (await findPlanted()) ? 0 : 1;
else if (values.seed !== undefined) process.exitCode = (await tell(Number(values.seed), values.whole)) ? 0 : 1;
else process.exitCode = (await campaign(values.seeds ?? '', Number(values.workers ?? availableParallelism()))) ? 0 : 1;

async function campaign(seeds: string, workers: number): Promise<boolean> {
  const [, first, last] = /^(\d+)\.\.(\d+)$/.exec(seeds) ?? [];
  if (first === undefined || last === undefined) {
    say('Say which seeds: --seeds 1..100000, or --seed 7');
    return false;
  }
  const startedAtMs = Date.now();
  const counts = new Map<string, number>();
  const broken = new Map<string, { readonly seed: number; readonly what: string }[]>();
  let events = 0;
  let failures = 0;
  let done = 0;
  let told = 0;
  const running = Array.from({ length: workers }, (_, index) => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      // Most of what a run makes is gone with it.
      resourceLimits: { maxYoungGenerationSizeMb: 64 },
      workerData: { from: Number(first) + index, to: Number(last), step: workers },
    });
    worker.on('message', (lot: Lot) => {
      for (const [key, count] of Object.entries(lot.counts)) counts.set(key, (counts.get(key) ?? 0) + count);
      events += lot.events;
      for (const { seed, promise, what } of lot.failures) {
        say(what.split('\n', 1).join(''));
        broken.set(promise, [...(broken.get(promise) ?? []), { seed, what }]);
        failures += 1;
      }
      done += Object.values(lot.counts).reduce((sum, count) => sum + count, lot.failures.length);
      if (Math.floor(done / TOLD_EVERY) > told)
        process.stderr.write(`${(told = Math.floor(done / TOLD_EVERY)) * TOLD_EVERY} runs\n`);
      if (failures >= FAILURES_MAX) void worker.terminate();
    });
    return new Promise<void>((resolve, reject) => {
      worker.once('error', reject);
      worker.once('exit', () => resolve());
    });
  });
  await Promise.all(running);
  const seconds = (Date.now() - startedAtMs) / 1000;
  const runs = [...counts.values()].reduce((sum, count) => sum + count, failures);
  for (const [, [one]] of broken) if (one) await tell(one.seed, false);
  for (const [key, count] of [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)))
    say(`${String(count).padStart(8)} ${key}`);
  say(
    `${runs} runs, ${events} events in ${Math.round(seconds)} s: ${Math.round((runs / seconds) * 60)} runs a minute on ${workers} workers`,
  );
  for (const [promise, all] of broken)
    say(`${promise} is broken by ${all.length} seeds: ${all.map(({ seed }) => seed).join(', ')}`);
  if (broken.size === 0) say('every promise was kept');
  return broken.size === 0;
}

/** Each planted bug, the promise that it breaks, and how many seeds it took to find it. */
async function findPlanted(): Promise<boolean> {
  let found = 0;
  say('seeds  events  promise         planted bug');
  for (const { name, promise, planted, within } of BUGS) {
    const failed = await search(promise, planted, within);
    found += failed ? 1 : 0;
    const events = failed ? (await shrink(failed, planted)).events : '-';
    say(
      `${String(failed?.shape.seed ?? 'none').padStart(5)}  ${String(events).padStart(6)}  ${promise.padEnd(14)}  ${name}`,
    );
  }
  say(
    `${found} of ${BUGS.length} planted bugs were found, each within the seeds that it states; events: of the shrunk transcript`,
  );
  return found === BUGS.length;
}

async function search(
  promise: string,
  planted: Planted,
  within: number,
): Promise<InstanceType<typeof SimulationFailed> | null> {
  for (let seed = 1; seed <= within; seed += 1) {
    try {
      await simulate(seed, planted);
    } catch (error) {
      if (!(error instanceof SimulationFailed)) throw error;
      if (error.promise === promise) return error;
    }
  }
  return null;
}

/** One seed: its story, or the shortest one that breaks the same promise. */
async function tell(seed: number, whole: boolean): Promise<boolean> {
  try {
    const told = await simulate(seed);
    const shape = told?.shape ?? shapeOf(seed);
    say(transcript({ shape, events: told?.events ?? [], state: null }, Infinity));
    say(told === null ? `seed ${seed}: refused by its preview` : `seed ${seed}: ${told.outcome}`);
    return true;
  } catch (error) {
    if (!(error instanceof SimulationFailed)) throw error;
    const least = whole ? error : await shrink(error);
    say(`\n${least.message}\n${least.transcript}`);
    say(
      `(shrunk from ${error.events} events to ${least.events}; see it again: npm run simulate -- --seed ${seed}${whole ? ' --whole' : ''})\n`,
    );
    return false;
  }
}
