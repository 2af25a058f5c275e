/**
 * What can be wrong with a journal, as data that crosses from the worker thread. Nothing is imported here, so that
 * the worker starts quickly.
 */
export type TroubleReason =
  | 'exists' // a journal is there already
  | 'missing' // none is there
  | 'in-use' // another process holds it
  | 'unsafe-place' // symbolic link, network filesystem, somebody else's file, loose permissions
  | 'unsupported' // this SQLite, or a journal of a newer neap
  | 'damaged' // it is not what was written
  | 'full' // no space: nothing of the last append is there
  | 'outcome-unknown' // an I/O error: the last append is there or is not
  | 'overrun' // more events wait than the limit allows
  | 'closed'; // used after it was closed

export interface Trouble {
  readonly reason: TroubleReason;
  readonly what: string;
  readonly where: string;
}

/** Trouble on its way inside the worker thread, where no FailureError is at hand. */
export class TroubleError extends Error {
  readonly trouble: Trouble;

  constructor(reason: TroubleReason, what: string, where: string) {
    super(what);
    this.name = 'TroubleError';
    this.trouble = { reason, what, where };
  }
}

/** What state it left. */
export function stateFor(reason: TroubleReason): string {
  if (reason === 'outcome-unknown')
    return 'Outcome unknown: the events that waited are on disk or are not, and nothing more is written';
  if (reason === 'full')
    return 'The events that waited were not written, and nothing more is; the space held in reserve was given back';
  if (reason === 'overrun') return 'These events were not written, and nothing more is';
  return 'Nothing was written';
}

/** What to do now. */
export function remedyFor(reason: TroubleReason, run: string): string {
  const remedies: Readonly<Record<TroubleReason, string>> = {
    exists: `Go on with it by \`neap resume ${run}\``,
    missing: 'List the runs by `neap status`',
    'in-use': `Ask who holds it by \`neap status ${run}\`, or look on by \`neap attach ${run}\``,
    'unsafe-place': 'Keep the journal in a directory of your own (mode 0700) on a local disk',
    unsupported: 'Use the Node that neap brings (`npm ci`), or a newer neap',
    damaged: `Keep the file as it is and look at \`neap status ${run}\`; the journal can no longer prove what the run did`,
    full: `Free space on this disk, then \`neap resume ${run}\` or \`neap abort ${run}\``,
    'outcome-unknown': `Look at the disk, then \`neap resume ${run}\`: it reads what is there and observes what is in doubt`,
    overrun: `Look at the disk, then \`neap resume ${run}\``,
    closed: 'This is a defect of neap: report it with the log',
  };
  return remedies[reason];
}

/** Trouble from whatever SQLite or the filesystem threw. `fallback` is for errors that have no meaning of their own here. */
export function troubleFrom(error: unknown, where: string, fallback: TroubleReason): Trouble {
  if (error instanceof TroubleError) return error.trouble;
  const { code, errcode, message } = error as { code?: unknown; errcode?: unknown; message?: unknown };
  const what = typeof message === 'string' ? message : String(error);
  // SQLite's primary result code is the low byte: https://sqlite.org/rescode.html
  const primary = typeof errcode === 'number' ? errcode & 0xff : null;
  if (primary === SQLITE_BUSY) return { reason: 'in-use', what: 'the database is held by another process', where };
  if (primary === SQLITE_FULL || code === 'ENOSPC' || code === 'EDQUOT')
    return { reason: 'full', what: 'the disk is full', where };
  if (primary === SQLITE_CORRUPT || primary === SQLITE_NOTADB)
    return { reason: 'damaged', what: `it is not a sound database (${what})`, where };
  if (primary === SQLITE_IOERR || code === 'EIO')
    return { reason: 'outcome-unknown', what: `the disk reported an error (${what})`, where };
  return { reason: fallback, what: `${what}${typeof errcode === 'number' ? ` (SQLite ${errcode})` : ''}`, where };
}

const SQLITE_BUSY = 5;
const SQLITE_IOERR = 10;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_NOTADB = 26;
