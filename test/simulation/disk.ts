import { JournalFailure } from '../../src/journal/index.ts';
import type { Journal, JournalRow } from '../../src/ports/index.ts';
import type { RunEvent, Stamped } from '../../src/run/index.ts';
import type { Agenda, Sleeper } from './agenda.ts';

/**
 * What befalls one append. `lost`, `there`: an I/O error with nothing or everything on disk. `full`: nothing is. The
 * engine dies `before` it is on disk, `after` without having heard of it, or `behind`: it heard, and did what it could
 * do at once.
 */
export type DiskFate = 'lost' | 'there' | 'full' | 'before' | 'after' | 'behind';

export interface DiskInput {
  readonly agenda: Agenda;
  readonly fateOf: (append: number) => DiskFate | null;
  /** How long a commit takes; 0: no time at all. */
  readonly commitMs: () => number;
  /** A planted bug: it says yes before it has written. */
  readonly hasty: boolean;
  /** Called with every event once it is durable, in order, parsed from what was written. */
  readonly onDurable: (stamped: Stamped) => void;
  /** The engine that owns the journal dies now. */
  readonly crash: () => void;
}

interface Row {
  readonly atMs: number;
  readonly epoch: number;
  readonly text: string;
}

/** The disk of the bastion: what is on it survives engines, and nothing else does. */
export class Disk {
  readonly #in: DiskInput;
  readonly #rows: Row[] = [];
  appends = 0;
  #ownerEpoch = 0;

  constructor(input: DiskInput) {
    this.#in = input;
  }

  get events(): readonly Stamped[] {
    return this.#rows.map(({ atMs, text }) => ({ atMs, event: JSON.parse(text) as RunEvent }));
  }

  get length(): number {
    return this.#rows.length;
  }

  /** The journal as one engine holds it. Behind a failure nothing more is written through it. */
  open(owner: Sleeper, epoch: number): Journal {
    let broken: JournalFailure | null = null;
    this.#ownerEpoch = epoch;
    return {
      append: async (events) => {
        if (broken !== null) throw broken;
        // Whom another machine took the run over from writes on in a journal that nobody reads.
        if (epoch !== this.#ownerEpoch)
          return events.map(({ atMs, event }, index) => rowOf({ atMs, epoch, text: JSON.stringify(event) }, index));
        this.appends += 1;
        const fate = this.#in.fateOf(this.appends);
        const rows = events.map(({ atMs, event }) => ({ atMs, epoch, text: JSON.stringify(event) }));
        if (this.#in.hasty) {
          this.#in.agenda.put(this.#in.agenda.nowMs + 300, owner, () => this.#commit(rows));
          return rows.map((row, index) => rowOf(row, index));
        }
        await this.#wait(owner);
        if (fate === 'before') return this.#die();
        if (fate !== 'lost' && fate !== 'full') this.#commit(rows);
        if (fate === 'after') return this.#die();
        if (fate === 'behind') this.#in.agenda.put(this.#in.agenda.nowMs, owner, () => this.#in.crash());
        if (fate === 'lost' || fate === 'there' || fate === 'full') {
          broken = failureOf(fate);
          throw broken;
        }
        return rows.map((row, index) => rowOf(row, this.#rows.length - rows.length + index + 1));
      },
      read: async (fromSeq) => this.#rows.map((row, index) => rowOf(row, index + 1)).slice(fromSeq - 1),
      close: async () => undefined,
    };
  }

  #commit(rows: readonly Row[]): void {
    for (const row of rows) {
      this.#rows.push(row);
      this.#in.onDurable({ atMs: row.atMs, event: JSON.parse(row.text) as RunEvent });
    }
  }

  async #wait(owner: Sleeper): Promise<void> {
    const tookMs = this.#in.commitMs();
    if (tookMs > 0)
      await new Promise<void>((resolve) => void this.#in.agenda.put(this.#in.agenda.nowMs + tookMs, owner, resolve));
  }

  #die(): Promise<never> {
    this.#in.crash();
    return new Promise(() => undefined);
  }
}

function rowOf({ atMs, epoch, text }: Row, seq: number): JournalRow {
  return { seq, atMs, epoch, event: JSON.parse(text), prev: '', hash: '' };
}

function failureOf(fate: 'lost' | 'there' | 'full'): JournalFailure {
  const reason = fate === 'full' ? 'full' : 'outcome-unknown';
  return new JournalFailure({ reason, what: `${fate} (made up)`, where: 'journal.db' }, 'r');
}
