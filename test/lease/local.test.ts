import { spawn } from 'node:child_process';
import { statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { openSmallDatabase } from '../../src/journal/index.ts';
import { localClaims, openLocalStore } from '../../src/lease/index.ts';
import type { LeaseStore } from '../../src/ports/index.ts';
import { failureOf, folder } from '../journal/folder.ts';
import { leaseContract } from './contract.ts';
import { wish } from './wishes.ts';

async function store(directory: string, nowMs = Date.now): Promise<LeaseStore> {
  return openLocalStore(await openSmallDatabase(localClaims.path(directory), localClaims), nowMs);
}

leaseContract('a local file', async () => {
  const directory = join(folder(), 'neap');
  let aheadMs = 0;
  const nowMs = (): number => Date.now() + aheadMs;
  const second = (): Promise<void> => Promise.resolve(void (aheadMs += 1_100));
  return { one: await store(directory, nowMs), other: await store(directory, nowMs), second };
});

test('several processes at once never hold a server together, and no epoch is given twice', async () => {
  const directory = join(folder(), 'neap');
  const claimer = join(import.meta.dirname, 'children', 'claimer.ts');
  const outputs = await Promise.all(
    ['a', 'b', 'c'].map((run) =>
      text(spawn(process.execPath, [claimer, directory, run, '15'], { stdio: ['ignore', 'pipe', 'inherit'] }).stdout),
    ),
  );
  const granted = outputs.flatMap((output) => JSON.parse(output) as { epoch: number; alone: boolean }[]);
  expect(granted.length).toBeGreaterThan(0);
  expect(granted.filter(({ alone }) => !alone)).toStrictEqual([]);
  expect(granted.map(({ epoch }) => epoch).sort((a, b) => a - b)).toStrictEqual(granted.map((_, n) => n + 1));
  expect(await (await store(directory)).holdings()).toStrictEqual([]);
});

test('who waits for a busy file does not stop the event loop', async () => {
  const directory = join(folder(), 'neap');
  const lease = await store(directory);
  const holder = new DatabaseSync(join(directory, 'registry.db'));
  holder.exec('BEGIN IMMEDIATE');
  const claimed = lease.claim(wish('one', ['f/api-1']));
  let turns = 0;
  while (turns < 20) turns = await new Promise((resolve) => setImmediate(() => resolve(turns + 1)));
  holder.exec('COMMIT');
  holder.close();
  expect(await claimed).toMatchObject({ granted: true, epoch: 1 });
});

test('its file is for its owner only; a link or a strange database is refused', async () => {
  const directory = join(folder(), 'neap');
  await store(directory);
  expect(
    [directory, join(directory, 'registry.db')].map((path) => (statSync(path).mode & 0o777).toString(8)),
  ).toStrictEqual(['700', '600']);
  const second = folder();
  symlinkSync(join(directory, 'registry.db'), join(second, 'registry.db'));
  expect((await failureOf(store(second))).reason).toBe('unsafe-place');
  const raw = new DatabaseSync(join(directory, 'registry.db'));
  raw.exec('PRAGMA application_id = 7');
  raw.close();
  expect((await failureOf(store(directory))).reason).toBe('damaged');
});

test('claims that an older neap made still hold, and a newer one’s file is left alone', async () => {
  const directory = join(folder(), 'neap');
  await store(directory);
  const raw = new DatabaseSync(join(directory, 'registry.db'));
  raw.exec(`DROP TABLE claim; DROP TABLE holding;
    CREATE TABLE claim (server TEXT PRIMARY KEY, run TEXT NOT NULL, epoch INTEGER NOT NULL, since_ms REAL NOT NULL, by TEXT NOT NULL) STRICT;
    INSERT INTO claim VALUES ('f/api-1', 'old', 6, 1000.5, 'ada'), ('f/api-2', 'old', 6, 1000.5, 'ada');
    UPDATE counter SET epoch = 6;
    PRAGMA user_version = 1;`);
  raw.close();
  const lease = await store(directory);
  expect(await lease.holdings()).toMatchObject([
    { run: 'old', epoch: 6, sinceMs: 1000.5, by: 'ada', servers: ['f/api-1', 'f/api-2'] },
  ]);
  expect(await lease.claim(wish('old', ['f/api-1'], { supersedes: 6 }))).toMatchObject({ granted: true, epoch: 7 });
  const newer = new DatabaseSync(join(directory, 'registry.db'));
  newer.exec('PRAGMA user_version = 99');
  newer.close();
  expect((await failureOf(store(directory))).reason).toBe('unsupported');
});
