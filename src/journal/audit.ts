import { z } from 'zod';
import { tampered } from '../plan/index.ts';
import type { Anchor, Head } from './head.ts';
import { CHAIN_START, linkFlaw, type StoredRow } from './link.ts';

/** One thing that is not as it should be. `seq` is the first bad event, where an event is what is wrong. */
export interface AuditFlaw {
  readonly about: 'file' | 'chain' | 'plan' | 'order' | 'anchor';
  readonly seq: number | null;
  readonly what: string;
}

/** What was found. Sound is when there is no flaw. */
export interface Audit {
  readonly run: string | null;
  /** Events that stand as they were written, from the first on. */
  readonly events: number;
  /** The last of them. */
  readonly head: Head;
  readonly plan: string | null;
  readonly closed: { readonly outcome: string; readonly atMs: number } | null;
  readonly anchors: { readonly given: number; readonly fit: number; readonly until: number };
  readonly flaws: readonly AuditFlaw[];
}

const planTextSchema = z.looseObject({
  hash: z.string(),
  header: z.looseObject({ slices: z.array(z.string()) }),
  slices: z.array(z.unknown()),
});
const openedSchema = z.looseObject({ type: z.literal('opened'), run: z.string(), plan: z.string() });
const approvedSchema = z.looseObject({ type: z.literal('approved'), plan: z.string() });
const closedSchema = z.looseObject({ type: z.literal('closed'), outcome: z.string() });
/** What an order and the first event both say. */
const ANSWERABLE = ['run', 'by', 'host', 'user', 'key', 'ticket'] as const;

/**
 * Judges a journal, row by row in the order in which they lie, with what else there is of its run: finds any event
 * changed, removed or put elsewhere and names the first one, and holds plan, order and anchors against the events.
 * Without anchors it cannot tell that the tail was cut off, or that all of it was written anew.
 */
export class Auditor {
  readonly #anchors: ReadonlyMap<number, readonly Anchor[]>;
  readonly #given: readonly Anchor[];
  readonly #flaws: AuditFlaw[] = [];
  readonly #approved: { readonly seq: number; readonly plan: string }[] = [];
  #head: Head = { seq: 0, hash: CHAIN_START };
  #broken = false;
  #opened: Readonly<Record<string, unknown>> | null = null;
  #closed: Audit['closed'] = null;
  #fit = 0;
  #until = 0;

  constructor(anchors: readonly Anchor[] = []) {
    this.#given = anchors;
    this.#anchors = Map.groupBy(anchors, ({ seq }) => seq);
  }

