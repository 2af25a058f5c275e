import { Temporal } from 'temporal-polyfill/implementation';
import { FailureError } from '../model/index.ts';

/** An instant as people said it: with the zone that it is shown in. */
export interface Said {
  readonly atMs: number;
  readonly zone: string;
}

/**
 * An instant from what a person wrote: a time on the wall (`2026-12-01T02:00`) in `zone`, or an absolute one, with an
 * offset or Z. A time on the wall that does not exist on that day, or exists twice, is refused with both readings. Zones
 * end here: behind it there are only absolute instants. Throws FailureError.
 */
export function instantOf(text: string, zone: string, where: string): number {
  if (!isZone(zone))
    throw refused(`"${zone}" is no time zone`, where, 'Name one as the time zone database does: Europe/Amsterdam, UTC');
  const written = text.trim().replace(' ', 'T');
  try {
    if (/(?:Z|[+-]\d\d:?\d\d)$/i.test(written)) return Temporal.Instant.from(written).epochMilliseconds;
    const onTheWall = Temporal.PlainDateTime.from(written, { overflow: 'reject' });
    const earlier = onTheWall.toZonedDateTime(zone, { disambiguation: 'earlier' });
    const later = onTheWall.toZonedDateTime(zone, { disambiguation: 'later' });
    if (earlier.equals(later)) return earlier.epochMilliseconds;
    const exists = earlier.toPlainDateTime().equals(onTheWall);
    throw refused(
      `${text} ${exists ? 'comes twice' : 'does not exist'} in ${zone}: the clocks change then`,
      where,
      `Say which is meant: ${reading(earlier)} or ${reading(later)}`,
    );
  } catch (error) {
    if (error instanceof FailureError) throw error;
    throw refused(
      `"${text}" is no date and time`,
      where,
      'Write it as 2026-12-01T02:00 (in the zone of --zone), or with an offset: 2026-12-01T02:00+01:00, 2026-12-01T01:00Z',
    );
  }
}

/** An instant for people: `Tue 2026-12-01 02:00 Europe/Amsterdam (01:00 UTC)`. */
export function instantText(atMs: number, zone: string | null): string {
  const utc = Temporal.Instant.fromEpochMilliseconds(Math.round(atMs)).toZonedDateTimeISO('UTC');
  if (zone === null || zone === 'UTC' || !isZone(zone)) return `${dayAndTime(utc)} UTC`;
  const local = utc.withTimeZone(zone);
  const sameDay = local.toPlainDate().equals(utc.toPlainDate());
  return `${dayAndTime(local)} ${zone} (${sameDay ? timeOf(utc) : dayAndTime(utc)} UTC)`;
}

/** Whether the time zone database of this machine has it. */
export function isZone(zone: string): boolean {
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(zone);
    return true;
  } catch {
    return false;
  }
}

/** `45m`, `1h30m`, `90s`, `2 h`: milliseconds; null where it is none, or nothing. */
export function durationOf(text: string): number | null {
  const match = /^(?:(\d{1,3})\s*h)?\s*(?:(\d{1,4})\s*m(?:in)?)?\s*(?:(\d{1,5})\s*s)?$/.exec(text.trim());
  if (!match) return null;
  const [, hours = '0', minutes = '0', seconds = '0'] = match;
  const ms = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000;
  return ms > 0 ? ms : null;
}

const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

function dayAndTime(at: Temporal.ZonedDateTime): string {
  return `${DAYS[at.dayOfWeek - 1]} ${at.toPlainDate().toString()} ${timeOf(at)}`;
}

function timeOf(at: Temporal.ZonedDateTime): string {
  return at.toPlainTime().toString({ smallestUnit: at.second === 0 ? 'minute' : 'second' });
}

function reading(at: Temporal.ZonedDateTime): string {
  return at.toString({ timeZoneName: 'never', smallestUnit: at.second === 0 ? 'minute' : 'second' });
}

function refused(what: string, where: string, remedy: string): FailureError {
  return new FailureError({ kind: 'condition', what, where, state: 'Nothing was started', remedy });
}
