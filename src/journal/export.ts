import { z } from 'zod';
import type { Json } from '../model/index.ts';
import { canonicalJson } from '../plan/index.ts';
import { Auditor, type Audit } from './audit.ts';
import { headText, type Anchor, type Head } from './head.ts';
import type { StoredRow } from './link.ts';

/** What a run's export holds. */
export interface Exported {
  readonly run: string;
  /** Who asked for the run and how, without anything that could be a secret. */
  readonly order: Json;
  /** The plan's file, parsed and otherwise as it lies there. */
  readonly plan: unknown;
  readonly rows: readonly StoredRow[];
}

const hashSchema = z.string().regex(/^[0-9a-f]{64}$/);
const firstSchema = z.looseObject({
  neap: z.literal('audit'),
  format: z.literal(1),
  run: z.string().max(200),
  order: z.unknown(),
});
const planSchema = z.looseObject({ plan: z.looseObject({}) });
const rowSchema = z.looseObject({
  hash: hashSchema,
  row: z.strictObject({
    atMs: z.number(),
    epoch: z.number(),
    event: z.record(z.string(), z.unknown()),
    prev: z.string(),
    seq: z.number(),
  }),
});
const lastSchema = z.looseObject({ head: z.looseObject({ seq: z.number(), hash: hashSchema }) });

/**
 * The lines of an export, JSON each: the run and its order, its plan, its events in order, the head. An event's `row`
 * is, byte for byte, what its `hash` is the SHA-256 of.
 */
export function* exportLines({ run, order, plan, rows }: Exported): Generator<string> {
  yield JSON.stringify({ neap: 'audit', format: 1, run, order });
  yield JSON.stringify({ plan });
  for (const { atMs, epoch, text, prev, seq, hash } of rows)
    yield `{"hash":"${hash}","row":{"atMs":${JSON.stringify(atMs)},"epoch":${epoch},"event":${text},"prev":"${prev}","seq":${seq}}}`;
  const last = rows.at(-1);
  if (last) yield JSON.stringify({ head: { seq: last.seq, hash: last.hash }, text: headText(run, last) });
}

/** The run that an export's first line names; null when it is no export. */
export function exportedRun(firstLine: string): string | null {
  const first = firstSchema.safeParse(jsonOf(firstLine));
  return first.success ? first.data.run : null;
}

/** Judges an export from its lines alone: nothing else of the run is needed. */
export async function auditExport(lines: AsyncIterable<string>, anchors: readonly Anchor[]): Promise<Audit> {
  const auditor = new Auditor(anchors);
  let [run, order, plan, head]: [string | null, unknown, unknown, Head | null] = [null, undefined, undefined, null];
  let number = 0;
  for await (const line of lines) {
    number += 1;
    const json = jsonOf(line);
    if (number === 1) {
      const first = firstSchema.safeParse(json);
      if (first.success) ({ run, order } = first.data);
      else auditor.add(strange(number, 'it is not how an export begins'));
    } else if (number === 2) {
      const second = planSchema.safeParse(json);
      if (second.success) ({ plan } = second.data);
      else auditor.add(strange(number, 'the plan does not stand there'));
    } else {
      const flaw: null | Head | string = head === null ? takeLine(auditor, json) : 'something stands behind the end';
      if (flaw === null) continue;
      if (typeof flaw === 'object') head = flaw;
      else auditor.add(strange(number, flaw));
    }
  }
  const found = auditor.result({ run, plan, order });
  return { ...found, flaws: [...found.flaws, ...endFlaws(found, head)] };
}

/** Null: an event, taken. A head: the last line. A text: what is wrong with it. */
function takeLine(auditor: Auditor, json: unknown): null | Head | string {
  const row = rowSchema.safeParse(json);
  if (row.success) {
    const { event, ...rest } = row.data.row;
    auditor.take({ ...rest, text: canonicalJson(event), hash: row.data.hash });
    return null;
  }
  const last = lastSchema.safeParse(json);
  return last.success ? last.data.head : 'it is neither an event nor the end';
}

function endFlaws(found: Audit, head: Head | null): Audit['flaws'] {
  if (found.flaws.some(({ about }) => about === 'chain' || about === 'file')) return [];
  if (head === null)
    return [{ about: 'file', seq: null, what: `its end is missing: the last event in it is ${found.events}` }];
  if (head.seq === found.head.seq && head.hash === found.head.hash) return [];
  return [
    { about: 'file', seq: null, what: `it says that it ends at event ${head.seq}, and it ends at ${found.events}` },
  ];
}

function strange(line: number, why: string): Audit['flaws'][number] {
  return { about: 'file', seq: null, what: `line ${line}: ${why}` };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
