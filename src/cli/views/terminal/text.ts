import { duration } from '../../../run/index.ts';
import { styleText } from 'node:util';
import { sanitise } from '../../../transport/index.ts';
import { wrap } from '../words.ts';

/** The longest text of one failure, page or note that a screen shows; the journal has the whole. */
const TEXT_MAX = 600;

/** Longer times are told in whole minutes, in plan milliseconds. */
const ROUGH_MS = 10 * 60_000;

export type Style = Parameters<typeof styleText>[0];

/** What came from elsewhere as one line without anything that a terminal would obey (promise 11). */
export function plain(text: string): string {
  return sanitise(text, TEXT_MAX).replaceAll(/\s+/g, ' ').trim();
}

/** One line of at most `columns` characters; its spaces stay, since columns are made of them. */
export function cut(text: string, columns: number): string {
  const line = sanitise(text, TEXT_MAX).replaceAll(/[\t\n]/g, ' ');
  return line.length <= columns ? line : `${line.slice(0, Math.max(0, columns - 1)).trimEnd()}…`;
}

/** At most `lines` lines of a text; the last one says by its end that there is more. */
export function lines(text: string, columns: number, most: number): string[] {
  const all = wrap(plain(text), columns);
  if (all.length <= most) return all;
  return [
    ...all.slice(0, most - 1),
    cut(
      all
        .slice(most - 1)
        .map((line, at) => (at === 0 ? line : line.trim()))
        .join(' '),
      columns,
    ),
  ].filter((_, at) => at < most);
}

/** A forecast, without seconds that it cannot promise. */
export function about(ms: number): string {
  return duration(ms < ROUGH_MS ? ms : Math.round(ms / 60_000) * 60_000);
}

/** Colour for a terminal that has it; elsewhere, and under NO_COLOR, the text itself. */
export function paint(style: Style, text: string): string {
  return styleText(style, text);
}

/** How much room a text takes, colours aside. */
export function widthOf(text: string): number {
  return text.replaceAll(/\u001B\[[\d;]*m/g, '').length;
}
