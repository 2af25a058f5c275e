import { expandRecurringEvent, sync, type EventInstance, type VEvent } from 'node-ical';
import { Temporal } from 'temporal-polyfill/implementation';
import { isZone } from '../instants.ts';
import { Unreadable } from './lines.ts';
import { DAYS, inZone } from './rewrite.ts';

/** A span in which nothing may be begun. */
export interface Span {
  readonly title: string;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Expanded {
  readonly spans: readonly Span[];
  /** Events that are marked as free (`TRANSP:TRANSPARENT`) freeze nothing; people are told of them. */
  readonly free: readonly string[];
}

/** So many spans of one calendar at most, in the time that a plan can be run in. */
const SPANS_MAX = 2_000;
const TITLE_MAX = 120;

/**
 * What a calendar freezes between two instants: its events, recurring ones with their exceptions, without those that
 * were cancelled. Times without a zone and whole days are those of `zone`. Throws Unreadable rather than leave out.
 */
export function expandCalendar(text: string, zone: string, fromMs: number, toMs: number): Expanded {
  const events = eventsOf(text, zone);
  const spans: Span[] = [];
  const free = new Set<string>();
  for (const event of events) {
    refuseUnclear(event);
    for (const instance of instancesOf(event, fromMs, toMs)) {
      if (instance.event.status?.toUpperCase() === 'CANCELLED') continue;
      const title = titleOf(instance.summary);
      const span = { title, fromMs: instance.start.getTime(), toMs: endOf(instance, zone) };
      if (span.toMs <= Math.max(fromMs, span.fromMs) || span.fromMs >= toMs) continue;
      if (instance.event.transparency?.toUpperCase() === 'TRANSPARENT') free.add(title);
      else spans.push(span);
      if (spans.length > SPANS_MAX)
        throw new Unreadable(`more than ${SPANS_MAX} of its events lie in the time of one plan`);
    }
  }
  return { spans: spans.toSorted((a, b) => a.fromMs - b.fromMs), free: [...free] };
}

function eventsOf(text: string, zone: string): readonly VEvent[] {
  const written = inZone(text, zone);
  try {
    return Object.values(sync.parseICS(written)).filter((each): each is VEvent => each?.type === 'VEVENT');
  } catch (error) {
    throw new Unreadable(`it cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Something that lasts longer than the rule's own step began before the span. */
function instancesOf(event: VEvent, fromMs: number, toMs: number): readonly EventInstance[] {
  const days = daysIn(event);
  const from = new Date(fromMs - (days + 1) * 24 * 3_600_000);
  try {
    return expandRecurringEvent(event, { from, to: new Date(toMs), expandOngoing: true });
  } catch (error) {
    throw new Unreadable(
      `its event "${titleOf(event.summary)}" cannot be laid out: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function endOf({ start, end, event }: EventInstance, zone: string): number {
  const days = daysIn(event);
  if (days === 0) return end.getTime();
  return Temporal.Instant.fromEpochMilliseconds(start.getTime()).toZonedDateTimeISO(zone).add({ days })
    .epochMilliseconds;
}

function daysIn(event: VEvent): number {
  return Number((event as unknown as Record<string, unknown>)[DAYS] ?? 0);
}

/** A zone that neither the calendar nor this machine knows would be taken for this machine's own. */
function refuseUnclear({ start, summary }: VEvent): void {
  const known =
    start instanceof Date && !Number.isNaN(start.getTime()) && typeof start.tz === 'string' && isZone(start.tz);
  if (!known)
    throw new Unreadable(
      `when its event "${titleOf(summary)}" begins cannot be read: its date or its time zone is not known`,
    );
}

/** One line, without what could move a terminal. */
function titleOf(summary: EventInstance['summary'] | undefined): string {
  const text = typeof summary === 'string' ? summary : (summary?.val ?? '');
  const line = text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim();
  return line === '' ? 'without a title' : line.slice(0, TITLE_MAX);
}
