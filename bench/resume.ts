/**
 * How long an engine needs to stand again behind a journal of 100,000 events: `node bench/resume.ts`. Opening (SQLite's
 * own check, and the whole hash chain), reading and folding, each five times; medians. It does not measure starting
 * Node, claiming servers, or looking at them again.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createJournal, openJournal } from '../src/journal/index.ts';
import { createMachine, type RunEvent, type RunState } from '../src/run/index.ts';
import { nullPlan } from './null-fleet.ts';
import { sail } from './sail.ts';

/** 72 events a server, and three more. */
const SERVERS = 1_389;
const ROUNDS = 5;

const dir = await mkdtemp(join(tmpdir(), 'neap-bench-'));
const path = join(dir, 'journal.db');
const machine = createMachine(nullPlan(SERVERS));
const first = await createJournal(path);
await sail(machine, first);
await first.close();

const spent = { open: [] as number[], read: [] as number[], fold: [] as number[] };
let events = 0;
for (let round = 0; round < ROUNDS; round += 1) {
  const journal = await timed(spent.open, () => openJournal(path));
  const rows = await timed(spent.read, () => journal.read(1));
  await timed(spent.fold, () => {
    let state: RunState | null = null;
    for (const { atMs, event } of rows) state = machine.apply(state, { atMs, event: event as unknown as RunEvent });
    return Promise.resolve(state);
  });
  events = rows.length;
  await journal.close();
}
await rm(dir, { recursive: true });
const [open, read, fold] = [median(spent.open), median(spent.read), median(spent.fold)];
process.stdout.write(
  `${events} events: open and verify ${open} ms, read ${read} ms, fold ${fold} ms; in all ${open + read + fold} ms\n`,
);

async function timed<T>(into: number[], work: () => Promise<T>): Promise<T> {
  const from = performance.now();
  const result = await work();
  into.push(performance.now() - from);
  return result;
}

function median(values: readonly number[]): number {
  return Math.round(values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0);
}
