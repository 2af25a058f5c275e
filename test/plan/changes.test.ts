import { describe, expect, test } from 'vitest';
import { defineStep, earlier, z } from '../../src/index.ts';
import { knownSteps } from '../../src/engine/kinds.ts';
import type { Json, Plan } from '../../src/model/index.ts';
import { FailureError } from '../../src/model/index.ts';
import { readChange, type Outline } from '../../src/plan/index.ts';
import type { Hands, StepContext } from '../../src/ports/index.ts';

// Goal: what an older version of a kind did is undone by today's, from the change in the journal; a change that nobody
// can read is a clear failure and nothing is done. Method: a kind of version 2 that keeps version 1's schema.

const mode = z.enum(['on', 'off']);

const setMode = defineStep({
  name: 'set-mode',
  version: 2,
  reach: ['ssh'],
  reads: ['config'],
  alters: ['config'],
  input: z.strictObject({ to: mode }),
  pinned: z.strictObject({ mode }),
  readings: z.strictObject({}),
  change: z.strictObject({ was: z.strictObject({ mode }), becomes: mode }),
  // Version 1 wrote the modes bare, and called them otherwise.
  changes: {
    1: earlier(z.strictObject({ from: mode, to: mode }), ({ from, to }) => ({
      was: { mode: from },
      becomes: to,
    })),
  },
  idempotent: true,
  title: () => 'set mode',
  nature: () => 'risk',
  observe: async (_server, _input, read) => ({ pinned: { mode: mode.parse(await read.ask('offline')) }, readings: {} }),
  decide: ({ mode: was }, { to }) =>
    was === to
      ? { verdict: 'nothing' }
      : { verdict: 'change', change: { was: { mode: was }, becomes: to }, diff: [`${was} -> ${to}`] },
  perform: (_server, { becomes }, hands) => hands.call(`offline-${becomes}`),
  confirm: async () => ({ done: true }),
  expectedMs: () => 1_000,
  back: { undo: (_server, { was }, hands) => hands.call(`offline-${was.mode}`) },
});

const { kind } = setMode;
const where = 'api-01, step 1 (set mode)';
const failureOf = (work: () => unknown): FailureError['failure'] => {
  try {
    work();
  } catch (error) {
    if (error instanceof FailureError) return error.failure;
    throw error;
  }
  throw new Error('it did not fail');
};

describe('a recorded change', () => {
  test('of version 1 is brought forward, of version 2 is taken as it is', () => {
    expect(readChange(kind, 1, { from: 'off', to: 'on' }, where)).toEqual({
      was: { mode: 'off' },
      becomes: 'on',
    });
    const today = { was: { mode: 'off' }, becomes: 'on' };
    expect(readChange(kind, 2, today, where)).toEqual(today);
  });

  test.each<[string, number, Json, RegExp]>([
    ['of a version that was never kept', 3, { from: 'off', to: 'on' }, /version 3 .* this neap reads versions 1, 2/],
    [
      'that is not what its version wrote',
      1,
      { was: { mode: 'off' }, becomes: 'on' },
      /version 1 .* not such a change/,
    ],
    ['of today, in an older form', 2, { from: 'off', to: 'on' }, /version 2 .* not such a change/],
  ])('%s is a failure that says so', (_, version, change, what) => {
    expect(failureOf(() => readChange(kind, version, change, where))).toMatchObject({
      kind: 'output',
      what: expect.stringMatching(what) as string,
      where,
      state: 'Everything was left as it is',
      remedy: expect.stringContaining(JSON.stringify(change)) as string,
    });
  });
});

describe('the engine', () => {
  const stepOf = (version: number): object => ({
    step: 'act',
    id: '1',
    title: 'set mode',
    input: { to: 'on' },
    undoes: null,
    kind: { name: 'set-mode', version },
  });
  const known = (version: number) =>
    knownSteps(
      { header: { steps: [stepOf(version)], contingencies: [] } } as unknown as Plan,
      { kinds: new Map([['1', kind]]) } as unknown as Outline,
      () => '1',
    ).of({ track: 'home', step: 0, wave: 0, target: 'api-01' });

  test('undoes by the version that the plan says', async () => {
    const calls: string[] = [];
    const hands = { call: async (name: string) => void calls.push(name) } as unknown as Hands;
    const { read, kind: found } = known(1);
    await found.undo?.({} as never, read({ from: 'off', to: 'on' }), hands, {} as StepContext);
    expect(calls).toEqual(['offline-off']);
  });

  test('does nothing with a change of a version that the kind does not know', () => {
    const { read } = known(7);
    expect(() => read({ from: 'off', to: 'on' })).toThrow(/written by version 7 of the step kind set-mode/);
  });
});
