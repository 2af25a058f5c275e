import { existsSync } from 'node:fs';
import { readJournal } from '../../journal/index.ts';
import { FailureError } from '../../model/index.ts';
import type { RunPlace } from '../runs.ts';

/**
 * Whether a run that was prepared in this folder never wrote an event: its engine died before it had a journal, and did
 * nothing to any server.
 */
export async function neverBegan({ dir, journal }: RunPlace): Promise<boolean> {
  if (!existsSync(dir)) return false;
  if (!existsSync(journal)) return true;
  const rows = await readJournal(journal).catch(() => null);
  return rows?.length === 0;
}

/** Whether a run whose journal lies there has come to its end. One that is written just now, or lies elsewhere, has not. */
export async function isOver(journal: string): Promise<boolean> {
  return (await standing(journal)) === 'over';
}

/** Whether a run's journal lies there and says nothing of its end. */
export async function isOpen(journal: string): Promise<boolean> {
  return (await standing(journal)) === 'open';
}

async function standing(journal: string): Promise<'over' | 'open' | 'absent'> {
  if (!existsSync(journal)) return 'absent';
  try {
    const rows = await readJournal(journal);
    return rows.at(-1)?.event['type'] === 'closed' ? 'over' : 'open';
  } catch (error) {
    // Somebody writes it just now, or nobody can read it: either way it is no end.
    if (error instanceof FailureError) return 'open';
    throw error;
  }
}
