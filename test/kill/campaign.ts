import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { voyage, type Voyage } from './voyage.ts';

/** `npm run test:kill -- --runs 50 [--seed 1] [--at-once 3]`: voyages whose engine is killed at random moments and resumed. */
const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '50' },
    seed: { type: 'string', default: '1' },
    'at-once': { type: 'string', default: '3' },
  },
});
const runs = Number(values.runs);
const first = Number(values.seed);
const stateDir = await mkdtemp(join(tmpdir(), 'neap-kill-'));
const from = Date.now();
const waiting = Array.from({ length: runs }, (_, at) => first + at);
const ended: Voyage[] = [];

async function worker(): Promise<void> {
  for (let seed = waiting.shift(); seed !== undefined; seed = waiting.shift()) {
    const sailed = await voyage(seed, stateDir);
    ended.push(sailed);
    const kills = sailed.kills.length > 0 ? `killed at ${sailed.kills.join('; ')}` : 'not killed';
    process.stdout.write(
      `seed ${sailed.seed} ${sailed.story}: ${sailed.faults.length === 0 ? 'as it should be' : `WRONG: ${sailed.faults.join('; ')}`} (${kills}; exit ${sailed.exitCode}; ${Math.round(sailed.tookMs / 100) / 10} s)\n`,
    );
  }
}

await Promise.all(Array.from({ length: Number(values['at-once']) }, worker));
const good = ended.filter((each) => each.faults.length === 0).length;
const kills = ended.reduce((sum, each) => sum + each.kills.length, 0);
process.stdout.write(
  `${good} of ${runs} voyages ended as they should; ${kills} kills in ${Math.round((Date.now() - from) / 1000)} s\n`,
);
if (good === runs) await rm(stateDir, { recursive: true, force: true });
else process.stdout.write(`Journals and logs: ${stateDir}\n`);
process.exitCode = good === runs ? 0 : 1;
