import { expect, test } from 'vitest';
import { byHand, command, defineRunbook, gate, guarded, takeOut, z } from '../../src/index.ts';
import type { Runbook } from '../../src/model/index.ts';
import { reportOf, toHtml, toMarkdown } from '../../src/report/index.ts';
import { answerOf, armByHand, type RunEvent } from '../../src/run/index.ts';
import { Drive } from '../support/drive.ts';
import { paperFleet } from '../support/fleet.ts';
import { setAside } from '../support/kinds.ts';
import { compiled, outlineOf } from '../support/plans.ts';

// Goal: a report tells how guards stood, who armed what, and what was answered ahead. Method: a run driven by hand.

const runbook = defineRunbook({
  title: 'guarded',
  reach: { api: ['ssh', 'http', 'bmc'] },
  inputs: z.strictObject({}),
  budget: { failures: 3 },
  window: { limitMs: 24 * 3_600_000 },
  steps: ({ api }) => [
    guarded(command({ title: 'Load', run: ['load'], everyMs: 5_000, forMs: 0 }), [setAside(api)]),
    gate('Go on?', { role: 'any', onTimeout: 'hold' }),
  ],
  contingencies: ({ api }) => [
    byHand(api, { title: 'Look' }, (armed) => [gate('Really?', { role: 'any', onTimeout: 'abort' }), takeOut(armed)]),
  ],
}) as unknown as Runbook;

test('guards, contingencies by hand, and answers given ahead are in the report', () => {
  const fleet = paperFleet({ servers: 2 });
  const plan = compiled({ runbook, fleet, laid: outlineOf(runbook, fleet) });
  const drive = new Drive(plan).settle();
  const { index } = drive.machine;
  const guard = (standing: 'clear' | 'trip', seen: string): RunEvent => ({
    type: 'guard',
    guard: 'g1',
    standing,
    positive: true,
    onsetAtMs: drive.nowMs,
    seen,
  });
  const say = (answer: string | null): void => {
    const said = answerOf(drive.state, index, { gate: 'c1.1', answer, by: 'ann', givenAtMs: drive.nowMs });
    if (typeof said === 'string') throw new Error(said);
    drive.say(said);
  };
  drive.say(guard('trip', 'load is 9')).settle().until(60_000);
  say('no');
  say(null);
  say('yes');
  const armed = armByHand(drive.state, index, { contingency: 'c1', only: ['api-1'], by: 'bob', reason: 'it is slow' });
  if (typeof armed === 'string') throw new Error(armed);
  drive.say(armed).settle();
  drive.say(guard('clear', 'load is 1')).settle().answer('2', 'yes');
  const events = drive.events.map((event) => ({ atMs: 0, event }));
  const report = reportOf(plan, events);
  expect(report.guards.map(({ title, standing, seen }) => [title, standing, seen])).toEqual([
    ['Load', 'trip', 'load is 9'],
    ['Load', 'clear', 'load is 1'],
  ]);
  expect(report.people.map(({ word, by, answer, fate }) => [word, by, answer, fate])).toEqual([
    ['answered', 'ann', 'no', 'taken back'],
    ['armed', 'bob', 'c1', 'taken'],
    ['answered', 'ann', 'yes', 'taken'],
    ['answered', 'somebody', 'yes', 'taken'],
  ]);
  for (const text of [toMarkdown(report), toHtml(report)]) {
    expect(text).toMatch(/Guards/);
    expect(text).toMatch(/load is 9/);
    expect(text).toMatch(/it is slow/);
  }
});
