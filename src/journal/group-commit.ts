import { GROUP_EVENTS_MAX, WAITING_EVENTS_MAX } from './limits.ts';
import type { StoredRow } from './link.ts';
import type { Draft } from './messages.ts';
import { TroubleError } from './trouble.ts';

interface Waiting {
  readonly drafts: readonly Draft[];
  readonly resolve: (rows: readonly StoredRow[]) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Group commit: one commit is under way at a time, and whatever arrives meanwhile goes together into the next, so
 * that a slow flush makes groups larger and not the queue longer. Order is order of arrival; the events of one
 * append are never parted. After the first failure everything that waits, and everything later, is rejected with it.
 */
export class GroupCommit {
  readonly #commit: (drafts: readonly Draft[]) => Promise<readonly StoredRow[]>;
  readonly #where: string;
  readonly #waiting: Waiting[] = [];
  #waitingEvents = 0;
  #underWay: Promise<void> | null = null;
  #failure: Error | null = null;

  constructor(commit: (drafts: readonly Draft[]) => Promise<readonly StoredRow[]>, where: string) {
    this.#commit = commit;
    this.#where = where;
  }

  append(drafts: readonly Draft[]): Promise<readonly StoredRow[]> {
    if (this.#failure === null && this.#waitingEvents + drafts.length > WAITING_EVENTS_MAX) {
      this.stop(new TroubleError('overrun', `more than ${WAITING_EVENTS_MAX} events wait for the disk`, this.#where));
    }
    if (this.#failure !== null) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ drafts, resolve, reject });
      this.#waitingEvents += drafts.length;
      this.#underWay ??= this.#drain();
    });
  }

  /** Resolves when nothing waits any more; never rejects. */
  async settled(): Promise<void> {
    await this.#underWay;
  }

  /** From now on everything is rejected with this error. */
  stop(error: Error): void {
    this.#failure ??= error;
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      // Appends of one turn of the event loop belong together.
      await Promise.resolve();
      const group = this.#takeGroup();
      try {
        const rows = await this.#commit(group.flatMap(({ drafts }) => drafts));
        let from = 0;
        for (const { drafts, resolve } of group) resolve(rows.slice(from, (from += drafts.length)));
      } catch (cause) {
        const error = cause instanceof Error ? cause : new TroubleError('outcome-unknown', String(cause), this.#where);
        this.stop(error);
        for (const { reject } of [...group, ...this.#waiting.splice(0)]) reject(error);
        this.#waitingEvents = 0;
      }
    }
    this.#underWay = null;
  }

  #takeGroup(): readonly Waiting[] {
    let events = 0;
    let count = 0;
    for (const { drafts } of this.#waiting) {
      if (count > 0 && events + drafts.length > GROUP_EVENTS_MAX) break;
      events += drafts.length;
      count += 1;
    }
    this.#waitingEvents -= events;
    return this.#waiting.splice(0, count);
  }
}
