import { answeredText, armedBy, standingText } from '../standing.ts';
import { engineText } from '../engine.ts';
import { rehearsedText } from '../rehearsed.ts';
import { shedText } from '../shed.ts';
import { slotsText } from '../slots.ts';
import { clockTime, nameServers, type RunEvent, type RunState, type Stamped } from '../../../run/index.ts';

/** So many of the latest notices are kept, if there is room for them. */
const KEPT_MAX = 6;

interface Notice {
  readonly atMs: number;
  readonly text: string;
  readonly times: number;
}

/** What a person at a screen wants to have seen though it has passed, newest last. What comes again is told once, with its number. */
export class Notices {
  #kept: readonly Notice[] = [];
  #before: RunState | null = null;

  see({ atMs, event }: Stamped, state: RunState): void {
    const text = textOf(event, this.#before);
    this.#before = state;
    if (text !== null) this.add(text, atMs);
  }

  add(text: string, atMs: number): void {
    const times = (this.#kept.find((each) => each.text === text)?.times ?? 0) + 1;
    this.#kept = [...this.#kept.filter((each) => each.text !== text), { atMs, text, times }].slice(-KEPT_MAX);
  }

  get lines(): readonly string[] {
    return this.#kept.map(
      ({ atMs, text, times }) => `${clockTime(atMs).slice(0, 8)}  ${times > 1 ? `(${times} times) ` : ''}${text}`,
    );
  }
}

function againText({ gate, from, spoilt, why }: Extract<RunEvent, { type: 'renewed' }>): string {
  if (why !== undefined) return `step ${from} is done again: ${why}`;
  return spoilt
    ? `time was lost: steps ${from} to ${gate} are done again`
    : `gate ${gate} withdrawn: the fuse became too short, caches are refreshed again`;
}

/** Null: the tree shows it. */
function textOf(event: RunEvent, before: RunState | null): string | null {
  switch (event.type) {
    case 'engine':
      return before && before.engines.length > 0 ? engineText(event) : null;
    case 'intended':
      // A gate's page says to others what the screen asks by itself.
      return event.effect.effect === 'page' && !event.effect.key.startsWith('gate/')
        ? `PAGE ${event.effect.text}`
        : null;
    case 'diagnosed':
      return `${event.id.split('/')[1] ?? ''} is ${event.condition}: ${event.seen}`;
    case 'answered':
      return `gate ${event.gate}: ${answeredText(event)}`;
    case 'turned':
      return `turns for home: ${event.why}`;
    case 'homeward':
      return event.servers === null ? 'the way home begins' : `brings back ${nameServers(event.servers)}`;
    case 'armed':
      return `contingency ${event.track}${armedBy(event)} for ${nameServers(event.servers)}${event.suspect ? ': so many at once, a person is asked first' : ''}`;
    case 'paced':
      return slotsText(event);
    case 'renewed':
      return againText(event);
    case 'abort':
      return `abort by ${event.by}: ${event.reason}`;
    case 'halted':
      return `halted by ${event.by}`;
    case 'unhalted':
      return `goes on, by ${event.by}`;
    case 'rehearsed':
      return rehearsedText(event.rehearsal);
    case 'shed':
      return shedText(event, before);
    case 'paged':
      return event.failure ? `page NOT sent: ${event.failure.what}` : null;
    case 'overrode':
    case 'guard':
    case 'mirror':
    case 'anchor':
    case 'lease':
    case 'jumped':
    case 'freezes':
    case 'told':
    case 'doubted':
      return standingText(event);
    case 'opened':
    case 'approved':
    case 'looked':
    case 'performed':
    case 'confirmed':
    case 'asked':
    case 'counted':
    case 'fenced':
    case 'scheduled':
    case 'viewed':
    case 'time':
    case 'closed':
      return null;
  }
}
