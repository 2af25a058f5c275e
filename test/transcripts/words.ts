import {
  actStepOf,
  clockTime,
  trackOf,
  type Effect,
  type Machine,
  type Place,
  type RunEvent,
  type RunState,
  type Stamped,
} from '../../src/run/index.ts';
import type { World } from '../simulation/world.ts';

interface Line {
  readonly atMs: number;
  readonly sort: 'world' | 'in' | 'out' | 'turn';
  /** What it says, with a place for the servers that it says it of. */
  readonly text: string;
  servers: string[];
}

/** What is said again so few lines later is not told again, but counted. */
const AGAIN_WITHIN = 8;

/**
 * A transcript in the making. `out` is what the machine wants done, `in` is what became of it or what a person said,
 * `turn` is what the machine decides: these three are the journal, in its order; `world` is what happens outside.
 * Neighbours that say the same of several servers are one line.
 */
export class Words {
  readonly #machine: Machine;
  readonly #lines: Line[] = [];

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  outside(atMs: number, text: string): void {
    this.#lines.push({ atMs, sort: 'world', text, servers: [] });
  }

  event({ atMs, event }: Stamped, before: RunState | null, after: RunState): void {
    const said = this.#say(event, before, after);
    if (said === null) return;
    const { sort, text, server } = said;
    const same = this.#lines.findLast((line) => line.atMs === atMs && line.sort === sort && line.text === text);
    if (same && server !== undefined && this.#lines.indexOf(same) >= this.#lines.length - 4) same.servers.push(server);
    else this.#lines.push({ atMs, sort, text, servers: server === undefined ? [] : [server] });
  }

  lines(): string[] {
    const told: (Line & { untilMs: number; times: number })[] = [];
    for (const line of this.#lines) {
      const again = told.slice(-AGAIN_WITHIN).find((each) => keyOf(each) === keyOf(line));
      if (again) {
        again.times += 1;
        again.untilMs = line.atMs;
      } else told.push({ ...line, untilMs: line.atMs, times: 1 });
    }
    return told.map(({ atMs, untilMs, times, sort, text, servers }) => {
      const of = servers.length > 0 ? `: ${servers.join(' ')}` : '';
      const more = times > 1 ? ` (${times} times, until ${clock(untilMs)})` : '';
      return `${clock(atMs)}  ${sort.padEnd(5)}  ${text.replaceAll('\n', ' ')}${of}${more}`;
    });
  }

  #say(
    event: RunEvent,
    before: RunState | null,
    after: RunState,
  ): { sort: Line['sort']; text: string; server?: string } | null {
    switch (event.type) {
      case 'intended':
        return this.#intended(event.effect, after);
      case 'looked':
      case 'performed':
      case 'confirmed':
        return this.#became(event, before);
      case 'diagnosed':
        return { sort: 'in', text: `${event.condition} (${event.seen})`, server: event.id.split('/')[1] ?? '' };
      case 'opened':
        return { sort: 'in', text: `${event.by} opens the run on ${event.host}` };
      case 'approved':
        return { sort: 'in', text: `${event.by} approved the plan` };
      case 'engine':
        return {
          sort: 'in',
          text: `engine ${event.pid} on ${event.host} has the run${event.from ? `, from the mirror ${event.from}` : ''}${event.after ? `; its journal was opened again (${event.after})` : ''}`,
        };
      case 'answered':
        return { sort: 'in', text: `${event.by} answers gate ${event.gate}: ${event.answer}` };
      case 'asked':
      case 'paged':
      case 'time':
      case 'viewed':
        return null;
      case 'turned':
        return { sort: 'turn', text: `for home (${event.code}): ${event.why}` };
      case 'homeward':
        return { sort: 'turn', text: `the way home${event.servers === null ? '' : ` for ${event.servers.join(' ')}`}` };
      case 'armed':
        return {
          sort: 'turn',
          text: `${event.track} armed for ${event.servers.join(' ')}${event.suspect ? ', power disarmed' : ''}`,
        };
      case 'rehearsed': {
        const { server, result, lastedMs, step, why } = event.rehearsal;
        return {
          sort: 'in',
          text: `rehearsed in ${step}: ${result} after ${Math.round(lastedMs / 1000)} s${why === null ? '' : ` (${why})`}`,
          server,
        };
      }
      case 'scheduled':
        return { sort: 'in', text: `slots of ${event.step}, earliest expiry first: ${event.servers.join(', ')}` };
      case 'paced':
        return { sort: 'in', text: `slots of ${event.step} at ${event.share} of their bound: ${event.why}` };
      case 'renewed':
        return { sort: 'turn', text: `done again from step ${event.from} to ${event.gate}` };
      case 'closed':
        return { sort: 'turn', text: `closed with exit code ${event.exitCode}: ${event.summary}` };
      default: {
        const { type, ...rest } = event;
        const words = Object.entries(rest).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
        return { sort: 'in', text: [type, ...words].join(', ') };
      }
    }
  }

