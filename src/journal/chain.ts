import { canonicalJson } from '../plan/index.ts';
import type { JournalRow } from '../ports/index.ts';
import { CHAIN_START, linkFlaw } from './link.ts';

export type ChainCheck =
  | { readonly ok: true; readonly head: string }
  | { readonly ok: false; readonly seq: number; readonly why: string };

/**
 * Whether these rows, from the first of a journal, are those that were written, in order: finds any row changed,
 * removed or put elsewhere, and names the first bad one. A tail that was cut off, and a journal rewritten whole,
 * keep a sound chain: only a head kept elsewhere shows them.
 */
export function verifyChain(rows: readonly JournalRow[]): ChainCheck {
  let head = CHAIN_START;
  for (const [index, row] of rows.entries()) {
    const seq = index + 1;
    const why = linkFlaw({ ...row, text: canonicalJson(row.event) }, seq, head);
    if (why !== null) return { ok: false, seq, why };
    head = row.hash;
  }
  return { ok: true, head };
}
