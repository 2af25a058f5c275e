import type { GateStep } from '../../../model/index.ts';
import type { RunState, Track } from '../../../run/index.ts';
import { cut, lines, plain } from './text.ts';

/** One line of a prompt. `disabled`: the cursor may rest on it and Enter does nothing. */
export interface Choice {
  readonly value: string;
  readonly name: string;
  readonly short: string;
  readonly disabled?: string;
  /** Shown while the cursor is on it. */
  readonly description?: string;
}

/** What a choice is told to do takes at most so many lines. */
export const DESCRIPTION_LINES_MAX = 2;

export const NONE = '';
export const OTHER_GATE = '\u0000other';

const DOES: Readonly<Record<GateStep['answers'][string], string>> = {
  'go-on': 'the run goes on',
  'ask-again': 'nothing happens, it is asked again',
  'go-home': 'the run turns for home: what was taken is given back',
};

/** What a word about an effect does that nobody could tell of. */
const DOUBT_DOES: Readonly<Record<string, string>> = {
  done: 'it is read again, and must show',
  'not-done': 'as if it had not begun',
  leave: 'it stays unknown, and a person sees to it',
};

/**
 * A gate's answers, each with what it does. The cursor begins on a line that answers nothing, so that no Enter that
 * was meant for something else opens a gate; then come the answers that do least.
 */
export function gateChoices({ answers }: GateStep, kind: Track['kind'], others: boolean, columns: number): Choice[] {
  const entries = Object.entries(answers).toSorted(
    ([, a], [, b]) => Number(b === 'ask-again') - Number(a === 'ask-again'),
  );
  const width = Math.max(...entries.map(([answer]) => answer.length));
  const does = (answer: string, effect: GateStep['answers'][string]): string => {
    if (kind === 'doubt') return DOUBT_DOES[answer] ?? '';
    return kind === 'contingency' && effect === 'go-home' ? 'this contingency ends here' : DOES[effect];
  };
  return [
    { value: NONE, name: 'choose an answer', short: '', disabled: 'by arrow keys or its first letter, then Enter' },
    ...entries.map(([answer, effect]) => ({
      value: answer,
      name: cut(`${plain(answer).padEnd(width)}  ${does(answer, effect)}`, columns),
      short: plain(answer),
    })),
    ...(others
      ? [
          {
            value: OTHER_GATE,
            name: cut(`${'-'.repeat(width)}  another question first, when one waits`, columns),
            short: 'another question first',
          },
        ]
      : []),
  ];
}

export type Leaving = 'back' | 'detach' | 'halt' | 'unhalt' | 'abort';

/** What Ctrl-C offers, each with what it would leave. `left`: what is taken now, and the fuse. */
export function leavingChoices(state: RunState, run: string, left: string, columns: number): Choice[] {
  const all: [Leaving, string, string][] = [
    ['back', 'go on watching', 'Nothing changes.'],
    [
      'detach',
      'the run goes on without this view',
      `Watch it again: neap attach ${run}. Gates wait, or: neap approve.`,
    ],
  ];
  if (state.mode === 'forward') {
    if (state.halted) all.push(['unhalt', 'end the halt', 'The run goes on with its work.']);
    else all.push(['halt', 'no new work, watching goes on', `Leaves, until it is ended: ${left}.`]);
    all.push([
      'abort',
      'go home the safe way',
      `Gives back, paced and proven, what is taken: ${left}. What needs the database waits for it.`,
    ]);
  }
  return all.map(([value, does, description]) => ({
    value,
    name: `${value.padEnd(6)}  ${does}`,
    short: value,
    description: lines(description, columns, DESCRIPTION_LINES_MAX).join('\n'),
  }));
}
