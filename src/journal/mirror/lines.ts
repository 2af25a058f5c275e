import type { JsonObject } from '../../model/index.ts';
import { canonicalJson } from '../../plan/index.ts';
import type { JournalRow } from '../../ports/index.ts';
import { verifyChain } from '../chain.ts';

/** One row as a mirror holds it: its canonical JSON on a line of its own. */
export function mirrorLine({ atMs, epoch, event, hash, prev, seq }: JournalRow): string {
  return `${canonicalJson({ atMs, epoch, event, hash, prev, seq })}\n`;
}

/** What a mirror's rows come to. */
export type MirrorRead =
  /** `torn`: a last line without its end was left out; it was never acknowledged. */
  | { readonly ok: true; readonly rows: readonly JournalRow[]; readonly head: string; readonly torn: boolean }
  | { readonly ok: false; readonly seq: number; readonly why: string };

/**
 * The rows of a mirror's file, held against their chain. Only what stands behind the last end of line is taken for a
 * line that was cut off; anything else that is not as it was written is damage, and the first bad event is named.
 */
export function readMirrorRows(text: string): MirrorRead {
  const lines = text.split('\n');
  const torn = lines.pop() !== '';
  const rows: JournalRow[] = [];
  for (const line of lines) {
    const row = rowOf(line);
    if (row === null) return { ok: false, seq: rows.length + 1, why: `line ${rows.length + 1} is no row of a journal` };
    rows.push(row);
  }
  const checked = verifyChain(rows);
  return checked.ok ? { ok: true, rows, head: checked.head, torn } : checked;
}

/** One line as a row; null where it is none. */
export function rowOf(line: string): JournalRow | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { seq, atMs, epoch, event, prev, hash } = value as Record<string, unknown>;
  if (typeof seq !== 'number' || typeof atMs !== 'number' || typeof epoch !== 'number') return null;
  if (typeof prev !== 'string' || typeof hash !== 'string' || typeof event !== 'object' || event === null) return null;
  return { seq, atMs, epoch, event: event as JsonObject, prev, hash };
}
