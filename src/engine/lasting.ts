import { rm } from 'node:fs/promises';
import type { OwnedJournal, TroubleReason } from '../journal/index.ts';
import { createJournal, JournalFailure, openJournal } from '../journal/index.ts';
import { FailureError, sentence, type Failure, type Plan } from '../model/index.ts';
import type { Journal, JournalRow } from '../ports/index.ts';
import { pauseRealMs } from './clock.ts';
import type { RunPlace } from './runs.ts';

/** How often an engine opens its journal again before it leaves that to a person. */
const REOPENINGS_MAX = 3;

/** Before each of them, in real milliseconds: a disk that comes back does so soon, or not by waiting. */
const WAITS_MS = [100, 2_000, 10_000] as const;

/** What opening again can mend: an error of the disk, a full disk, a disk that had stopped. */
const MENDABLE: readonly TroubleReason[] = ['outcome-unknown', 'full', 'overrun'];

/** Kept for every run: gates, pages, engines, contingencies. */
const RESERVE_BYTES = 4 * 1024 * 1024;

/** One server's undo: some seven events. Measured, 4 MiB hold 9,600 of them at one a commit: 440 bytes each. */
const UNDO_BYTES = 8 * 1024;

/** The journal could not be opened again, or is not what it was: nothing more may be done. */
export class JournalGone extends FailureError {}

export interface LastingInput {
  readonly run: string;
  readonly path: string;
  /** Opens the journal that is there, after its database and chain were found sound. */
  readonly open: () => Promise<OwnedJournal>;
}

/**
 * An engine's journal, for as long as the engine lives. After an error of its disk nothing of it is believed but what a
 * second reading shows: it is closed, opened and read again, a few times at most.
 */
export class LastingJournal implements Journal {
  readonly #in: LastingInput;
  #journal: OwnedJournal;
  #reopenings = 0;
  #lastSeq: number;
  #head: string;

  constructor(first: OwnedJournal, input: LastingInput) {
    this.#in = input;
    this.#journal = first;
    this.#lastSeq = first.lastSeq;
    this.#head = first.head;
  }

  /** The last row that is known to be on disk; 0 in a new journal. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** Its hash. */
  get head(): string {
    return this.#head;
  }

  get epoch(): number {
    return this.#journal.epoch;
  }

  /** Whether there is space for more than the way home. */
  get reserved(): boolean {
    return this.#journal.reserved;
  }

  async append(events: Parameters<Journal['append']>[0]): Promise<readonly JournalRow[]> {
    const rows = await this.#journal.append(events);
    const last = rows.at(-1);
    if (last !== undefined) [this.#lastSeq, this.#head] = [last.seq, last.hash];
    return rows;
  }

  read(fromSeq: number, count?: number): Promise<readonly JournalRow[]> {
    return this.#journal.read(fromSeq, count);
  }

  close(): Promise<void> {
    return this.#journal.close();
  }

  /**
   * Opens it again after `cause`, and gives the rows that were never acknowledged and are there all the same. Rejects
   * with `cause` where opening again is no cure, and with JournalGone when it was tried often enough.
   */
  async reopen(cause: unknown): Promise<readonly JournalRow[]> {
    if (!(cause instanceof JournalFailure) || !MENDABLE.includes(cause.reason)) throw cause;
    await this.#journal.close().catch(() => undefined);
    for (let why: JournalFailure = cause; ;) {
      if (this.#reopenings >= REOPENINGS_MAX) throw this.#gone(why.failure.what, why);
      await pauseRealMs(WAITS_MS[this.#reopenings] ?? 0);
      this.#reopenings += 1;
      try {
        this.#journal = await this.#in.open();
        return await this.#compare();
      } catch (error) {
        if (!(error instanceof JournalFailure)) throw error;
        why = error;
        await this.#journal.close().catch(() => undefined);
      }
    }
  }

  /** Everything that was acknowledged must be there, the same. */
  async #compare(): Promise<readonly JournalRow[]> {
    const [last] = this.#lastSeq === 0 ? [] : await this.read(this.#lastSeq, 1);
    if (this.#lastSeq > 0 && last?.hash !== this.#head)
      throw this.#gone(`event ${this.#lastSeq} was on disk and is not there any more`);
    const surplus = await this.read(this.#lastSeq + 1);
    const end = surplus.at(-1);
    if (end !== undefined) [this.#lastSeq, this.#head] = [end.seq, end.hash];
    return surplus;
  }

  #gone(why: string, cause?: unknown): JournalGone {
    const { run, path } = this.#in;
    const failure: Failure = {
      kind: 'lost',
      what: `the journal cannot be written any more, and was opened again ${this.#reopenings} times: ${why}`,
      where: path,
      state: 'The engine has stopped: nothing more is begun, and what was under way is in doubt',
      remedy: `Mend the disk, then \`neap resume ${run}\``,
    };
    return new JournalGone(failure, { cause });
  }
}

/**
 * Makes or opens a run's journal, with space kept for the events of its way home. Rejects with JournalFailure; a new
 * run is refused where there is no such space, since it could not record how it came home from a full disk.
 */
export async function ownJournal(place: RunPlace, plan: Plan, mode: 'start' | 'resume'): Promise<LastingJournal> {
  const options = { run: place.run, reserveBytes: homeBytes(plan) };
  const open = (): ReturnType<typeof openJournal> => openJournal(place.journal, options);
  const first = mode === 'start' ? await createJournal(place.journal, options) : await open();
  if (mode === 'start' && !first.reserved) {
    await first.close();
    await rm(place.journal, { force: true });
    throw new FailureError({
      kind: 'full',
      what: `the disk does not take the ${Math.ceil(homeBytes(plan) / 1e6)} MB, and as much again, that a run keeps to record its way home when the disk is full`,
      where: place.dir,
      state: 'Nothing was started',
      remedy: 'Free space there, or set stateDir in neap.config.ts to another local disk',
    });
  }
  return new LastingJournal(first, { run: place.run, path: place.journal, open });
}

/** What the events of the way home take at most: a look, an undo and a confirmation for each server of each step that is undone. */
function homeBytes({ header }: Plan): number {
  const undone = header.steps.reduce((sum, step) => {
    const isUndone = step.step === 'act' && step.nature === 'risk' && step.irreversible === null && !step.leavesNothing;
    return isUndone ? sum + step.waves.reduce((all, wave) => all + wave.length, 0) : sum;
  }, 0);
  return RESERVE_BYTES + undone * UNDO_BYTES;
}

/** Part of the line that an engine begins with. */
export function spaceOf({ reserved }: Pick<LastingJournal, 'reserved'>): { readonly short?: true } {
  return reserved ? {} : { short: true };
}

/** An error in the words of its failure. */
export function sentenceOf(error: unknown): string {
  return error instanceof FailureError ? sentence(error.failure) : String(error);
}

/** What an error says happened, for the middle of a sentence. */
export function whatOf(error: unknown): string {
  return error instanceof FailureError ? error.failure.what : String(error);
}
