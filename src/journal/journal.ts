import { basename } from 'node:path';
import type { JsonObject } from '../model/index.ts';
import { canonicalJson } from '../plan/index.ts';
import type { Journal, JournalRow } from '../ports/index.ts';
import { JournalFailure } from './failure.ts';
import { GroupCommit } from './group-commit.ts';
import { APPEND_EVENTS_MAX, EVENT_LENGTH_MAX, PAGE_ROWS, RESERVE_BYTES } from './limits.ts';
import { FIRST_SEQ, type StoredRow } from './link.ts';
import type { Answer, Draft, OpenMode } from './messages.ts';
import { WriterThread } from './thread.ts';
import { TroubleError } from './trouble.ts';

export interface JournalOptions {
  /** How messages name the run; without it, by the journal's file name. */
  readonly run?: string | undefined;
  /** What is kept free beside it for a full disk: as much as the way home needs, and never less than some MiB. */
  readonly reserveBytes?: number | undefined;
}

/** A journal that this process owns: nobody else can open it, for reading or writing, until it is closed. */
export interface OwnedJournal extends Journal {
  /** Higher than that of anybody who owned it before; on every row that is written now. */
  readonly epoch: number;
  /** The last event and its hash at the time of opening; 0 and 64 zeros in a new journal. */
  readonly lastSeq: number;
  readonly head: string;
  /** Whether space is kept for a full disk. If not, no new risk should be begun: the way home could go unrecorded. */
  readonly reserved: boolean;
}

/** Makes a new journal (file 0600, directory 0700) and owns it. Rejects with JournalFailure: `exists`, `unsafe-place`, `unsupported`, `full`, `in-use`. */
export function createJournal(path: string, options: JournalOptions = {}): Promise<OwnedJournal> {
  return own(path, 'create', options);
}

/**
 * Opens a journal to go on with it, after the database and the whole chain were found sound. Rejects with
 * JournalFailure: `missing`, `in-use`, `damaged`, `unsafe-place`, `unsupported`, `full`.
 */
export function openJournal(path: string, options: JournalOptions = {}): Promise<OwnedJournal> {
  return own(path, 'write', options);
}

/**
 * All events of a journal that nobody owns now, changing nothing in it. The chain is not judged here, so that
 * `verifyChain` can name the flaw. Rejects with JournalFailure as `openJournal` does.
 */
export async function readJournal(path: string, options: JournalOptions = {}): Promise<readonly JournalRow[]> {
  const rows = await readStoredRows(path, options);
  try {
    return rows.map(toRow);
  } catch (error) {
    throw toFailure(error, options.run ?? runOf(path));
  }
}

/** The same with each event's text as it lies in the file, byte for byte and unjudged: what an audit looks at. */
export async function readStoredRows(path: string, options: JournalOptions = {}): Promise<readonly StoredRow[]> {
  const run = options.run ?? runOf(path);
  const thread = new WriterThread({ path, mode: 'read', reserveBytes: 0 });
  try {
    await thread.opened;
    const rows = await readRows(thread, path, FIRST_SEQ);
    await thread.ask({ ask: 'close' });
    return rows;
  } catch (error) {
    await thread.end();
    throw toFailure(error, run);
  }
}

/**
 * Makes a journal anew from the rows of a copy, whose chain was found sound: the same events with the same hashes.
 * It is closed again; `openJournal` goes on with it. Rejects with JournalFailure as `createJournal` does.
 */
export async function restoreJournal(
  path: string,
  rows: readonly JournalRow[],
  options: JournalOptions = {},
): Promise<void> {
  const thread = new WriterThread({ path, mode: 'create', reserveBytes: 0 });
  try {
    await thread.opened;
    for (let from = 0; from < rows.length; from += PAGE_ROWS) {
      await thread.ask({ ask: 'restore', rows: rows.slice(from, from + PAGE_ROWS).map(toStored) });
    }
    await thread.ask({ ask: 'close' });
  } catch (error) {
    await thread.end();
    throw toFailure(error, options.run ?? runOf(path));
  }
}

