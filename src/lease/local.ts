import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { ClaimAnswer, ClaimWish, Holding, LeaseStore, SharedFile } from '../ports/index.ts';
import { refuseEmpty } from './wish.ts';

/** Where the claims of one state folder lie, and what they are kept in. */
export const localClaims = {
  path: (stateDir: string): string => join(stateDir, 'registry.db'),
  name: 'the registry',
  applicationId: 0x6e617072,
  format: 2,
  prepare,
} as const;

/**
 * The store that guards one machine and user: a file beside the journals. `file` is that file, opened as
 * `localClaims` says; `nowMs` the wall clock.
 */
export function openLocalStore(file: SharedFile<DatabaseSync>, nowMs: () => number): LeaseStore {
  return {
    name: 'local',
    claim: async (wish) => {
      refuseEmpty(wish);
      return file.transact((database) => claim(database, wish, nowMs()));
    },
    renew: (run, epoch) =>
      file.transact((database) => {
        const { changes } = database
          .prepare('UPDATE holding SET renewed_ms = ? WHERE run = ? AND epoch = ?')
          .run(nowMs(), run, epoch);
        return Number(changes) > 0;
      }),
    release: (run, epoch) =>
      file.transact((database) => {
        const { changes } = database.prepare('DELETE FROM holding WHERE run = ? AND epoch = ?').run(run, epoch);
        return Number(changes) > 0;
      }),
    holding: (run) => file.transact((database) => read(database, nowMs(), run)[0] ?? null),
    holdings: () => file.transact((database) => read(database, nowMs(), null)),
    close: () => undefined,
  };
}

function claim(database: DatabaseSync, wish: ClaimWish, nowMs: number): ClaimAnswer {
  const { run, servers, holder, atLeast, supersedes } = wish;
  const [own] = read(database, nowMs, run);
  if (own !== undefined && own.epoch !== supersedes) return { granted: false, conflicts: [own] };
  const wanted = new Set(servers);
  const conflicts = conflictsOf(database, run, wanted, nowMs);
  if (conflicts.length > 0) return { granted: false, conflicts };
  const { epoch } = database
    .prepare('UPDATE counter SET epoch = max(epoch, ?) + 1 RETURNING epoch')
    .get(atLeast) as unknown as { epoch: number };
  database.prepare('DELETE FROM holding WHERE run = ?').run(run);
  const { by, user, host, machine, boot, pid } = holder;
  database
    .prepare('INSERT INTO holding VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
    .run(run, epoch, nowMs, nowMs, by, user, host, machine, boot, pid);
  const insert = database.prepare('INSERT INTO claim (server, run) VALUES (?, ?)');
  for (const server of wanted) insert.run(server, run);
  return { granted: true, epoch, sinceMs: nowMs };
}

function conflictsOf(
  database: DatabaseSync,
  run: string,
  wanted: ReadonlySet<string>,
  nowMs: number,
): readonly Holding[] {
  const owner = database.prepare('SELECT run FROM claim WHERE server = ? AND run <> ?');
  const taken = new Map<string, string[]>();
  for (const server of wanted) {
    const other = owner.get(server, run)?.['run'];
    if (typeof other === 'string') taken.set(other, [...(taken.get(other) ?? []), server]);
  }
  return [...taken].flatMap(([other, servers]) =>
    read(database, nowMs, other).map((holding) => ({ ...holding, servers })),
  );
}

const COLUMNS = 'run, epoch, since_ms AS sinceMs, renewed_ms AS renewedAtMs, by, user, host, machine, boot, pid';

function read(database: DatabaseSync, nowMs: number, run: string | null): readonly Holding[] {
  const rows = (run === null
    ? database.prepare(`SELECT ${COLUMNS} FROM holding ORDER BY since_ms, run`).all()
    : database.prepare(`SELECT ${COLUMNS} FROM holding WHERE run = ?`).all(run)) as unknown as readonly Omit<
    Holding,
    'servers' | 'silentMs'
  >[];
  const servers = database.prepare('SELECT server FROM claim WHERE run = ? ORDER BY server');
  return rows.map((row) => ({
    ...row,
    silentMs: Math.max(0, nowMs - row.renewedAtMs),
    servers: servers.all(row.run).map(({ server }) => String(server)),
  }));
}

/** Format 1 knew neither user, host nor process of who claimed. */
function prepare(database: DatabaseSync, format: number): void {
  if (format === 1) database.exec('ALTER TABLE claim RENAME TO claim_1');
  else
    database.exec(
      'CREATE TABLE counter (only INTEGER PRIMARY KEY CHECK (only = 1), epoch INTEGER NOT NULL) STRICT; INSERT INTO counter VALUES (1, 0);',
    );
  database.exec(`
    CREATE TABLE holding (
      run TEXT PRIMARY KEY,
      epoch INTEGER NOT NULL,
      since_ms REAL NOT NULL,
      renewed_ms REAL NOT NULL,
      by TEXT NOT NULL,
      user TEXT NOT NULL,
      host TEXT NOT NULL,
      machine TEXT NOT NULL,
      boot TEXT NOT NULL,
      pid INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE claim (
      server TEXT PRIMARY KEY,
      run TEXT NOT NULL REFERENCES holding (run) ON DELETE CASCADE
    ) STRICT;
    CREATE INDEX claim_of_run ON claim (run);`);
  if (format !== 1) return;
  database.exec(`
    INSERT INTO holding SELECT run, max(epoch), min(since_ms), min(since_ms), min(by), '', '', '', '', 0 FROM claim_1 GROUP BY run;
    INSERT INTO claim SELECT server, run FROM claim_1;
    DROP TABLE claim_1;`);
}
