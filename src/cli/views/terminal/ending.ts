import { duration } from '../../../run/index.ts';
import type { RunPlace } from '../../../engine/index.ts';
import { sentence } from '../../../model/index.ts';
import type { RunState } from '../../../run/index.ts';
import { wrap } from '../words.ts';
import { lines, paint, plain } from './text.ts';

/** An engine that is gone leaves a run that only a person can take further. */
export const ENGINE_GONE = 5;
/** So many servers that are out are told of at the end; the report has all. */
const OUT_MAX = 8;

/** The last words: the outcome, who is out and why, where everything lies, what to do next. */
export function closedText({ run, journal, dir }: RunPlace, state: RunState, columns: number): string {
  const { closed } = state;
  if (!closed) return '';
  const good = closed.outcome === 'done';
  const out = Object.entries(state.out).filter(([, each]) => !each.recovered);
  const text = [
    ...wrap(plain(closed.summary), columns).map((line) =>
      paint(['bold', good ? 'green' : closed.outcome === 'human' ? 'red' : 'yellow'], line),
    ),
    ...out
      .slice(0, OUT_MAX)
      .flatMap(([, { failure }]) => lines(sentence(failure), columns - 2, 5).map((line) => `  ${line}`)),
    ...(out.length > OUT_MAX ? [`  and ${out.length - OUT_MAX} more: neap status ${run}`] : []),
    `Exit code ${closed.exitCode}, after ${duration(closed.atMs - state.openedAtMs)}.`,
    '',
    `Journal  ${journal}`,
    `Folder   ${dir}`,
    `Next     neap report ${run} --html report.html`,
    `         neap status ${run}`,
  ];
  return `\n${text.join('\n')}\n`;
}

/** The view is left, the run is not. */
export function detachedText({ run }: RunPlace): string {
  return `\nDetached: run ${run} goes on by itself.\nWatch it     neap attach ${run}\nSee it once  neap status ${run}\nEnd it       neap abort ${run}\n`;
}

/** The engine answers no more. `alive`: only the connection to it was lost; `stopped`: why it ended, if it said so. */
export function goneText({ run, log }: RunPlace, alive: boolean, stopped: string | null = null): string {
  if (stopped !== null)
    return `\n${paint(['bold', 'red'], 'The engine stopped.')} ${plain(stopped)}\nLog      ${log}\n`;
  if (alive)
    return `\nThe connection to the engine of run ${run} was lost; the engine lives.\nNext     neap attach ${run}\n`;
  return `\n${paint(['bold', 'red'], `The engine of run ${run} is gone.`)} What it did is in the journal; its servers stay as they are.\nLog      ${log}\nNext     neap resume ${run}\n`;
}