async function own(path: string, mode: OpenMode, options: JournalOptions): Promise<OwnedJournal> {
  const run = options.run ?? runOf(path);
  const reserveBytes = Math.max(RESERVE_BYTES, options.reserveBytes ?? 0);
  const thread = new WriterThread({ path, mode, reserveBytes });
  try {
    const opened = await thread.opened;
    return { ...opened, ...writer(thread, path, run) };
  } catch (error) {
    await thread.end();
    throw toFailure(error, run);
  }
}

function writer(thread: WriterThread, path: string, run: string): Journal {
  const commits = new GroupCommit((drafts) => commitOn(thread, drafts, path), path);
  let closing: Promise<void> | null = null;
  const orFailure = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw toFailure(error, run);
    });
  const close = async (): Promise<void> => {
    commits.stop(new TroubleError('closed', 'the journal is closed', path));
    await commits.settled();
    await thread.ask({ ask: 'close' });
  };
  return {
    async append(events) {
      if (events.length === 0) return [];
      const drafts = draftsOf(events);
      const rows = await orFailure(commits.append(drafts));
      return rows.map(toRow);
    },
    read: (fromSeq, count) => orFailure(readRows(thread, path, fromSeq, count).then((rows) => rows.map(toRow))),
    close: () => (closing ??= orFailure(close())),
  };
}

/** Throws TypeError or RangeError, before anything is written, for events that no journal can hold. */
function draftsOf(events: readonly { readonly atMs: number; readonly event: JsonObject }[]): readonly Draft[] {
  if (events.length > APPEND_EVENTS_MAX)
    throw new RangeError(`${events.length} events in one append: at most ${APPEND_EVENTS_MAX}`);
  return events.map(({ atMs, event }) => {
    if (!Number.isFinite(atMs)) throw new TypeError(`atMs: ${atMs} is not a time`);
    const text = canonicalJson(event);
    if (text.length > EVENT_LENGTH_MAX)
      throw new RangeError(`an event of ${text.length} characters: at most ${EVENT_LENGTH_MAX}`);
    return { atMs, text };
  });
}

async function readRows(
  thread: WriterThread,
  path: string,
  fromSeq: number,
  count: number = Infinity,
): Promise<readonly StoredRow[]> {
  const rows: StoredRow[] = [];
  for (let next = fromSeq; ;) {
    const answer = await thread.ask({ ask: 'rows', fromSeq: next, count: Math.min(count - rows.length, PAGE_ROWS) });
    if (answer.answer !== 'rows') throw strange(answer, path);
    const last = answer.rows.at(-1);
    if (last === undefined || rows.length >= count) return rows;
    for (const row of answer.rows) rows.push(row);
    next = last.seq + 1;
  }
}

async function commitOn(thread: WriterThread, drafts: readonly Draft[], path: string): Promise<readonly StoredRow[]> {
  const answer = await thread.ask({ ask: 'commit', drafts });
  if (answer.answer !== 'committed') throw strange(answer, path);
  const { firstSeq, epoch, hashes } = answer.links;
  let { prev } = answer.links;
  return drafts.map(({ atMs, text }, index) => {
    const hash = hashes[index] ?? '';
    const row = { seq: firstSeq + index, atMs, epoch, text, prev, hash };
    prev = hash;
    return row;
  });
}

function strange(answer: Answer, path: string): TroubleError {
  return new TroubleError('outcome-unknown', `its thread answered ${answer.answer} to another question`, path);
}

/** A row as the file has it: its event's text is the canonical one. */
export function toStored({ event, ...row }: JournalRow): StoredRow {
  return { ...row, text: canonicalJson(event) };
}

/** The event is parsed from its text also when it was only just written: a run folds exactly what a replay folds. */
function toRow({ seq, atMs, epoch, text, prev, hash }: StoredRow): JournalRow {
  let event: JsonObject;
  try {
    event = JSON.parse(text) as JsonObject;
  } catch {
    throw new TroubleError('damaged', `event ${seq} is not what was written`, `event ${seq}`);
  }
  return { seq, atMs, epoch, event, prev, hash };
}

function toFailure(error: unknown, run: string): unknown {
  return error instanceof TroubleError ? new JournalFailure(error.trouble, run, { cause: error }) : error;
}

function runOf(path: string): string {
  return basename(path).replace(/\.[^.]+$/, '');
}