  #intended(effect: Effect, state: RunState): { sort: 'out'; text: string; server?: string } {
    switch (effect.effect) {
      case 'ask':
        return { sort: 'out', text: `ask gate ${effect.gate}: ${effect.text}` };
      case 'pass':
        return { sort: 'out', text: `act upon the answer to gate ${effect.gate}` };
      case 'page':
        return { sort: 'out', text: `PAGE ${effect.text}` };
      case 'diagnose':
        return { sort: 'out', text: 'diagnose', server: effect.target };
      case 'count':
        return { sort: 'out', text: `read the clocks of ${effect.servers.join(', ')} again` };
      case 'shed':
        return { sort: 'out', text: `turn the balancer's page ${effect.on ? 'on' : 'off'}` };
      default:
        return {
          sort: 'out',
          text: `${effect.effect} ${this.#step(effect.place, state)}`,
          server: effect.place.target,
        };
    }
  }

  #became(
    event: Extract<RunEvent, { type: 'looked' | 'performed' | 'confirmed' }>,
    before: RunState | null,
  ): { sort: 'in'; text: string; server: string } | null {
    const effect = before?.flying.flatMap((bucket) => Object.values(bucket)).find(({ id }) => id === event.id);
    if (!effect || !('place' in effect) || before === null) return null;
    const say = (what: string) => ({
      sort: 'in' as const,
      text: `${event.type} ${this.#step(effect.place, before)}: ${what}`,
      server: effect.place.target,
    });
    if (event.type !== 'looked') return say(event.failure ? `${event.failure.kind}, ${event.failure.what}` : 'yes');
    if ('failure' in event.outcome) return say(`${event.outcome.failure.kind}, ${event.outcome.failure.what}`);
    const { verdict, condition, need } = event.outcome;
    const unmet = [condition, need].flatMap((each) => (each.holds ? [] : [each.why]));
    return say([verdict.verdict, ...unmet].join(', but '));
  }

  #step(place: Place, state: RunState): string {
    const track = trackOf(state, place.track);
    if (!track) return place.track;
    const step = actStepOf(this.#machine.index, track, place.step);
    return `${place.track === 'main' ? '' : `${place.track} `}${step.id} "${step.title}"`;
  }
}

/** What the run leaves behind. */
export function endLines(state: RunState, world: World): string[] {
  const servers = [...world.servers.values()].map(
    ({ name, life, offline, traffic }) =>
      `  ${name}: ${life}, ${offline ? 'offline' : 'online'}, ${traffic === 'in' ? 'takes traffic' : 'out of the balancer'}`,
  );
  return [
    `At the end (exit code ${state.closed?.exitCode ?? 'none'}, database ${world.databaseUp ? 'there' : 'away'}):`,
    ...servers,
  ];
}

function keyOf({ sort, text, servers }: Line): string {
  return `${sort} ${text} ${servers.toSorted().join(' ')}`;
}

function clock(atMs: number): string {
  return `${clockTime(atMs).slice(0, 8)}.${Math.floor((atMs % 1000) / 100)}`;
}
