import { FailureError } from '../../model/index.ts';
import type { JournalRow } from '../../ports/index.ts';
import { mirrorLine, rowOf } from './lines.ts';
import { MirrorMoved, type MirrorStore } from './store.ts';

/** Rows that are kept in memory for it; when more wait, they are read from the journal again. */
const QUEUE_ROWS_MAX = 5_000;

/** Rows and characters that one append carries at most. */
const BATCH_ROWS = 2_000;
const BATCH_LENGTH = 1024 * 1024;

/** A row that has waited for so long, in real milliseconds, means that the mirror has fallen behind. */
const BEHIND_AFTER_MS = 5_000;

/** Between tries, in real milliseconds; the last one again and again, as often as `TRIES_MAX` allows: two days. */
const WAITS_MS = [500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000] as const;
const TRIES_MAX = 3_000;

export interface MirrorInput {
  readonly run: string;
  readonly store: MirrorStore;
  /** What lies beside the rows, so that another machine can go on: neither holds a secret. */
  readonly plan: string;
  readonly order: string;
  /** The journal's own rows, at most `count` of them. */
  readonly read: (fromSeq: number, count: number) => Promise<readonly JournalRow[]>;
  /** The last row that is there before any is offered. */
  readonly lastSeq: number;
  /** How it was known to stand before. */
  readonly standing: 'current' | 'behind';
  /** Told when it falls behind and when it has everything again; once each. */
  readonly onStanding: (standing: 'behind' | 'current', seen: string) => void;
  /** Calls back after real milliseconds, unless cancelled by what it returns. */
  readonly after: (ms: number, call: () => void) => () => void;
}

/** A copy of a run's journal elsewhere: each row in order, on its disk there before it counts as held. Nothing waits for it that does not ask to. */
export interface Mirror {
  readonly name: string;
  /** Takes rows that are durable here. Returns at once. */
  offer(rows: readonly JournalRow[]): void;
  /** True when it has everything up to this row; false as soon as it is behind. */
  holds(seq: number): Promise<boolean>;
  /** Gives it so long to take what it was offered, and lets go. */
  close(limitMs: number): Promise<void>;
}

/** Opens a mirror and keeps it supplied, from its own queue, until it is closed. Never throws and never rejects. */
export function openMirror(input: MirrorInput): Mirror {
  return new Supply(input);
}

/** What lies there is not the beginning of this journal: no trying again mends that. */
class Forked extends Error {}

class Supply implements Mirror {
  readonly #in: MirrorInput;
  #queue: JournalRow[] = [];
  #offered = 0;
  #held = 0;
  /** The length of its file in bytes; null until what lies there was compared. */
  #at: number | null = null;
  #isSupplied = false;
  #standing: 'current' | 'behind';
  /** The latest try failed, or rows wait too long. */
  #isStuck = false;
  #over = false;
  #tries = 0;
  #wake: () => void = () => undefined;
  #cancelLate: (() => void) | null = null;
  #waiting: { readonly seq: number; readonly settle: (held: boolean) => void }[] = [];
  #settled: () => void = () => undefined;

  constructor(input: MirrorInput) {
    this.#in = input;
    this.#standing = input.standing;
    this.#offered = input.lastSeq;
    void this.#supply();
  }

  get name(): string {
    return this.#in.store.name;
  }

