/** A long campaign: `npm run simulate -- --seeds 1..100000`. Ends with 1 at the first broken promises, each with its transcript. */
await import(new URL('../../bin/register.js', import.meta.url).href);
const { simulate, SimulationFailed } = await import('./simulate.ts');

const say = (to: NodeJS.WriteStream, text: string): void => void to.write(`${text}\n`);
const FAILURES_MAX = 5;
const range = /^(\d+)\.\.(\d+)$/.exec(process.argv[process.argv.indexOf('--seeds') + 1] ?? '');
if (!range) {
  say(process.stderr, 'Say which seeds: --seeds 1..100000');
  process.exit(2);
}
const counts = new Map<string, number>();
const broken = new Map<string, number>();
const startedAtMs = Date.now();
let events = 0;
for (let seed = Number(range[1]); seed <= Number(range[2]); seed += 1) {
  try {
    const told = await simulate(seed);
    const key = told === null ? 'refused by its preview' : `${told.runbook}: ${told.outcome}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
    events += told?.events.length ?? 0;
  } catch (error) {
    if (!(error instanceof SimulationFailed)) throw error;
    const times = broken.get(error.promise) ?? 0;
    broken.set(error.promise, times + 1);
    if (times === 0 || process.argv.includes('--all')) say(process.stderr, `${error.message}\n`);
    else say(process.stderr, error.message.split('\n', 1).join(''));
    if ([...broken.values()].reduce((sum, each) => sum + each, 0) >= FAILURES_MAX) break;
  }
}
say(
  process.stdout,
  [...counts]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, count]) => `${String(count).padStart(8)} ${key}`)
    .join('\n'),
);
say(
  process.stdout,
  `${events} events in ${Math.round((Date.now() - startedAtMs) / 1000)} s; broken: ${JSON.stringify(Object.fromEntries(broken))}`,
);
process.exitCode = broken.size > 0 ? 1 : 0;
