import type { JournalRow } from '../ports/index.ts';
import type { View } from './socket.ts';

/** Rows of one message: a plan of thousands of servers has hundreds of thousands in all. */
const PAGE_ROWS = 1_000;

interface Reader {
  readonly view: View;
  nextSeq: number;
  /** `live` gets rows as they are written; `reading` is being told the past; `left` gave up until there is more. */
  standing: 'live' | 'reading' | 'left';
}

/**
 * Tells each view every row of the journal, in order, and holds none of them: the past is read from the journal page by
 * page, and a view that does not keep up (a stopped terminal) is told the rest once it reads again.
 */
export class Feed {
  readonly #read: (fromSeq: number, count: number) => Promise<readonly JournalRow[]>;
  readonly #readers = new Set<Reader>();
  readonly #catching = new Set<Promise<void>>();
  #lastSeq: number;

  /** `lastSeq`: the last row that was there before anything is published here. */
  constructor(read: (fromSeq: number, count: number) => Promise<readonly JournalRow[]>, lastSeq: number) {
    this.#read = read;
    this.#lastSeq = lastSeq;
  }

  /** From the first row on. */
  attach(view: View): void {
    const reader: Reader = { view, nextSeq: 1, standing: 'left' };
    this.#readers.add(reader);
    this.#tellPast(reader);
  }

  detach(view: View): void {
    for (const reader of this.#readers) if (reader.view === view) this.#readers.delete(reader);
  }

  /** Rows that are durable now. */
  publish(rows: readonly JournalRow[]): void {
    this.#lastSeq = rows.at(-1)?.seq ?? this.#lastSeq;
    for (const reader of this.#readers) {
      if (reader.standing === 'live' && !reader.view.isFull()) {
        reader.view.send({ say: 'rows', rows, more: false });
        reader.nextSeq = this.#lastSeq + 1;
      } else if (reader.standing !== 'reading') this.#tellPast(reader);
    }
  }

  /** Resolves when every view was told everything; one that does not read keeps it waiting. */
  async settled(): Promise<void> {
    await Promise.all(this.#catching);
  }

  #tellPast(reader: Reader): void {
    const told = this.#catchUp(reader).finally(() => this.#catching.delete(told));
    this.#catching.add(told);
  }

  async #catchUp(reader: Reader): Promise<void> {
    reader.standing = 'reading';
    while (this.#readers.has(reader) && reader.nextSeq <= this.#lastSeq) {
      await reader.view.drained();
      // A journal in trouble is the engine's to deal with; the view is told the rest when rows come again.
      const rows = await this.#read(reader.nextSeq, PAGE_ROWS).catch(() => []);
      const last = rows.at(-1);
      if (last === undefined) {
        reader.standing = 'left';
        return;
      }
      reader.nextSeq = last.seq + 1;
      reader.view.send({ say: 'rows', rows, more: reader.nextSeq <= this.#lastSeq });
    }
    reader.standing = 'live';
  }
}