  /** After the first bad event nothing that follows proves anything. */
  take(row: StoredRow): void {
    if (this.#broken) return;
    const seq = this.#head.seq + 1;
    const why = linkFlaw(row, seq, this.#head.hash);
    if (why !== null) {
      this.#broken = true;
      this.#flaws.push({ about: 'chain', seq, what: why });
      return;
    }
    this.#head = { seq, hash: row.hash };
    this.#note(row);
    for (const anchor of this.#anchors.get(seq) ?? []) this.#hold(anchor);
  }

  /** A flaw that whoever reads the rows found. */
  add(flaw: AuditFlaw): void {
    this.#flaws.push(flaw);
  }

  /** `plan` and `order` are the parsed files, whatever they hold; undefined: not there to be judged. */
  result(beside: { readonly run: string | null; readonly plan?: unknown; readonly order?: unknown }): Audit {
    const flaws = [...this.#flaws];
    const opened = openedSchema.safeParse(this.#opened);
    if (opened.success) {
      if (beside.run !== null && opened.data.run !== beside.run)
        flaws.push({
          about: 'chain',
          seq: 1,
          what: `it is the journal of run ${opened.data.run}, not of ${beside.run}`,
        });
      flaws.push(...this.#planFlaws(opened.data.plan, beside.plan), ...orderFlaws(opened.data, beside.order));
    } else if (!this.#broken && this.#head.seq > 0)
      flaws.push({ about: 'chain', seq: 1, what: 'its first event is not the opening of a run' });
    flaws.push(...this.#endFlaws());
    return {
      run: opened.success ? opened.data.run : beside.run,
      events: this.#head.seq,
      head: this.#head,
      plan: opened.success ? opened.data.plan : null,
      closed: this.#closed,
      anchors: { given: this.#given.length, fit: this.#fit, until: this.#until },
      flaws: [...flaws.filter((flaw) => flaw.about !== 'anchor'), ...anchorsInOrder(flaws)],
    };
  }

  #note({ seq, text, atMs }: StoredRow): void {
    // Most events are none of these, and are not parsed.
    if (!/"type":"(?:opened|approved|closed)"/.test(text)) return;
    const event: unknown = JSON.parse(text);
    if (seq === 1) this.#opened = event as Readonly<Record<string, unknown>>;
    const approved = approvedSchema.safeParse(event);
    if (approved.success) this.#approved.push({ seq, plan: approved.data.plan });
    const closed = closedSchema.safeParse(event);
    if (closed.success) this.#closed = { outcome: closed.data.outcome, atMs };
  }

  #hold({ seq, hash, from }: Anchor): void {
    if (this.#head.hash.startsWith(hash)) {
      this.#fit += 1;
      this.#until = Math.max(this.#until, seq);
      return;
    }
    const what = `event ${seq} is not the one that was told (${from}): the journal was written anew from there or before`;
    this.#flaws.push({ about: 'anchor', seq, what });
  }

  #planFlaws(hash: string, plan: unknown): AuditFlaw[] {
    const other = this.#approved.find((each) => each.plan !== hash);
    const flaws: AuditFlaw[] = other
      ? [
          {
            about: 'plan',
            seq: other.seq,
            what: `event ${other.seq} approves plan ${other.plan}, and ${hash} was opened`,
          },
        ]
      : [];
    if (plan === undefined) return flaws;
    const parsed = planTextSchema.safeParse(plan);
    const why = parsed.success ? whyTampered(parsed.data) : 'it is no plan';
    if (why !== null) flaws.push({ about: 'plan', seq: null, what: `the plan was changed after it was made: ${why}` });
    else if (parsed.data?.hash !== hash)
      flaws.push({
        about: 'plan',
        seq: 1,
        what: `the plan that lies there is ${parsed.data?.hash}, and ${hash} was opened`,
      });
    return flaws;
  }

  /** Anchors behind the last event: what they were told of is not there any more. */
  #endFlaws(): AuditFlaw[] {
    const { seq: last } = this.#head;
    if (last === 0 && !this.#broken) return [{ about: 'chain', seq: null, what: 'it holds no event' }];
    if (this.#broken) return [];
    return this.#given
      .filter(({ seq }) => seq > last)
      .map(({ seq, from }) => ({
        about: 'anchor' as const,
        seq,
        what: `event ${seq} was told (${from}), and the journal ends at event ${last}: its tail was cut off`,
      }));
  }
}

/** The first anchor that does not fit tells it; the others would only say it again. */
function anchorsInOrder(flaws: readonly AuditFlaw[]): readonly AuditFlaw[] {
  const first = flaws.filter(({ about }) => about === 'anchor').toSorted((a, b) => (a.seq ?? 0) - (b.seq ?? 0))[0];
  return first ? [first] : [];
}

function whyTampered(plan: z.output<typeof planTextSchema>): string | null {
  try {
    return tampered(plan);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** An order is no part of the chain; what it says of who is answerable must be what the journal says. */
function orderFlaws(opened: Readonly<Record<string, unknown>>, order: unknown): AuditFlaw[] {
  if (typeof order !== 'object' || order === null) return [];
  const said = order as Readonly<Record<string, unknown>>;
  // Journals and orders of before these fields were there do not have them.
  const other = ANSWERABLE.find((name) => name in opened && name in said && opened[name] !== said[name]);
  if (other === undefined) return [];
  return [{ about: 'order', seq: 1, what: `the order's ${other} is not the one that the run was opened with` }];
}
