import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import type { SharedFile } from '../ports/index.ts';
import { JournalFailure } from './failure.ts';
import { SHARED_TRIES_MAX, SHARED_WAIT_MS } from './limits.ts';
import { checkCompanions, checkFile, claimDirectory, createFile } from './place.ts';
import { openDatabase, pragma, setPragmas } from './sqlite.ts';
import { TroubleError, troubleFrom } from './trouble.ts';

/** What a small database is, and how its tables come to be. */
export interface SmallDatabase {
  /** As messages call it, e.g. `the registry`. */
  readonly name: string;
  readonly applicationId: number;
  readonly format: number;
  /** Makes the tables, or brings those of an older format up to this one; 0: there are none. */
  readonly prepare: (database: DatabaseSync, format: number) => void;
}

/**
 * A database file (0600, in a directory of its own user, 0700) that several processes share: every transaction opens
 * it, is flushed when it resolves, and closes it again. Rejects with JournalFailure: `in-use` when others kept it busy
 * for too long, `outcome-unknown` after an I/O error, `unsafe-place`, `damaged`, `unsupported`.
 */
export async function openSmallDatabase(path: string, shape: SmallDatabase): Promise<SharedFile<DatabaseSync>> {
  await transact(
    path,
    shape,
    () => null,
    () => claimDirectory(dirname(path)),
  );
  return { transact: (work) => transact(path, shape, work) };
}

/**
 * One short connection, one transaction. Whoever finds the file busy waits outside SQLite, whose own waiting would
 * stop the event loop, and tries again.
 */
async function transact<T>(
  path: string,
  shape: SmallDatabase,
  work: (database: DatabaseSync) => T,
  before: () => void = () => {},
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      before();
      return once(path, shape, work);
    } catch (error) {
      const trouble = troubleFrom(error, path, 'outcome-unknown');
      if (trouble.reason !== 'in-use' || tries >= SHARED_TRIES_MAX)
        throw new JournalFailure(trouble, 'RUN', { cause: error });
    }
    await wait(SHARED_WAIT_MS);
  }
}

function once<T>(path: string, shape: SmallDatabase, work: (database: DatabaseSync) => T): T {
  createFile(path);
  checkFile(path);
  checkCompanions(path);
  const database = openDatabase(path, { readOnly: false, busyMs: 0 });
  try {
    // A rollback journal and not WAL: connections are short, and several processes come and go.
    setPragmas(database, path, [
      ['journal_mode', 'DELETE', 'delete'],
      ['synchronous', 'EXTRA', 3],
      ['fullfsync', 'ON', 1],
    ]);
    database.exec('BEGIN IMMEDIATE');
    prepareTables(database, path, shape);
    const result = work(database);
    database.exec('COMMIT');
    return result;
  } finally {
    // Rolls back what was not committed.
    database.close();
  }
}

function prepareTables(
  database: DatabaseSync,
  path: string,
  { name, applicationId, format, prepare }: SmallDatabase,
): void {
  const id = pragma(database, 'application_id');
  const found = Number(pragma(database, 'user_version'));
  if (id === applicationId && found === format) return;
  if (id === applicationId && found > format)
    throw new TroubleError('unsupported', `${name} has format ${found}, this neap knows ${format}`, path);
  if (id !== applicationId && (id !== 0 || found !== 0))
    throw new TroubleError('damaged', `it is not ${name} of neap`, path);
  prepare(database, found);
  database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${format};`);
}
