import { clockTime, nameServers, type RunEvent, type RunState, type Stamped } from '../../../run/index.ts';

/** What a person at a screen wants to have seen though it has passed; null: the tree shows it. */
export function noticeOf({ atMs, event }: Stamped, before: RunState | null): string | null {
  const text = textOf(event, before);
  return text === null ? null : `${clockTime(atMs).slice(0, 8)}  ${text}`;
}

function textOf(event: RunEvent, before: RunState | null): string | null {
  switch (event.type) {
    case 'engine':
      return before && before.nowMs > before.openedAtMs ? `another engine (${event.pid}) goes on with the run` : null;
    case 'intended':
      // A gate's page says to others what the screen asks by itself.
      return event.effect.effect === 'page' && !event.effect.key.startsWith('gate/') ? `PAGE ${event.effect.text}` : null;
    case 'diagnosed':
      return `${event.id.split('/')[1] ?? ''} is ${event.condition}: ${event.seen}`;
    case 'answered':
      return `gate ${event.gate}: ${event.by} answered "${event.answer}"`;
    case 'turned':
      return `turns for home: ${event.why}`;
    case 'homeward':
      return event.servers === null ? 'the way home begins' : `brings back ${nameServers(event.servers)}`;
    case 'armed':
      return `contingency ${event.track} for ${nameServers(event.servers)}${event.suspect ? ': so many at once, power is disarmed' : ''}`;
    case 'renewed':
      return `gate ${event.gate} withdrawn: the fuse became too short, caches are refreshed again`;
    case 'abort':
      return `abort by ${event.by}: ${event.reason}`;
    case 'halted':
      return `halted by ${event.by}`;
    case 'unhalted':
      return `goes on, by ${event.by}`;
    case 'paged':
      return event.failure ? `page NOT sent: ${event.failure.what}` : null;
    case 'opened':
    case 'approved':
    case 'looked':
    case 'performed':
    case 'confirmed':
    case 'asked':
    case 'viewed':
    case 'time':
    case 'closed':
      return null;
  }
}
