import type { Journal, JournalRow } from '../ports/index.ts';
import type { RunEvent } from '../run/index.ts';
import { keepRehearsal } from './rehearsals.ts';

/** Rows that are looked through at a time. */
const ROWS = 5_000;

export interface RehearsalBookInput {
  readonly stateDir: string;
  readonly run: string;
  readonly fleet: string;
  /** Called with what could not be written. */
  readonly failed: (error: unknown) => void;
}

/** Keeps a record of each rehearsal that a run's journal tells of, as soon as that is on disk. */
export class RehearsalBook {
  readonly #in: RehearsalBookInput;
  #writing: Promise<void> = Promise.resolve();

  constructor(input: RehearsalBookInput) {
    this.#in = input;
  }

  follow(rows: readonly JournalRow[]): void {
    for (const { seq, hash, event } of rows) {
      const told = event as unknown as RunEvent;
      if (told.type !== 'rehearsed' || told.rehearsal.result === 'void') continue;
      const { stateDir, run, fleet, failed } = this.#in;
      const record = { format: 1 as const, fleet, run, journal: { seq, hash }, rehearsal: told.rehearsal };
      this.#writing = this.#writing.then(() => keepRehearsal(stateDir, record)).catch(failed);
    }
  }

  /** What an engine that died had on disk and could not record any more. */
  async catchUp(journal: Pick<Journal, 'read'>): Promise<void> {
    for (let next = 1; ;) {
      const rows = await journal.read(next, ROWS);
      const last = rows.at(-1);
      if (last === undefined) return;
      this.follow(rows);
      next = last.seq + 1;
    }
  }

  /** Resolves when all that was followed is on disk, or was said to have failed. */
  settled(): Promise<void> {
    return this.#writing;
  }
}
