import { Temporal } from 'temporal-polyfill/implementation';
import { calendarLines, lineIn, lineText, Unreadable, type EventLines, type Line } from './lines.ts';

/** How many days an all-day event lasts is kept with it: a day has 23, 24 or 25 hours. */
export const DAYS = 'NEAP-DAYS';

/**
 * The same calendar with every time in a zone: floating times and whole days are those of `zone`, where a parser would
 * take this machine's. What it would pass over is an error.
 */
export function inZone(text: string, zone: string): string {
  const { events, zones } = calendarLines(text);
  const masters = new Set<string>();
  const own: string[][] = [];
  const overrides: string[][] = [];
  for (const [at, event] of events.entries()) {
    refuseUnknown(event);
    const uid = lineIn(event, 'UID')?.value ?? `event-${at}`;
    const isMaster = lineIn(event, 'RECURRENCE-ID') === undefined;
    // A parser keeps one event for each UID: a second one is an event of its own.
    const name = isMaster && masters.has(uid) ? `${uid}-${at}` : uid;
    if (isMaster) masters.add(name);
    (isMaster ? own : overrides).push(rewritten(event, name, zone));
  }
  // An exception without the event that it is one from stands for itself.
  const placed = overrides.map((lines) => (masters.has(uidOf(lines)) ? lines : alone(lines)));
  const blocks = [...own, ...placed].map((lines) => ['BEGIN:VEVENT', ...lines, 'END:VEVENT'].join('\r\n'));
  return ['BEGIN:VCALENDAR', 'VERSION:2.0', ...zones, ...blocks, 'END:VCALENDAR', ''].join('\r\n');
}

function refuseUnknown(event: EventLines): void {
  const title = lineIn(event, 'SUMMARY')?.value ?? 'without a title';
  for (const name of ['RDATE', 'EXRULE'])
    if (lineIn(event, name)) throw new Unreadable(`its event "${title}" has an ${name}, which neap does not read`);
  if (lineIn(event, 'RECURRENCE-ID')?.params['RANGE'])
    throw new Unreadable(`its event "${title}" changes all that follow (RANGE), which neap does not read`);
  const rules = event.filter(({ name }) => name === 'RRULE');
  if (rules.length > 1) throw new Unreadable(`its event "${title}" has several RRULEs`);
  if (/FREQ=(?:SECONDLY|MINUTELY)/i.test(rules[0]?.value ?? ''))
    throw new Unreadable(`its event "${title}" recurs more often than hourly`);
  if (!lineIn(event, 'DTSTART')) throw new Unreadable(`its event "${title}" has no DTSTART`);
}

/** Only what says when: everything else of an event is of no use here, and its title. */
function rewritten(event: EventLines, uid: string, zone: string): string[] {
  const start = lineIn(event, 'DTSTART');
  const allDay = start !== undefined && isDay(start);
  const kept = ['SUMMARY', 'STATUS', 'TRANSP', 'SEQUENCE', 'DTSTAMP'].flatMap((name) => lineIn(event, name) ?? []);
  const times = event.filter(({ name }) => ['DTSTART', 'EXDATE', 'RECURRENCE-ID'].includes(name));
  const end = allDay ? [] : event.filter(({ name }) => name === 'DTEND' || name === 'DURATION');
  const rule = lineIn(event, 'RRULE');
  const ruleZone = start?.params['TZID'] ?? zone;
  return [
    `UID:${uid}`,
    ...kept.map(lineText),
    ...[...times, ...end].map((line) => lineText(timed(line, allDay, zone))),
    ...(allDay && start
      ? [
          lineText({ ...start, name: `X-${DAYS}`, params: {}, value: String(daysOf(event, start)) }),
          lineText(nextDay(start, zone)),
        ]
      : []),
    ...(rule ? [lineText({ ...rule, value: bounded(rule.value, ruleZone, zone) })] : []),
  ];
}

function timed(line: Line, allDay: boolean, zone: string): Line {
  if (line.name === 'DURATION') return line;
  // A whole day that is left out of a series of times stays a whole day.
  if (isDay(line) && !allDay) return line;
  const values = line.value.split(',').map((value) => existing(isDay(line) ? `${value.slice(0, 8)}T000000` : value));
  const { VALUE: _, ...params } = line.params;
  const floating = params['TZID'] === undefined && !values.some((value) => value.endsWith('Z'));
  return { ...line, params: floating ? { ...params, TZID: zone } : params, value: values.join(',') };
}

/** A date that is none would be passed over. */
function existing(value: string): string {
  try {
    Temporal.PlainDateTime.from(value.replace(/Z$/i, ''), { overflow: 'reject' });
    return value;
  } catch {
    throw new Unreadable(`"${value.slice(0, 40)}" in it is no date and time`);
  }
}

/** Something has to end for it to be an event; how long it lasts is known by its days. */
function nextDay(start: Line, zone: string): Line {
  const next = Temporal.PlainDate.from(start.value.slice(0, 8)).add({ days: 1 }).toString().replaceAll('-', '');
  return { name: 'DTEND', params: { TZID: zone }, value: `${next}T000000` };
}

function daysOf(event: EventLines, start: Line): number {
  const end = lineIn(event, 'DTEND');
  if (end)
    return Math.max(
      1,
      Temporal.PlainDate.from(start.value.slice(0, 8)).until(Temporal.PlainDate.from(end.value.slice(0, 8)), {
        largestUnit: 'day',
      }).days,
    );
  const [, weeks, days] = /^P(?:(\d+)W)?(?:(\d+)D)?$/.exec(lineIn(event, 'DURATION')?.value ?? '') ?? [];
  return Math.max(1, Number(weeks ?? 0) * 7 + Number(days ?? 0));
}

/** The last day of a series is in it; a parser wants an instant. */
function bounded(rule: string, ruleZone: string, zone: string): string {
  return rule.replace(/UNTIL=(\d{8})(T\d{6})?(?!\d|Z)/i, (_, day: string, time: string | undefined) => {
    const until = Temporal.PlainDateTime.from(`${day}${time ?? 'T235959'}`);
    const instant = zoned(until, ruleZone, zone).toInstant().toString({ smallestUnit: 'second' });
    return `UNTIL=${instant.replaceAll(/[-:]/g, '')}`;
  });
}

/** A zone that only the calendar knows by that name is near enough to its own for the end of a series. */
function zoned(at: Temporal.PlainDateTime, first: string, second: string): Temporal.ZonedDateTime {
  try {
    return at.toZonedDateTime(first);
  } catch {
    return at.toZonedDateTime(second);
  }
}

function isDay({ params, value }: Line): boolean {
  return params['VALUE']?.toUpperCase() === 'DATE' || /^\d{8}$/.test(value);
}

function uidOf(lines: readonly string[]): string {
  return lines[0]?.slice('UID:'.length) ?? '';
}

function alone(lines: readonly string[]): string[] {
  const id = lines.find((line) => line.startsWith('RECURRENCE-ID')) ?? '';
  return [`${lines[0]}-${id.replaceAll(/[^\w]/g, '')}`, ...lines.slice(1).filter((line) => line !== id)];
}
