import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import type { Claim } from '../ports/index.ts';
import { JournalFailure } from './failure.ts';
import { REGISTRY_TRIES_MAX, REGISTRY_WAIT_MS } from './limits.ts';
import { checkCompanions, checkFile, claimDirectory, createFile } from './place.ts';
import { openDatabase, pragma, setPragmas } from './sqlite.ts';
import { TroubleError, troubleFrom } from './trouble.ts';

export type ClaimAnswer =
  | { readonly granted: true; readonly epoch: number }
  /** Nothing was claimed: these servers are held by these runs. */
  | { readonly granted: false; readonly conflicts: readonly Claim[] };

/**
 * Which run holds which servers, for all neap processes of this machine and user. Every method is one transaction,
 * flushed when it resolves; each rejects with JournalFailure: `in-use` when others kept it busy for too long,
 * `outcome-unknown` after an I/O error.
 */
export interface Registry {
  /**
   * Claims all the servers for a run, or none. The epoch is higher than any that was ever given here, so that
   * whoever acts on a server can refuse an engine with a lower one. A run that claims again (resume) lets go of what it held and
   * gets a new epoch: the engine that held it before is stale.
   */
  claim(run: string, servers: readonly string[], by: string, sinceMs: number): Promise<ClaimAnswer>;
  /** Lets go of all that a run holds; nothing happens when it holds nothing. */
  release(run: string): Promise<void>;
  claims(): Promise<readonly Claim[]>;
  /** The epoch of a run's claim; null when it holds nothing. An engine with a lower one is stale and stops. */
  epoch(run: string): Promise<number | null>;
}

const APPLICATION_ID = 0x6e617072;
const FORMAT = 1;

/** The registry of a directory (0700, made where it is missing); its file is `registry.db`. */
export async function openRegistry(directory: string): Promise<Registry> {
  const path = join(directory, 'registry.db');
  await transact(
    path,
    () => null,
    () => claimDirectory(directory),
  );
  return {
    claim: (run, servers, by, sinceMs) => {
      if (servers.length === 0)
        return Promise.reject(new TypeError('a claim without servers: an empty selection is never "all"'));
      return transact(path, (database) => claim(database, run, new Set(servers), by, sinceMs));
    },
    release: (run) => transact(path, (database) => void database.prepare('DELETE FROM claim WHERE run = ?').run(run)),
    claims: () =>
      transact(
        path,
        (database) => database.prepare(`${SELECT} ORDER BY since_ms, run, server`).all() as unknown as readonly Claim[],
      ),
    epoch: (run) =>
      transact(path, (database) => {
        const row = database.prepare('SELECT max(epoch) AS epoch FROM claim WHERE run = ?').get(run);
        return typeof row?.['epoch'] === 'number' ? row['epoch'] : null;
      }),
  };
}

const SELECT = 'SELECT run, server, epoch, since_ms AS sinceMs, by FROM claim';

function claim(
  database: DatabaseSync,
  run: string,
  servers: ReadonlySet<string>,
  by: string,
  sinceMs: number,
): ClaimAnswer {
  const held = database.prepare(`${SELECT} WHERE server = ? AND run <> ?`);
  const conflicts = [...servers].flatMap((server) => held.all(server, run) as unknown as Claim[]);
  if (conflicts.length > 0) return { granted: false, conflicts };
  const epoch = Number(database.prepare('UPDATE counter SET epoch = epoch + 1 RETURNING epoch').get()?.['epoch']);
  database.prepare('DELETE FROM claim WHERE run = ?').run(run);
  const insert = database.prepare('INSERT INTO claim (server, run, epoch, since_ms, by) VALUES (?, ?, ?, ?, ?)');
  for (const server of servers) insert.run(server, run, epoch, sinceMs, by);
  return { granted: true, epoch };
}

/**
 * One short connection, one transaction. Whoever finds the file busy waits outside SQLite, whose own waiting would
 * stop the event loop, and tries again.
 */
async function transact<T>(
  path: string,
  work: (database: DatabaseSync) => T,
  before: () => void = () => {},
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      before();
      return once(path, work);
    } catch (error) {
      const trouble = troubleFrom(error, path, 'outcome-unknown');
      if (trouble.reason !== 'in-use' || tries >= REGISTRY_TRIES_MAX)
        throw new JournalFailure(trouble, 'RUN', { cause: error });
    }
    await wait(REGISTRY_WAIT_MS);
  }
}

function once<T>(path: string, work: (database: DatabaseSync) => T): T {
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
    prepareTables(database, path);
    const result = work(database);
    database.exec('COMMIT');
    return result;
  } finally {
    // Rolls back what was not committed.
    database.close();
  }
}

function prepareTables(database: DatabaseSync, path: string): void {
  const id = pragma(database, 'application_id');
  const format = pragma(database, 'user_version');
  if (id === APPLICATION_ID && format === FORMAT) return;
  if (id === APPLICATION_ID)
    throw new TroubleError('unsupported', `the registry has format ${format}, this neap knows ${FORMAT}`, path);
  if (id !== 0 || format !== 0) throw new TroubleError('damaged', 'it is not a registry of neap', path);
  database.exec(`
    CREATE TABLE claim (
      server TEXT PRIMARY KEY,
      run TEXT NOT NULL,
      epoch INTEGER NOT NULL,
      since_ms REAL NOT NULL,
      by TEXT NOT NULL
    ) STRICT;
    CREATE TABLE counter (only INTEGER PRIMARY KEY CHECK (only = 1), epoch INTEGER NOT NULL) STRICT;
    INSERT INTO counter VALUES (1, 0);
    PRAGMA application_id = ${APPLICATION_ID};
    PRAGMA user_version = ${FORMAT};`);
}
