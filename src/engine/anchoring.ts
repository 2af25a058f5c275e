import { shortHeadText, type Head } from '../journal/index.ts';
import type { JournalRow } from '../ports/index.ts';
import type { RunEvent } from '../run/index.ts';
import { anchorSink, type AnchorSink } from './anchor-sinks.ts';
import type { Reach } from './reach/index.ts';
import type { Order } from './runs.ts';

/** While events come, the head is told at least so often, in plan time. */
const EVERY_MS = 3 * 60_000;

/** A sink that comes and goes is journaled so often by one engine; then it is left to come and go. */
const CHANGES_MAX = 10;

export interface AnchoringInput {
  readonly run: string;
  /** Null: nobody outside is told, but pages still carry the head. */
  readonly sink: AnchorSink | null;
  readonly tell: (event: Extract<RunEvent, { type: 'anchor' }>) => void;
}

/**
 * Tells the head of the journal outside, at what matters and at least every few minutes. One telling at a time, and of
 * heads that come meanwhile only the last: it vouches for all before it. Nothing waits for it, and what is told is not
 * journaled: only that a sink fails, and that it is there again.
 */
export class Anchoring {
  readonly #in: AnchoringInput;
  #head: Head | null = null;
  #atMs = 0;
  #toldAtMs = -Infinity;
  #due = false;
  #lost = false;
  #changes = 0;
  #underWay: Promise<void> | null = null;

  constructor(input: AnchoringInput) {
    this.#in = input;
  }

  /** What an earlier engine of this run had journaled last. */
  begin(head: Head | null, lost: boolean): void {
    this.#head = head;
    this.#lost = lost;
  }

  /** Called with every row once it is durable. */
  follow(rows: readonly JournalRow[]): void {
    const last = rows.at(-1);
    if (last === undefined) return;
    this.#head = { seq: last.seq, hash: last.hash };
    this.#atMs = last.atMs;
    if (!rows.some(matters) && last.atMs - this.#toldAtMs < EVERY_MS) return;
    this.#toldAtMs = last.atMs;
    this.#due = true;
    this.#underWay ??= this.#work();
  }

  /** A page's text with the head behind it: whoever keeps the page keeps an anchor. */
  onPage(text: string): string {
    return this.#head === null ? text : `${text} [${shortHeadText(this.#in.run, this.#head)}]`;
  }

  /** Resolves when the last head that was due is told, or could not be. */
  async settled(): Promise<void> {
    await this.#underWay;
  }

  async #work(): Promise<void> {
    while (this.#due && this.#head !== null && this.#in.sink !== null) {
      this.#due = false;
      const why = await this.#in.sink(this.#head, this.#atMs);
      if ((why !== null) === this.#lost) continue;
      this.#lost = why !== null;
      this.#changes += 1;
      if (this.#changes <= CHANGES_MAX)
        this.#in.tell({ type: 'anchor', standing: this.#lost ? 'lost' : 'told', seen: why ?? 'it takes them again' });
    }
    this.#due = false;
    this.#underWay = null;
  }
}

/** Tells the head of a run's journal to whom its order names. */
export function anchoringFor(
  { run, journal: { anchor } }: Order,
  { secrets, redactor }: Reach,
  tell: AnchoringInput['tell'],
): Anchoring {
  return new Anchoring({ run, sink: anchor === undefined ? null : anchorSink(run, anchor, secrets, redactor), tell });
}

/** Openings, turns, ends; pages, and gates that are passed. */
function matters({ event }: JournalRow): boolean {
  const { type, effect } = event as unknown as RunEvent & { readonly effect?: { readonly effect: string } };
  if (type === 'intended') return effect?.effect === 'page' || effect?.effect === 'pass';
  return type === 'opened' || type === 'engine' || type === 'turned' || type === 'closed';
}
