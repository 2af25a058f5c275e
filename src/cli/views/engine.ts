import type { RunEvent } from '../../run/index.ts';

/** Why a run has another beginning of an engine, in one line. */
export function engineText({ pid, after, from }: Extract<RunEvent, { type: 'engine' }>): string {
  const looked = 'what was under way is looked at again';
  if (after !== undefined) return `the journal failed and was opened again (${after}); ${looked}`;
  if (from !== undefined) return `engine ${pid} goes on with the run from its mirror ${from}; ${looked}`;
  return `engine ${pid} goes on with the run; ${looked}`;
}
