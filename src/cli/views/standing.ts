import { duration, type RunEvent } from '../../run/index.ts';

type Standing = Extract<RunEvent, { type: 'overrode' | 'guard' | 'mirror' | 'lease' | 'jumped' | 'told' }>;

/** What stands in a run's way, no longer does, or was decided about by a person, as one line. */
export function standingText(event: Standing): string {
  switch (event.type) {
    case 'overrode':
      return `${event.by} overrides ${event.class} (${event.about}): ${event.reason}`;
    case 'guard':
      return `guard ${event.guard}: ${event.standing}, ${event.seen}`;
    case 'mirror':
      return event.standing === 'behind'
        ? `the journal's mirror is behind: ${event.seen}`
        : 'the mirror has the whole journal again';
    case 'lease':
      return event.standing === 'lost'
        ? `the store of claims does not answer: ${event.seen}`
        : 'the store of claims answers again';
    case 'jumped':
      return event.sort === 'slept'
        ? `this machine slept for ${duration(event.byMs)}`
        : `the clock was set by ${Math.round(event.byMs / 1000)} s`;
    case 'told':
      return `${event.by} says of ${event.server}: ${event.what} (${event.reason})`;
  }
}
