import { hash } from 'node:crypto';

/** What the first event follows. */
export const CHAIN_START = '0'.repeat(64);

/** Where reading a journal whole begins: below every number a row can have, so that one put before the first is seen. */
export const FIRST_SEQ = Number.MIN_SAFE_INTEGER;

/** One event as it lies in the file: `text` is the event's canonical JSON. */
export interface StoredRow {
  readonly seq: number;
  readonly atMs: number;
  readonly epoch: number;
  readonly text: string;
  readonly prev: string;
  readonly hash: string;
}

/** SHA-256 over the canonical JSON of `{atMs, epoch, event, prev, seq}`, put together from the event's own text. */
export function linkHash(row: Omit<StoredRow, 'hash'>): string {
  const { atMs, epoch, text, prev, seq } = row;
  return hash(
    'sha256',
    `{"atMs":${JSON.stringify(atMs)},"epoch":${epoch},"event":${text},"prev":"${prev}","seq":${seq}}`,
  );
}

/** What is wrong with the row that should be number `seq` and follow `prev`; null when nothing is. */
export function linkFlaw(row: StoredRow, seq: number, prev: string): string | null {
  if (row.seq > seq) return `event ${seq} is missing: event ${row.seq} stands in its place`;
  if (row.seq < seq) return `event ${row.seq} stands where event ${seq} belongs`;
  if (row.prev !== prev) return `event ${seq} does not follow the event before it`;
  return linkHash(row) === row.hash ? null : `event ${seq} is not what was written`;
}
