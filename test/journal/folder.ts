import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { JournalFailure } from '../../src/journal/index.ts';
import type { JsonObject } from '../../src/model/index.ts';

/** An empty directory (0700) for one test. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'neap-journal-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** So many small events, numbered from 0. */
export function events(count: number): { readonly atMs: number; readonly event: JsonObject }[] {
  return Array.from({ length: count }, (_, n) => ({
    atMs: 1000.5 + n,
    event: { type: 'intended', n, server: `api-${n % 7}` },
  }));
}

/** The failure that a promise is rejected with. */
export async function failureOf(work: Promise<unknown>): Promise<JournalFailure> {
  const error: unknown = await work.then(
    () => 'nothing failed',
    (reason: unknown) => reason,
  );
  if (!(error instanceof JournalFailure)) throw new Error(`not a JournalFailure: ${String(error)}`);
  return error;
}
