/** One content line of a calendar: `NAME;PARAM=value:value`. */
export interface Line {
  readonly name: string;
  readonly params: Readonly<Record<string, string>>;
  readonly value: string;
}

/** An event as its lines, without what is nested in it (alarms). */
export type EventLines = readonly Line[];

/** A calendar cannot be relied upon. The message says what is wrong with it. */
export class Unreadable extends Error {}

/** So many events a calendar has at most. */
const EVENTS_MAX = 10_000;

/**
 * The events and the time zones of a calendar, line by line. A parser that passes over what it does not know would turn
 * half a file into no freeze at all: what is cut off, or is no calendar, is an error here.
 */
export function calendarLines(text: string): {
  readonly events: readonly EventLines[];
  readonly zones: readonly string[];
} {
  const raw = text
    .replace(/^\uFEFF/, '')
    .replaceAll(/\r?\n[ \t]/g, '')
    .split(/\r?\n/);
  const lines = raw.map((line) => line.trimEnd()).filter((line) => line !== '');
  if (lines[0]?.toUpperCase() !== 'BEGIN:VCALENDAR')
    throw new Unreadable('it is no iCalendar file: it does not begin with BEGIN:VCALENDAR');
  const open: string[] = [];
  const events: Line[][] = [];
  const zones: string[] = [];
  for (const [at, text_] of lines.entries()) {
    const line = lineOf(text_);
    if (line === null) throw new Unreadable(`line ${at + 1} is no line of a calendar`);
    if (line.name === 'BEGIN') {
      open.push(line.value.toUpperCase());
      if (line.value.toUpperCase() === 'VEVENT') events.push([]);
    }
    if (open.includes('VTIMEZONE')) zones.push(text_);
    else if (open.at(-1) === 'VEVENT' && line.name !== 'BEGIN' && line.name !== 'END') events.at(-1)?.push(line);
    if (line.name === 'END' && open.pop() !== line.value.toUpperCase())
      throw new Unreadable(`line ${at + 1} ends what was not begun`);
  }
  if (open.length > 0) throw new Unreadable('it is cut off: not everything that begins in it ends');
  if (events.length > EVENTS_MAX)
    throw new Unreadable(`it has ${events.length} events, and ${EVENTS_MAX} are read at most`);
  return { events, zones };
}

/** The first line of that name. */
export function lineIn(event: EventLines, name: string): Line | undefined {
  return event.find((line) => line.name === name);
}

/** A line as it is written. */
export function lineText({ name, params, value }: Line): string {
  return `${name}${Object.entries(params)
    .map(([param, word]) => `;${param}=${word}`)
    .join('')}:${value}`;
}

function lineOf(text: string): Line | null {
  const match = /^([\w-]+)((?:;[\w-]+=(?:"[^"]*"|[^":;]*)(?:,(?:"[^"]*"|[^":;,]*))*)*):(.*)$/s.exec(text);
  if (!match) return null;
  const [, name = '', words = '', value = ''] = match;
  const params = [...words.matchAll(/;([\w-]+)=((?:"[^"]*"|[^";])*)/g)].map(
    ([, param = '', word = '']) => [param.toUpperCase(), word] as const,
  );
  return { name: name.toUpperCase(), params: Object.fromEntries(params), value };
}