  offer(rows: readonly JournalRow[]): void {
    const last = rows.at(-1);
    if (last === undefined || this.#over) return;
    this.#offered = Math.max(this.#offered, last.seq);
    if (this.#queue.length + rows.length > QUEUE_ROWS_MAX) this.#queue = [];
    else this.#queue.push(...rows);
    this.#cancelLate ??= this.#in.after(BEHIND_AFTER_MS, () =>
      this.#stand('behind', `it has not taken event ${this.#held + 1} for ${BEHIND_AFTER_MS / 1000} s`),
    );
    this.#wake();
  }

  holds(seq: number): Promise<boolean> {
    if (this.#held >= seq) return Promise.resolve(true);
    if (this.#isStuck || this.#over) return Promise.resolve(false);
    return new Promise((settle) => this.#waiting.push({ seq, settle }));
  }

  async close(limitMs: number): Promise<void> {
    if (!this.#over && this.#held < this.#offered) {
      await new Promise<void>((resolve) => {
        const cancel = this.#in.after(limitMs, resolve);
        this.#settled = () => {
          cancel();
          resolve();
        };
        this.#wake();
      });
    }
    this.#over = true;
    this.#cancelLate?.();
    this.#wake();
    this.#in.store.close();
  }

  async #supply(): Promise<void> {
    while (!this.#over) {
      if (this.#at !== null && this.#held >= this.#offered) {
        this.#arrived();
        await this.#rest(null);
        continue;
      }
      try {
        this.#at ??= await this.#compare();
        await this.#appendNext(this.#at);
        this.#tries = 0;
      } catch (error) {
        this.#at = null;
        this.#tries += 1;
        this.#stand('behind', reasonOf(error));
        if (error instanceof Forked || this.#tries >= TRIES_MAX) return this.#giveUp();
        await this.#rest(WAITS_MS[Math.min(this.#tries, WAITS_MS.length) - 1] ?? null);
      }
    }
  }

  /** How far it is, before anything is appended: it must hold the beginning of this journal and nothing else. */
  async #compare(): Promise<number> {
    const { store, run, plan, order, read } = this.#in;
    const { lines, wholeBytes, bytes, last } = await store.stand(run);
    if (lines > 0) {
      const there = rowOf(last);
      const [own] = await read(lines, 1);
      if (own === undefined)
        throw new Forked(
          `it holds ${lines} events, more than this journal: another engine went on with the run, or this disk lost some. See: neap resume --from ${store.name} ${run}`,
        );
      if (there === null || own.hash !== there.hash)
        throw new Forked('what it holds is not the beginning of this journal');
    }
    if (!this.#isSupplied) {
      await store.put(run, 'plan.json', plan);
      await store.put(run, 'order.json', order);
      this.#isSupplied = true;
    }
    if (bytes > wholeBytes) await store.cut(run, wholeBytes);
    this.#held = lines;
    return wholeBytes;
  }

  async #appendNext(at: number): Promise<void> {
    const { store, run, read } = this.#in;
    this.#queue = this.#queue.filter(({ seq }) => seq > this.#held);
    const first = this.#queue[0]?.seq === this.#held + 1;
    const rows = first ? this.#queue.slice(0, BATCH_ROWS) : await read(this.#held + 1, BATCH_ROWS);
    let text = '';
    let seq = this.#held;
    for (const row of rows) {
      if (text.length > BATCH_LENGTH) break;
      text += mirrorLine(row);
      seq = row.seq;
    }
    if (text === '') return;
    await store.append(run, at, text);
    this.#at = at + Buffer.byteLength(text);
    this.#held = seq;
    this.#cancelLate?.();
    this.#cancelLate = null;
    const held = this.#waiting.filter((each) => each.seq <= seq);
    this.#waiting = this.#waiting.filter((each) => each.seq > seq);
    for (const { settle } of held) settle(true);
  }

  #arrived(): void {
    this.#stand('current', `${this.name} has every event`);
    this.#settled();
  }

  #giveUp(): void {
    this.#over = true;
    this.#settled();
    this.#in.store.close();
  }

  #stand(standing: 'behind' | 'current', seen: string): void {
    this.#cancelLate?.();
    this.#cancelLate = null;
    this.#isStuck = standing === 'behind';
    if (standing === 'behind') for (const { settle } of this.#waiting.splice(0)) settle(false);
    if (this.#standing === standing || this.#over) return;
    this.#standing = standing;
    this.#in.onStanding(standing, standing === 'behind' ? `${this.name}: ${seen}` : seen);
  }

  async #rest(ms: number | null): Promise<void> {
    let cancel: () => void = () => undefined;
    await new Promise<void>((resolve) => {
      // While it waits to try again, new rows do not hurry it.
      this.#wake = () => {
        if (ms === null || this.#over) resolve();
      };
      if (ms !== null) cancel = this.#in.after(ms, resolve);
    });
    cancel();
    this.#wake = () => undefined;
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof FailureError) return error.failure.what;
  if (error instanceof MirrorMoved || error instanceof Error) return error.message;
  return String(error);
}
