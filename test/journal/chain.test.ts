import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createJournal, openJournal, readJournal, verifyChain } from '../../src/journal/index.ts';
import type { JournalRow } from '../../src/ports/index.ts';
import { events, failureOf, folder } from './folder.ts';

/** A journal of 20 events, closed; each test spoils a copy. */
const kept = mkdtempSync(join(tmpdir(), 'neap-journal-'));
const sound = join(kept, 'run.db');

beforeAll(async () => {
  const journal = await createJournal(sound);
  await journal.append(events(20));
  await journal.close();
});

afterAll(() => rmSync(kept, { recursive: true, force: true }));

test.each([
  ["UPDATE event SET event = replace(event, 'api-4', 'api-5') WHERE seq = 12", 12, 'event 12 is not what was written'],
  ['UPDATE event SET at_ms = at_ms + 0.5 WHERE seq = 3', 3, 'event 3 is not what was written'],
  ['UPDATE event SET epoch = 2 WHERE seq = 20', 20, 'event 20 is not what was written'],
  ["UPDATE event SET hash = replace(hash, 'a', 'b') WHERE seq = 7", 7, 'event 7 is not what was written'],
  ['DELETE FROM event WHERE seq = 5', 5, 'event 5 is missing: event 6 stands in its place'],
  [
    'DELETE FROM event WHERE seq = 5; UPDATE event SET seq = seq - 1 WHERE seq > 5',
    5,
    'event 5 does not follow the event before it',
  ],
  ['DELETE FROM event WHERE seq = 1', 1, 'event 1 is missing: event 2 stands in its place'],
  [
    'UPDATE event SET seq = 99 WHERE seq = 8; UPDATE event SET seq = 8 WHERE seq = 9; UPDATE event SET seq = 9 WHERE seq = 99',
    8,
    'event 8 does not follow the event before it',
  ],
  [
    'INSERT INTO event SELECT 0, at_ms, epoch, event, prev, hash FROM event WHERE seq = 1',
    1,
    'event 0 stands where event 1 belongs',
  ],
])('%s: the first bad event is named, and nobody goes on with it', async (sql, seq, why) => {
  const path = join(folder(), 'run.db');
  copyFileSync(sound, path);
  const raw = new DatabaseSync(path);
  raw.exec(sql);
  raw.close();
  expect(verifyChain(await readJournal(path))).toStrictEqual({ ok: false, seq, why });
  const { reason, failure } = await failureOf(openJournal(path));
  expect([reason, failure.what]).toStrictEqual(['damaged', why]);
});

test('a row that is no JSON any more is named too', async () => {
  const path = join(folder(), 'run.db');
  copyFileSync(sound, path);
  const raw = new DatabaseSync(path);
  raw.exec("UPDATE event SET event = '{' WHERE seq = 2");
  raw.close();
  expect((await failureOf(readJournal(path))).failure.what).toBe('event 2 is not what was written');
});

test('any single change, removal or exchange of rows breaks the chain, at the first row that differs', async () => {
  const rows = await readJournal(sound);
  const at = fc.integer({ min: 0, max: rows.length - 1 });
  const change = fc.constantFrom<(row: JournalRow) => JournalRow>(
    (row) => ({ ...row, event: { ...row.event, n: -1 } }),
    (row) => ({ ...row, event: { ...row.event, more: null } }),
    (row) => ({ ...row, atMs: row.atMs + 1 }),
    (row) => ({ ...row, epoch: row.epoch + 1 }),
    (row) => ({ ...row, prev: row.hash }),
    (row) => ({ ...row, hash: row.prev }),
  );
  fc.assert(
    fc.property(at, change, (index, changed) => {
      expect(verifyChain(rows.map((row, n) => (n === index ? changed(row) : row)))).toMatchObject({
        ok: false,
        seq: index + 1,
      });
    }),
  );
  fc.assert(
    fc.property(at, fc.boolean(), (index, renumber) => {
      const removed = rows.toSpliced(index, 1).map((row, n) => (renumber ? { ...row, seq: n + 1 } : row));
      expect(verifyChain(removed)).toMatchObject(
        index === rows.length - 1 ? { ok: true } : { ok: false, seq: index + 1 },
      );
    }),
  );
  fc.assert(
    fc.property(at, at, (a, b) => {
      const other = rows.with(a, rows[b] as JournalRow).with(b, rows[a] as JournalRow);
      expect(verifyChain(other)).toMatchObject(a === b ? { ok: true } : { ok: false, seq: Math.min(a, b) + 1 });
    }),
  );
});

test('an empty journal has a sound chain', () => {
  expect(verifyChain([])).toStrictEqual({ ok: true, head: '0'.repeat(64) });
});
