import { linkSync, lstatSync, rmSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { dirname } from 'node:path';
import { OPEN_WAIT_MS } from './limits.ts';
import { holdersOf } from './holders.ts';
import type { OpenMode } from './messages.ts';
import { checkCompanions, checkDirectory, checkFile, claimDirectory, createFile, flushDirectory } from './place.ts';
import { openDatabase, pragma, setPragmas } from './sqlite.ts';
import { TroubleError, troubleFrom } from './trouble.ts';

/** "neap" in ASCII: tells a journal from any other SQLite file. */
const APPLICATION_ID = 0x6e656170;
const FORMAT = 1;

/**
 * Opens a journal's file. For its owner: with the lock that keeps everybody else out, held until it is closed, and
 * with every commit flushed before it returns. For a reader: changing nothing. Throws TroubleError.
 */
export function openJournalFile(path: string, mode: OpenMode): DatabaseSync {
  if (mode === 'create') {
    claimDirectory(dirname(path));
    checkCompanions(path);
  } else {
    checkDirectory(dirname(path));
  }
  finishMaking(path);
  const isThere = lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  if (mode === 'create' && !isThere) makeFile(path);
  checkFile(path);
  checkCompanions(path);
  try {
    if (mode === 'create' && isThere) {
      // Whoever holds it is named; else it is there, and is not begun again.
      openForReading(path).close();
      throw new TroubleError('exists', 'there is a journal already', path);
    }
    return mode === 'read' ? openForReading(path) : openForOwner(path);
  } catch (error) {
    const trouble = troubleFrom(error, path, 'damaged');
    if (trouble.reason !== 'in-use') throw error;
    const holders = holdersOf(path);
    throw new TroubleError(
      'in-use',
      `it is held by ${holders.length === 0 ? 'another process' : `process ${holders.join(', ')}`}`,
      path,
    );
  }
}

function openForReading(path: string): DatabaseSync {
  const database = openDatabase(path, { readOnly: true, busyMs: OPEN_WAIT_MS });
  try {
    checkFormat(database, path);
    checkSound(database, path);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * Makes the file under another name and gives it its own when it is whole: a journal is there with its tables, or it
 * is not there, wherever a creation is cut short.
 */
function makeFile(path: string): void {
  const making = makingOf(path);
  for (const suffix of ['', '-journal', '-wal', '-shm']) rmSync(making + suffix, { force: true });
  createFile(making);
  const database = openDatabase(making, { readOnly: false, busyMs: OPEN_WAIT_MS });
  try {
    setPragmas(database, making, [
      ['synchronous', 'EXTRA', 3],
      ['fullfsync', 'ON', 1],
    ]);
    createTables(database);
    // Before it has its name: a change of mode that is cut short leaves what only a writer could mend.
    setPragmas(database, making, [['journal_mode', 'WAL', 'wal']]);
  } finally {
    database.close();
  }
  try {
    // Unlike a rename, it does not replace what is there.
    linkSync(making, path);
  } catch (error) {
    rmSync(making, { force: true });
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new TroubleError('exists', 'there is a journal already', path);
  }
  rmSync(making);
  flushDirectory(dirname(path));
}

/** Takes away the name under which a journal was made, when it has its own. */
function finishMaking(path: string): void {
  const making = lstatSync(makingOf(path), { throwIfNoEntry: false });
  if (making !== undefined && making.ino === lstatSync(path, { throwIfNoEntry: false })?.ino) rmSync(makingOf(path));
}

function makingOf(path: string): string {
  return `${path}-new`;
}

function openForOwner(path: string): DatabaseSync {
  const database = openDatabase(path, { readOnly: false, busyMs: OPEN_WAIT_MS });
  try {
    // Before the first access of the log: then the log's index is kept in memory, and no second process gets in.
    setPragmas(database, path, [['locking_mode', 'EXCLUSIVE', 'exclusive']]);
    checkFormat(database, path);
    setPragmas(database, path, [
      ['journal_mode', 'WAL', 'wal'],
      // In WAL mode FULL flushes once a commit; NORMAL would lose acknowledged commits with the power.
      ['synchronous', 'FULL', 2],
      // On macOS only this reaches the disk itself; elsewhere it does nothing.
      ['fullfsync', 'ON', 1],
      ['checkpoint_fullfsync', 'ON', 1],
    ]);
    writeAnew(database, path);
    checkSound(database, path);
    flushDirectory(dirname(path));
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * What an earlier owner left in the log is copied into the file and flushed, and the log begun anew, before any of
 * it is believed. When a flush fails, Linux marks the pages as written although they are not: what is read back then
 * comes from memory, and flushing once more says yes without a write. Were the log gone on with behind such a page, the
 * next loss of power would end it there, and every commit behind it would be lost although it was acknowledged. A page
 * that is written again is flushed again. The same goes for the file's own pages, since SQLite gives up the log only
 * after the file was flushed: whatever a failed flush of the file may have lost is still in the log, and written anew.
 */
function writeAnew(database: DatabaseSync, path: string): void {
  const done = database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get();
  if (done?.['busy'] !== 0)
    throw new TroubleError('outcome-unknown', 'the log of an earlier engine could not be copied into the file', path);
}

function createTables(database: DatabaseSync): void {
  database.exec(`
    BEGIN IMMEDIATE;
    CREATE TABLE event (
      seq INTEGER PRIMARY KEY,
      at_ms REAL NOT NULL,
      epoch INTEGER NOT NULL,
      event TEXT NOT NULL,
      prev TEXT NOT NULL,
      hash TEXT NOT NULL
    ) STRICT;
    -- One row: how often the journal was opened for writing.
    CREATE TABLE owner (only INTEGER PRIMARY KEY CHECK (only = 1), epoch INTEGER NOT NULL) STRICT;
    INSERT INTO owner VALUES (1, 0);
    PRAGMA application_id = ${APPLICATION_ID};
    PRAGMA user_version = ${FORMAT};
    COMMIT`);
}

function checkFormat(database: DatabaseSync, path: string): void {
  if (pragma(database, 'application_id') !== APPLICATION_ID) {
    throw new TroubleError('damaged', 'it is not a journal', path);
  }
  const format = pragma(database, 'user_version');
  if (format !== FORMAT)
    throw new TroubleError('unsupported', `the journal has format ${format}, this neap knows ${FORMAT}`, path);
}

function checkSound(database: DatabaseSync, path: string): void {
  const answer = pragma(database, 'quick_check(1)');
  if (answer !== 'ok')
    throw new TroubleError('damaged', `SQLite's quick_check says: ${String(answer).slice(0, 200)}`, path);
}
