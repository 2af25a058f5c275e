import type { Guard, Plan } from '../../model/index.ts';
import { clockTime, duration, type RunEvent } from '../../run/index.ts';

type Standing = Extract<
  RunEvent,
  { type: 'overrode' | 'guard' | 'mirror' | 'anchor' | 'lease' | 'jumped' | 'freezes' | 'told' | 'doubted' }
>;

/** What stands in a run's way, no longer does, or was decided about by a person, as one line. */
export function standingText(event: Standing, guards: readonly Guard[] = []): string {
  switch (event.type) {
    case 'overrode':
      return `${event.by} overrides ${event.class} (${event.about}): ${event.reason}`;
    case 'guard': {
      const title = guards.find(({ id }) => id === event.guard)?.title;
      const words = { clear: 'clear', warn: 'warns', trip: 'TRIPPED', 'no-data': 'NO DATA' }[event.standing];
      const since = event.standing === 'clear' ? '' : ` since ${clockTime(event.onsetAtMs)}`;
      return `guard ${event.guard}${title === undefined ? '' : ` "${title}"`}: ${words}${since}: ${event.seen}`;
    }
    case 'mirror':
      return event.standing === 'behind'
        ? `the journal's mirror is behind: ${event.seen}`
        : 'the mirror has the whole journal again';
    case 'anchor':
      return event.standing === 'lost'
        ? `the head of the journal cannot be told outside: ${event.seen}`
        : 'the head of the journal is told outside again';
    case 'lease':
      return event.standing === 'lost'
        ? `the store of claims does not answer: ${event.seen}`
        : 'the store of claims answers again';
    case 'freezes':
      return event.unread === undefined
        ? 'the calendars of freezes were read again'
        : `a calendar of freezes cannot be read: ${event.unread}`;
    case 'jumped':
      return event.sort === 'slept'
        ? `this machine slept for ${duration(event.byMs)}`
        : `the clock was set by ${Math.round(event.byMs / 1000)} s`;
    case 'doubted':
      return `nobody here can tell what became of what was sent to ${event.place.target}: a person is asked (${event.track})`;
    case 'told':
      return `${event.by} says of ${event.server}: ${event.what} (${event.reason})`;
  }
}

/** Who answered what, and when that was, where it was before the gate was asked. */
export function answeredText({ by, answer, ahead, givenAtMs }: Extract<RunEvent, { type: 'answered' }>): string {
  if (ahead === 'given') return `${by} answered "${answer}" ahead`;
  if (ahead === 'withdrawn') return `${by} takes back "${answer}"`;
  return `${by} answered "${answer}"${ahead === 'used' ? ` ahead, at ${clockTime(givenAtMs)}` : ''}`;
}

/** What is said where more are concerned than neap acts on by itself. */
export function manyWords({ suspect, contingency }: Extract<RunEvent, { type: 'armed' }>, plan: Plan): string {
  if (!suspect) return '';
  const isQuarantine = plan.header.contingencies.some(({ id, when }) => id === contingency && when === 'out');
  return isQuarantine ? '; more than the budget: a person is asked first' : '; so many at once: power is disarmed';
}

/** Who armed a contingency, where neap did not for servers that fell out. */
export function armedBy({ by, reason, guard }: Extract<RunEvent, { type: 'armed' }>): string {
  if (by !== undefined) return ` by ${by} (${reason})`;
  return guard === undefined ? '' : ` by guard ${guard}`;
}
