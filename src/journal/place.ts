import { closeSync, fsyncSync, lstatSync, mkdirSync, openSync, readFileSync, statfsSync, type Stats } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { foreignFilesystem } from './filesystem.ts';
import { TroubleError } from './trouble.ts';

/**
 * Makes the directory (0700) where it is missing and refuses a place that cannot be trusted with the truth about a
 * run: a symbolic link, a directory others can enter, a network filesystem. Throws TroubleError.
 */
export function claimDirectory(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  checkDirectory(directory);
}

/** The checks of `claimDirectory`, for a directory that must be there already. */
export function checkDirectory(directory: string): void {
  const facts = lstatSync(directory, { throwIfNoEntry: false });
  if (facts === undefined) throw new TroubleError('missing', 'there is no such directory', directory);
  if (facts.isSymbolicLink()) throw new TroubleError('unsafe-place', 'it is a symbolic link', directory);
  if (!facts.isDirectory()) throw new TroubleError('unsafe-place', 'it is not a directory', directory);
  checkOwner(facts, directory);
  const foreign =
    process.platform === 'linux'
      ? foreignFilesystem(statfsSync(directory).type, resolve(directory), readMounts())
      : null;
  if (foreign !== null)
    throw new TroubleError(
      'unsafe-place',
      `it lies on ${foreign}, where locks and flushes cannot be relied upon`,
      directory,
    );
}

/** Refuses a file that is not a plain one of our own, with one name and mode 0600; its absence is a trouble of its own. */
export function checkFile(path: string): void {
  const facts = lstatSync(path, { throwIfNoEntry: false });
  if (facts === undefined) throw new TroubleError('missing', 'there is no such file', path);
  refuseStrangeFile(facts, path);
}

/** Refuses what SQLite would follow or reuse beside the file. Others come and go: each is looked at once. */
export function checkCompanions(path: string): void {
  for (const suffix of ['-wal', '-shm', '-journal', '-reserve']) {
    const facts = lstatSync(path + suffix, { throwIfNoEntry: false });
    if (facts !== undefined) refuseStrangeFile(facts, path + suffix);
  }
}

function refuseStrangeFile(facts: Stats, path: string): void {
  if (facts.isSymbolicLink()) throw new TroubleError('unsafe-place', 'it is a symbolic link', path);
  if (!facts.isFile()) throw new TroubleError('unsafe-place', 'it is not a plain file', path);
  // SQLite names the write-ahead log after the name it was given: under a second name it would be lost. One that is
  // removed in this moment has none.
  if (facts.nlink > 1) throw new TroubleError('unsafe-place', 'it has a second name (a hard link)', path);
  checkOwner(facts, path);
}

/**
 * Makes the file empty, with mode 0600, and flushes its name; false where one is already. The file is never opened
 * here when it exists: closing any descriptor of it would drop the locks that SQLite holds in this process.
 */
export function createFile(path: string): boolean {
  try {
    const file = openSync(path, 'wx', 0o600);
    fsyncSync(file);
    closeSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  flushDirectory(dirname(path));
  return true;
}

/** A new name is on disk only when its directory is. */
export function flushDirectory(directory: string): void {
  const handle = openSync(directory, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function checkOwner(facts: { readonly uid: number; readonly mode: number }, where: string): void {
  // Windows has no such bits: there the user's own profile directory is what protects.
  const user = process.getuid?.();
  if (user === undefined) return;
  if (facts.uid !== user)
    throw new TroubleError('unsafe-place', `it belongs to user ${facts.uid}, not to you (${user})`, where);
  const mode = facts.mode & 0o777;
  if ((mode & 0o077) !== 0)
    throw new TroubleError('unsafe-place', `others may use it (mode 0${mode.toString(8)})`, where);
}

function readMounts(): string {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return '';
  }
}
