/**
 * Durable events a second: `node bench/journal.ts`. The journal (worker thread, canonical JSON, hash chain, group
 * commit) beside the least that could be called durable: the same texts, inserted by a bare loop in groups of the same
 * size into SQLite with the same settings, and flushed once a group. Both on the disk of the temporary folder, in turn,
 * five times; medians. It does not measure what a slower disk's flush would hide.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createJournal } from '../src/journal/index.ts';
import type { JsonObject } from '../src/model/index.ts';

const ROUNDS = 5;
const GROUPS = [1, 16, 200];

/** An event of the commonest sort, of the commonest size. */
function eventOf(at: number): JsonObject {
  const id = `main/6.${at % 50}/api-${String(at % 10_000).padStart(5, '0')}/perform/0`;
  const place = { track: 'main', step: 6, wave: at % 50, target: `api-${String(at % 10_000).padStart(5, '0')}` };
  return { type: 'intended', effect: { effect: 'perform', id, place, change: { from: 'online', to: 'offline' } } };
}

async function journaled(dir: string, events: readonly JsonObject[], group: number): Promise<number> {
  const journal = await createJournal(join(dir, 'journal.db'));
  const from = performance.now();
  let waiting: Promise<unknown>[] = [];
  for (let at = 0; at < events.length; at += group) {
    waiting.push(journal.append(events.slice(at, at + group).map((event) => ({ atMs: at, event }))));
    // What the engine does: the next batch is folded and made while the last one is written.
    if (waiting.length === 2) {
      await waiting[0];
      waiting = waiting.slice(1);
    }
  }
  await Promise.all(waiting);
  const tookMs = performance.now() - from;
  await journal.close();
  return (events.length / tookMs) * 1000;
}

function bare(dir: string, events: readonly JsonObject[], group: number): number {
  const database = new DatabaseSync(join(dir, 'bare.db'));
  database.exec('PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL');
  database.exec(
    'CREATE TABLE event (seq INTEGER PRIMARY KEY, at_ms REAL, epoch INTEGER, event TEXT, prev TEXT, hash TEXT) STRICT',
  );
  const insert = database.prepare('INSERT INTO event VALUES (?, ?, 1, ?, ?, ?)');
  const link = '0'.repeat(64);
  const texts = events.map((event) => JSON.stringify(event));
  const from = performance.now();
  for (let at = 0; at < texts.length; at += group) {
    database.exec('BEGIN IMMEDIATE');
    for (let each = at; each < Math.min(at + group, texts.length); each += 1)
      insert.run(each, at, texts[each] ?? '', link, link);
    database.exec('COMMIT');
  }
  const tookMs = performance.now() - from;
  database.close();
  return (events.length / tookMs) * 1000;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

process.stdout.write('events a group   journal events/s   bare events/s   ratio\n');
for (const group of GROUPS) {
  const events = Array.from({ length: group === 1 ? 5_000 : 50_000 }, (_, at) => eventOf(at));
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const dir = await mkdtemp(join(tmpdir(), 'neap-bench-'));
    ours.push(await journaled(dir, events, group));
    theirs.push(bare(dir, events, group));
    await rm(dir, { recursive: true });
  }
  const [journal, raw] = [median(ours), median(theirs)];
  process.stdout.write(
    `${String(group).padStart(14)} ${String(Math.round(journal)).padStart(18)} ${String(Math.round(raw)).padStart(15)} ${(journal / raw).toFixed(2).padStart(7)}\n`,
  );
}
