import { expect, test } from 'vitest';
import databaseUpgrade from '../../runbooks/database-upgrade.ts';
import { gateChoices, NONE } from '../../src/cli/views/terminal/choices.ts';
import { Begun } from '../../src/cli/views/terminal/begun.ts';
import { frameOf } from '../../src/cli/views/terminal/frame.ts';
import type { Runbook } from '../../src/model/index.ts';
import { allFlying, createMachine, type Machine, type RunEvent, type RunState } from '../../src/run/index.ts';
import { paperFleet } from '../support/fleet.ts';
import { compiled, outlineOf } from '../support/plans.ts';

// Goal: whatever a run does and whatever its servers print, a frame fits the screen and holds no control character.
// Method: a run on paper in which a server fails with hostile words, drawn for many sizes of screen.

const HOSTILE = '\u001B[2J\u001B]0;owned\u0007\u009B31mno\r\n\u202Elogin ' + 'for you '.repeat(200);
const FORBIDDEN = /[\u0000-\u001F\u007F-\u009F\u202E]/;
const inputs = { outageMs: 60_000, marginMs: 20_000, capacityPerSecond: 40 };

/** A run of so many servers, in its first step, in which one of those under way was refused its login. */
function begun(servers: number): { machine: Machine; state: RunState } {
  const runbook = databaseUpgrade as unknown as Runbook;
  const fleet = paperFleet({ servers });
  const machine = createMachine(compiled({ runbook, fleet, laid: outlineOf(runbook, fleet, inputs), inputs }));
  const opened: RunEvent = { type: 'opened', run: '2026-11-21-abcdef', plan: '', title: '', by: 'ann', host: 'here' };
  let state = machine.apply(null, { atMs: 0, event: opened });
  for (const effect of machine.next(state).effects)
    state = machine.apply(state, { atMs: 1_000, event: { type: 'intended', effect } });
  const id = allFlying(state.flying).at(-1)?.id ?? '';
  const failure = {
    kind: 'denied',
    what: HOSTILE,
    where: HOSTILE,
    state: 'It was left as it is',
    remedy: HOSTILE,
  } as const;
  state = machine.apply(state, { atMs: 2_000, event: { type: 'looked', id, outcome: { failure } } });
  return { machine, state: { ...state, fuse: { server: 'api-1', clock: 'sessions', expiresAtMs: 90_000 } } };
}

test.each([12, 200, 2_000])('%i servers on any screen: a frame fits, and nothing in it is obeyed', (servers) => {
  const { machine, state } = begun(servers);
  for (const columns of [60, 80, 132, 200]) {
    for (const height of [18, 24, 50]) {
      const question = ['Gate 10: Hardware work may start?', 'Fuse 80 s'];
      const { rows, foot } = frameOf(state, machine, {
        run: '2026-11-21-abcdef',
        nowMs: 10_000,
        columns,
        height,
        begun: new Begun(),
        notices: ['one', 'two'],
        question,
        keys: false,
      });
      const shown = [...rows.flatMap(({ text, details }) => [text, ...details]), ...foot].map((line) =>
        line.replaceAll(/\u001B\[\d+m/g, ''),
      );
      expect(shown.length).toBeLessThanOrEqual(height - 2);
      expect(shown.filter((line) => FORBIDDEN.test(line) || line.length > columns - 2)).toEqual([]);
      expect(shown.join('\n')).not.toContain('owned');
      // The step under way, who failed and that it failed, and the question are there, however small the screen.
      expect(shown.join('\n')).toMatch(
        /1 {2}check server and BMC[\s\S]*failed: no login[\s\S]*failures 1 of 3[\s\S]*OUT at 1[\s\S]*neap status\s+2026-11-21-abcdef[\s\S]*Fuse 80 s/,
      );
    }
  }
});

test('a gate begins on a line that answers nothing, and what does least comes next', () => {
  const gate = { answers: { yes: 'go-on', 'not yet': 'ask-again', failed: 'go-home' } } as never;
  const [first, ...answers] = gateChoices(gate, 'main', false, 76);
  expect(first).toMatchObject({ value: NONE, disabled: expect.any(String) });
  expect(answers.map(({ value }) => value)).toEqual(['not yet', 'yes', 'failed']);
});
