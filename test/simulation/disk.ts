import { JournalFailure } from '../../src/journal/index.ts';
import type { JsonObject } from '../../src/model/index.ts';
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
  /** Whether it opens again after a failure. */
  readonly opensAgain: () => boolean;
  /** The engine that owns the journal dies now. */
  readonly crash: () => void;
}

/** A disk that failed is opened again after this. */
const REOPEN_MS = 100;
/** The planted hasty disk writes so long after it said so. */
const HASTY_MS = 300;

interface Row {
  readonly atMs: number;
  readonly epoch: number;
  /** As it would be read back: what JSON does not keep is lost here. */
  readonly event: JsonObject;
}

/** The disk of the bastion: what is on it survives engines, and nothing else does. */
export class Disk {
  readonly #in: DiskInput;
  readonly #rows: Row[] = [];
  appends = 0;
  #acknowledged = 0;
  #broken: JournalFailure | null = null;
  #ownerEpoch = 0;

  constructor(input: DiskInput) {
    this.#in = input;
  }

  get events(): readonly Stamped[] {
    return this.#rows.map(({ atMs, event }) => ({ atMs, event: event as unknown as RunEvent }));
  }

  get length(): number {
    return this.#rows.length;
  }

  /** Opens it again after a failure, and gives what is there and was never acknowledged. Some disks stay broken. */
  async reopen(owner: Sleeper, cause: unknown): Promise<readonly JournalRow[]> {
    await new Promise<void>((resolve) => void this.#in.agenda.put(this.#in.agenda.nowMs + REOPEN_MS, owner, resolve));
    if (!this.#in.opensAgain()) throw cause;
    this.#broken = null;
    const from = this.#acknowledged;
    this.#acknowledged = this.#rows.length;
    return this.#rows.slice(from).map((row, index) => rowOf(row, from + index + 1));
  }

  /** The journal as one engine holds it. Behind a failure nothing more is written through it until it is opened again. */
  open(owner: Sleeper, epoch: number): Journal {
    this.#broken = null;
    this.#acknowledged = this.#rows.length;
    this.#ownerEpoch = epoch;
    return {
      append: async (events) => {
        const rows = events.map(({ atMs, event }) => ({
          atMs,
          epoch,
          event: JSON.parse(JSON.stringify(event)) as JsonObject,
        }));
        if (epoch === this.#ownerEpoch) await this.#append(rows, owner);
        else await this.#wait(owner);
        return rows.map((row, index) => rowOf(row, this.#rows.length - rows.length + index + 1));
      },
      read: async (fromSeq, count = Infinity) =>
        this.#rows.slice(fromSeq - 1, fromSeq - 1 + count).map((row, index) => rowOf(row, fromSeq + index)),
      close: async () => undefined,
    };
  }

  async #append(rows: readonly Row[], owner: Sleeper): Promise<void> {
    if (this.#broken !== null) throw this.#broken;
    this.appends += 1;
    const fate = this.#in.fateOf(this.appends);
    if (this.#in.hasty) {
      this.#in.agenda.put(this.#in.agenda.nowMs + HASTY_MS, owner, () => this.#commit(rows));
      return;
    }
    await this.#wait(owner);
    // Whom another machine took the run over from writes on in a journal that nobody reads.
    if (rows.some(({ epoch }) => epoch !== this.#ownerEpoch)) return;
    if (fate === 'before') await this.#die();
    if (fate !== 'lost' && fate !== 'full') this.#commit(rows);
    if (fate === 'after') await this.#die();
    if (fate === 'behind') this.#in.agenda.put(this.#in.agenda.nowMs, owner, () => this.#in.crash());
    if (fate === 'lost' || fate === 'there' || fate === 'full') {
      this.#broken = failureOf(fate);
      throw this.#broken;
    }
    this.#acknowledged = this.#rows.length;
  }

  #commit(rows: readonly Row[]): void {
    for (const row of rows) {
      this.#rows.push(row);
      this.#in.onDurable({ atMs: row.atMs, event: row.event as unknown as RunEvent });
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

function rowOf({ atMs, epoch, event }: Row, seq: number): JournalRow {
  return { seq, atMs, epoch, event, prev: '', hash: '' };
}

function failureOf(fate: 'lost' | 'there' | 'full'): JournalFailure {
  const reason = fate === 'full' ? 'full' : 'outcome-unknown';
  return new JournalFailure({ reason, what: `${fate} (made up)`, where: 'journal.db' }, 'r');
}
