/**
 * `npm run validate`: published results beside what the simulator makes of them. `--only V5` (or V5,V8) takes some of
 * them, `--seeds N` so many seeds for each. Ends with 1 when a median lies outside of its stated tolerance.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { checks } from './checks.ts';
import type { Check, Row } from './row.ts';
import { summaryOf, tableOf } from './table.ts';

const { values } = parseArgs({
  options: { only: { type: 'string' }, seeds: { type: 'string', default: '9' } },
});
const known = checks.map(({ id }) => id);
const only = values.only?.toUpperCase().split(',') ?? known;
const unknown = only.filter((id) => !known.includes(id));
const count = Number(values.seeds);
const say = (text: string): void => void process.stdout.write(`${text}\n`);

if (unknown.length > 0) {
  say(`There is no ${unknown.join(', ')} here; there are ${known.join(', ')}.`);
  process.exitCode = 2;
} else if (!Number.isInteger(count) || count < 1) {
  say('--seeds takes a whole number above zero.');
  process.exitCode = 2;
} else {
  const seeds = Array.from({ length: count }, (_, at) => at + 1);
  process.exitCode = (await validate(
    checks.filter(({ id }) => only.includes(id)),
    seeds,
  ))
    ? 0
    : 1;
}

/** As many at once as there are cores, told in the order of the table. */
async function validate(wanted: readonly Check[], seeds: readonly number[]): Promise<boolean> {
  const results = wanted.map((check) => ({ check, ...Promise.withResolvers<readonly Row[]>() }));
  const waiting = [...results];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      await rowsOf(next.check, seeds).then(next.resolve, next.reject);
    }
  };
  const working = Array.from({ length: availableParallelism() }, work);
  const all: Row[] = [];
  for (const { check, promise } of results) {
    const rows = await promise;
    all.push(...rows);
    say(`${tableOf(check, rows)}\n`);
  }
  await Promise.all(working);
  const { text, good } = summaryOf(all);
  say(`${text}; ${seeds.length} seeds each.`);
  return good;
}

function rowsOf({ id }: Check, seeds: readonly number[]): Promise<readonly Row[]> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: { id, seeds } });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}
