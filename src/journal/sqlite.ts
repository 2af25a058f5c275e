import { DatabaseSync } from 'node:sqlite';
import { TroubleError } from './trouble.ts';

export type Pragmas = readonly (readonly [name: string, set: string | number, reads: string | number])[];

/**
 * Opens a SQLite file with the settings that hold for all of neap's: no extensions, defensive, nothing trusted from
 * the schema. Callers set their own pragmas after it. Throws TroubleError where this SQLite must not be used.
 */
export function openDatabase(
  path: string,
  options: { readonly readOnly: boolean; readonly busyMs: number },
): DatabaseSync {
  const version = process.versions['sqlite'] ?? '0';
  if (!isSoundSqlite(version)) {
    throw new TroubleError(
      'unsupported',
      `SQLite ${version} can corrupt a database in WAL mode; 3.51.3, 3.50.7 or 3.44.6 is needed`,
      path,
    );
  }
  const database = new DatabaseSync(path, {
    readOnly: options.readOnly,
    allowExtension: false,
    enableForeignKeyConstraints: true,
    enableDoubleQuotedStringLiterals: false,
    timeout: options.busyMs,
  });
  try {
    database.enableDefensive(true);
    setPragmas(database, path, [
      // Some Node versions ignored the option above.
      ['busy_timeout', options.busyMs, options.busyMs],
      ['trusted_schema', 'OFF', 0],
      ['cell_size_check', 'ON', 1],
    ]);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Sets each pragma and reads it back; SQLite ignores what it cannot do. Throws TroubleError. */
export function setPragmas(database: DatabaseSync, path: string, pragmas: Pragmas): void {
  for (const [name, set, reads] of pragmas) {
    pragma(database, `${name}=${set}`);
    const value = pragma(database, name);
    if (value !== reads)
      throw new TroubleError('unsupported', `SQLite did not take ${name}=${set} but stays at ${value}`, path);
  }
}

/** The first column of what a pragma answers; null when it answers nothing. */
export function pragma(database: DatabaseSync, text: string): string | number | null {
  const row = database.prepare(`PRAGMA ${text}`).get();
  const value = row === undefined ? null : Object.values(row)[0];
  return typeof value === 'string' || typeof value === 'number' ? value : null;
}

/**
 * Whether a SQLite is free of the WAL-reset bug, which can corrupt a database: 3.7.0 to 3.51.2 have it, except for
 * the backports 3.50.7 and 3.44.6 (https://sqlite.org/wal.html#walresetbug).
 */
export function isSoundSqlite(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  if (major !== 3) return major > 3;
  if (minor === 50) return patch >= 7;
  if (minor === 44) return patch >= 6;
  return minor > 51 || (minor === 51 && patch >= 3);
}
