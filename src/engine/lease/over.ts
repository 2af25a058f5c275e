import { existsSync } from 'node:fs';
import { readJournal } from '../../journal/index.ts';
import { FailureError } from '../../model/index.ts';

/** Whether a run whose journal lies there has come to its end. One that is written just now, or lies elsewhere, has not. */
export async function isOver(journal: string): Promise<boolean> {
  if (!existsSync(journal)) return false;
  try {
    const rows = await readJournal(journal);
    return rows.at(-1)?.event['type'] === 'closed';
  } catch (error) {
    if (error instanceof FailureError) return false;
    throw error;
  }
}
