import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { PAGE_ROWS, SPARING_LOG_PAGES } from './limits.ts';
import { CHAIN_START, FIRST_SEQ, linkFlaw, linkHash, type StoredRow } from './link.ts';
import type { Draft, Links, Opened } from './messages.ts';
import { TroubleError } from './trouble.ts';

/**
 * The events of one open journal: the worker thread's half. Statements are prepared once and held, together with
 * their database, for as long as the store lives.
 */
export class Store {
  readonly #database: DatabaseSync;
  readonly #path: string;
  readonly #insert: StatementSync;
  readonly #select: StatementSync;
  #epoch = 0;
  #lastSeq = 0;
  #head = CHAIN_START;

  constructor(database: DatabaseSync, path: string) {
    this.#database = database;
    this.#path = path;
    this.#select = database.prepare(
      'SELECT seq, at_ms AS atMs, epoch, event AS text, prev, hash FROM event WHERE seq >= ? ORDER BY seq LIMIT ?',
    );
    this.#insert = database.prepare(
      'INSERT INTO event (seq, at_ms, epoch, event, prev, hash) VALUES (?, ?, ?, ?, ?, ?)',
    );
  }

  /** Reads the chain whole, so that nothing is ever appended to a journal that was changed, and takes the next epoch. */
  begin(): Omit<Opened, 'reserved'> {
    let epoch = 0;
    for (let page = this.rows(FIRST_SEQ); page.length > 0; page = this.rows(this.#lastSeq + 1)) {
      for (const row of page) {
        const flaw = linkFlaw(row, this.#lastSeq + 1, this.#head);
        if (flaw !== null) throw new TroubleError('damaged', flaw, this.#path);
        this.#lastSeq = row.seq;
        this.#head = row.hash;
        epoch = Math.max(epoch, row.epoch);
      }
    }
    this.#database.exec('BEGIN IMMEDIATE');
    const taken = this.#database.prepare('UPDATE owner SET epoch = max(epoch, ?) + 1 RETURNING epoch').get(epoch);
    this.#database.exec('COMMIT');
    if (typeof taken?.['epoch'] !== 'number')
      throw new TroubleError('damaged', 'the row that counts its owners is missing', this.#path);
    this.#epoch = taken['epoch'];
    return { epoch: this.#epoch, lastSeq: this.#lastSeq, head: this.#head };
  }

  /** Writes the drafts as the next events, all or none, and returns when they are on disk. */
  commit(drafts: readonly Draft[]): Links {
    const links = { firstSeq: this.#lastSeq + 1, epoch: this.#epoch, prev: this.#head, hashes: new Array<string>() };
    let [seq, prev] = [this.#lastSeq, this.#head];
    this.#database.exec('BEGIN IMMEDIATE');
    for (const { atMs, text } of drafts) {
      seq += 1;
      const hash = linkHash({ seq, atMs, epoch: this.#epoch, text, prev });
      this.#insert.run(seq, atMs, this.#epoch, text, prev, hash);
      links.hashes.push(hash);
      prev = hash;
    }
    this.#database.exec('COMMIT');
    this.#lastSeq = seq;
    this.#head = prev;
    return links;
  }

  /**
   * Fills a journal that has no events with those of a copy, each as it was written, hash and epoch included. Throws
   * TroubleError where one does not follow the one before it: then nothing of them is written.
   */
  restore(rows: readonly StoredRow[]): void {
    let [seq, prev, epoch] = [this.#lastSeq, this.#head, this.#epoch];
    this.#database.exec('BEGIN IMMEDIATE');
    for (const row of rows) {
      const flaw = linkFlaw(row, seq + 1, prev);
      if (flaw !== null) throw new TroubleError('damaged', flaw, this.#path);
      this.#insert.run(row.seq, row.atMs, row.epoch, row.text, row.prev, row.hash);
      [seq, prev, epoch] = [row.seq, row.hash, Math.max(epoch, row.epoch)];
    }
    this.#database.prepare('UPDATE owner SET epoch = ?').run(epoch);
    this.#database.exec('COMMIT');
    [this.#lastSeq, this.#head, this.#epoch] = [seq, prev, epoch];
  }

  /** Up to PAGE_ROWS events from `fromSeq` on, or fewer. */
  rows(fromSeq: number, count: number = PAGE_ROWS): readonly StoredRow[] {
    return this.#select.all(fromSeq, Math.min(count, PAGE_ROWS)) as unknown as readonly StoredRow[];
  }

  /** Space is short: the log goes into the file often, so that it stays small itself. Each commit takes whole pages of it. */
  spare(): void {
    this.#database.exec(`PRAGMA wal_autocheckpoint = ${SPARING_LOG_PAGES}`);
  }

  close(): void {
    this.#database.close();
  }
}
