import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { PAGE_ROWS } from './limits.ts';
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

  /** Up to PAGE_ROWS events from `fromSeq` on. */
  rows(fromSeq: number): readonly StoredRow[] {
    return this.#select.all(fromSeq, PAGE_ROWS) as unknown as readonly StoredRow[];
  }

  close(): void {
    this.#database.close();
  }
}
