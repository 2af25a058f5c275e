import { FailureError, type Edge } from '../model/index.ts';
import type { GuardReader } from '../ports/index.ts';
import { pickField } from './reach/field.ts';
import type { ReachCommand } from './reach/index.ts';
import { httpGet, httpSend, sanitise } from '../transport/index.ts';
import { sayTo } from './pager.ts';

/** Of the balancer's own words in a message. */
const QUOTED_CHARACTERS = 200;

/** The balancer's page, as the fleet says how to read and turn it. Both reject with FailureError. */
export interface EdgeSwitch {
  read(): Promise<'on' | 'off'>;
  turn(to: 'on' | 'off'): Promise<void>;
}

/** `read` runs a command as guards are read; `report` is told of every call. Contacts nobody yet. */
export function openEdge(edge: Edge, read: GuardReader, report: (command: ReachCommand) => void): EdgeSwitch {
  return {
    async read() {
      if ('command' in edge.read) return readByCommand(edge.read.command, edge.read.timeoutMs, read, report);
      const { get, field, timeoutMs } = edge.read;
      report(call('http', `GET ${get}`, false));
      const { status, body } = await httpGet(get, { where: WHERE, timeoutMs });
      const answer = field === undefined ? body.trim() : pickField(body, field);
      const known = status >= 200 && status < 300 && answer !== null ? WORDS[answer] : undefined;
      if (known !== undefined) return known;
      throw failed(
        'output',
        `GET ${get} answered HTTP ${status}: ${short(answer ?? body)}, neither on nor off`,
        'Nothing was changed',
        'edge.read',
      );
    },
    async turn(to) {
      const wanted = edge[to];
      if ('command' in wanted) {
        report(call('command', wanted.command.join(' '), true));
        const why = await sayTo(wanted.command, '', wanted.timeoutMs);
        if (why === null) return;
        throw failed(
          'command',
          `${wanted.command[0] ?? ''} failed: ${short(why)}`,
          'The page may be on or off',
          `edge.${to}`,
        );
      }
      const { send, method, body, timeoutMs } = wanted;
      report(call('http', `${method} ${send}`, true));
      const answer = await httpSend(method, send, body, { where: WHERE, timeoutMs });
      if (answer.status >= 200 && answer.status < 300) return;
      throw failed(
        'command',
        `${method} ${send} was answered with HTTP ${answer.status}: ${short(answer.body)}`,
        'It was refused',
        `edge.${to}`,
      );
    },
  };
}

const WHERE = "the balancer's page";

const WORDS: Readonly<Record<string, 'on' | 'off' | undefined>> = { on: 'on', off: 'off', true: 'on', false: 'off' };

async function readByCommand(
  run: readonly string[],
  timeoutMs: number,
  read: GuardReader,
  report: (command: ReachCommand) => void,
): Promise<'on' | 'off'> {
  report(call('command', run.join(' '), false));
  const { sort, seen } = await read({ guard: 'command', run: [...run], timeoutMs });
  // Exit 0 and 1, as a guard has them.
  if (sort === 'good') return 'on';
  if (sort === 'warn') return 'off';
  throw failed(
    'output',
    `${run[0] ?? ''} told neither on (exit 0) nor off (exit 1): ${seen}`,
    'Nothing was changed',
    'edge.read',
  );
}

function call(how: ReachCommand['how'], command: string, writes: boolean): ReachCommand {
  return { server: WHERE, how, command, become: false, writes };
}

function short(text: string): string {
  return sanitise(text, QUOTED_CHARACTERS).replaceAll(/\s+/g, ' ').trim();
}

function failed(kind: FailureError['failure']['kind'], what: string, state: string, field: string): FailureError {
  return new FailureError({
    kind,
    what,
    where: WHERE,
    state,
    remedy: `Do it by hand, and mend ${field} in the fleet file; \`neap fleet check\` tries the reading`,
  });
}
