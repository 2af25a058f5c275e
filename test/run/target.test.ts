import { describe, expect, test } from 'vitest';
import type { ActStep, Failure, PlanVerdict } from '../../src/model/index.ts';
import type { Looked, RunEvent } from '../../src/run/index.ts';
import { FRESH_TARGET, type TargetState } from '../../src/run/state.ts';
import { applyToTarget, orphan, type TargetRule } from '../../src/run/target.ts';
import { seen } from '../support/drive.ts';

const CHANGE = { to: 'out' };
const STEP: ActStep = {
  step: 'act',
  id: '1',
  title: 'made up',
  kind: { name: 'k', version: 1 },
  nature: 'risk',
  input: {},
  idempotent: true,
  onUnmet: 'fail',
  failureEnds: false,
  needs: [],
  undoNeeds: [],
  irreversible: null,
  leavesNothing: false,
  alters: [],
  waves: [['a']],
  atMost: 1,
  perSecond: null,
  releasedBy: null,
  releases: null,
  soakMs: 0,
  expectedMs: 1_000,
  expectedFrom: { from: 'kind' },
  undoes: null,
  askBeforeUndo: false,
};
const planned = (verdict: PlanVerdict): TargetRule => ({ server: 'a', step: STEP, does: 'perform', planned: verdict });
const AS_PLANNED = planned({ verdict: 'change', change: CHANGE, diff: [] });
const UNKNOWN = planned({ verdict: 'unknown', untilStep: '0' });
const UNDO: TargetRule = { ...AS_PLANNED, does: 'undo' };
const LOOKING: TargetState = { ...FRESH_TARGET, phase: 'looking', looks: 1 };
const DIRTY: TargetState = { ...LOOKING, dirty: true, attempts: 1, change: CHANGE, decided: true };

function trouble(kind: Failure['kind']): Failure {
  return { kind, what: kind, where: 'a', state: '', remedy: '', ...(kind === 'path' ? { path: 'jump' } : {}) };
}

function after(target: TargetState, rule: TargetRule, outcome: Looked | Failure['kind'], atMs = 0): TargetState {
  return applyToTarget(
    target,
    { type: 'looked', id: 'x', outcome: typeof outcome === 'string' ? { failure: trouble(outcome) } : outcome },
    rule,
    atMs,
  );
}

const nothing = seen(null, { verdict: { verdict: 'nothing' } });
const unmet = { holds: false, why: 'not yet' } as const;

describe('a look', () => {
  test.each<[string, TargetState, TargetRule, Looked, TargetState['phase'], Failure['kind']?]>([
    ['the change of the plan', LOOKING, AS_PLANNED, seen(CHANGE), 'ready'],
    [
      'the same change, keys in another order',
      LOOKING,
      planned({ verdict: 'change', change: { a: 1, b: 2 }, diff: [] }),
      seen({ b: 2, a: 1 }),
      'ready',
    ],
    ['another change', LOOKING, AS_PLANNED, seen({ to: 'in' }), 'failed', 'drift'],
    ['nothing, where the plan has a change', LOOKING, AS_PLANNED, nothing, 'failed', 'drift'],
    ['a change, where the plan has nothing', LOOKING, planned({ verdict: 'nothing' }), seen(CHANGE), 'failed', 'drift'],
    ['nothing, as planned', LOOKING, planned({ verdict: 'nothing' }), nothing, 'done'],
    [
      'a refusal',
      LOOKING,
      AS_PLANNED,
      seen(null, { verdict: { verdict: 'refused', why: 'no', remedy: '' } }),
      'failed',
      'condition',
    ],
    ['an unforeseen change within bounds', LOOKING, UNKNOWN, seen(CHANGE), 'ready'],
    ['an unforeseen change outside them', LOOKING, UNKNOWN, seen(CHANGE, { withinBounds: false }), 'failed', 'drift'],
    ['nothing, unforeseen', LOOKING, UNKNOWN, nothing, 'done'],
    ['an unmet condition', LOOKING, AS_PLANNED, seen(CHANGE, { condition: unmet }), 'failed', 'condition'],
    ['an unmet need', LOOKING, AS_PLANNED, seen(CHANGE, { need: unmet }), 'held', 'needs'],
    ['in doubt, nothing left to do: it was done', DIRTY, AS_PLANNED, nothing, 'acted'],
    ['in doubt, the same again, repeatable', DIRTY, AS_PLANNED, seen(CHANGE), 'ready'],
    [
      'in doubt, the same again, not repeatable',
      DIRTY,
      AS_PLANNED,
      seen(CHANGE, { repeatable: false }),
      'unknown',
      'lost',
    ],
    ['in doubt, something else', DIRTY, UNKNOWN, seen({ to: 'in' }), 'failed', 'drift'],
    ['before an undo: as before already', DIRTY, UNDO, seen(CHANGE), 'done'],
    ['before an undo: changed', DIRTY, UNDO, nothing, 'ready'],
    [
      'before an undo: a need unmet',
      DIRTY,
      UNDO,
      seen(null, { verdict: { verdict: 'nothing' }, need: unmet }),
      'held',
      'needs',
    ],
  ])('%s', (_what, target, rule, outcome, phase, kind) => {
    const found = after(target, rule, outcome);
    expect([found.phase, found.failure?.kind]).toEqual([phase, kind]);
  });

  test('an unmet condition of a kind that waits is asked again', () => {
    const found = after(
      LOOKING,
      { ...AS_PLANNED, step: { ...STEP, onUnmet: 'hold' } },
      seen(CHANGE, { condition: unmet }),
      100,
    );
    expect(found).toMatchObject({ phase: 'held', lookAtMs: 5_100 });
  });

  test.each(['unreachable', 'timeout', 'lost', 'command'] as const)(
    'that gets no answer (%s) is made three times before the server counts as failed',
    (kind) => {
      const once = after(LOOKING, AS_PLANNED, kind);
      const twice = after(once, AS_PLANNED, kind);
      expect([once.phase, twice.phase, after(twice, AS_PLANNED, kind).phase]).toEqual(['held', 'held', 'failed']);
      expect(after(after(twice, AS_PLANNED, seen(CHANGE, { need: unmet })), AS_PLANNED, kind).phase).toBe('held');
    },
  );

  test.each(['host-key', 'denied', 'output', 'internal', 'bmc'] as const)('that says %s is not made again', (kind) => {
    expect(after(LOOKING, AS_PLANNED, kind).phase).toBe('failed');
  });

  test('over a broken path waits for the path, a quarter of an hour at most, and keeps when the change began', () => {
    const broken = after({ ...DIRTY, sinceMs: 7 }, AS_PLANNED, 'path', 1_000);
    expect(broken).toMatchObject({ phase: 'doubt', sinceMs: 7 });
    expect(after(broken, AS_PLANNED, 'path', 900_000).phase).toBe('doubt');
    expect(after(broken, AS_PLANNED, 'path', 902_000).phase).toBe('failed');
    expect(after(LOOKING, AS_PLANNED, 'path', 1_000).phase).toBe('held');
  });
});

describe('an act', () => {
  const ACTING: TargetState = { ...DIRTY, phase: 'acting' };
  const told = (
    event: Omit<Extract<RunEvent, { type: 'performed' | 'confirmed' }>, 'id'>,
    target = ACTING,
    rule = AS_PLANNED,
  ): TargetState => applyToTarget(target, { ...event, id: 'x' }, rule, 0);

  test('is done when reading it again says so, and not because it returned', () => {
    expect(told({ type: 'performed' }).phase).toBe('acted');
    expect(told({ type: 'confirmed' }).phase).toBe('done');
  });

  test.each<[Failure['kind'], TargetState['phase'], boolean]>([
    ['lost', 'doubt', true],
    ['timeout', 'doubt', true],
    ['unreachable', 'held', false],
    ['path', 'doubt', true],
    ['command', 'failed', false],
    ['full', 'failed', false],
  ])('that ends with %s is %s', (kind, phase, inDoubt) => {
    expect(told({ type: 'performed', failure: trouble(kind) })).toMatchObject({ phase, inDoubt, dirty: true });
  });

  test.each(['lost', 'timeout'] as const)(
    'that ends with %s for the last time is failed, and still in doubt',
    (kind) => {
      expect(told({ type: 'performed', failure: trouble(kind) }, { ...ACTING, attempts: 3 })).toMatchObject({
        phase: 'failed',
        inDoubt: true,
      });
    },
  );

  test('in doubt: "it does not show" is an answer, "it cannot be read" is none', () => {
    const doubted: TargetState = { ...ACTING, phase: 'confirming', inDoubt: true };
    expect(told({ type: 'confirmed', failure: trouble('not-confirmed') }, doubted)).toMatchObject({
      phase: 'held',
      inDoubt: false,
    });
    expect(told({ type: 'confirmed', failure: trouble('lost') }, doubted)).toMatchObject({
      phase: 'held',
      inDoubt: true,
    });
  });

  test('that was told done and does not show is failed', () => {
    expect(
      told({ type: 'confirmed', failure: trouble('not-confirmed') }, { ...ACTING, phase: 'confirming' }).phase,
    ).toBe('failed');
  });
});

test('an engine that dies leaves in doubt what it did, and what it saw is seen anew', () => {
  const phases = (
    ['looking', 'ready', 'acting', 'acted', 'confirming', 'waiting', 'held', 'done', 'failed'] as const
  ).map((phase) => [phase, orphan({ ...DIRTY, phase }, 9).phase]);
  expect(Object.fromEntries(phases)).toEqual({
    looking: 'held',
    ready: 'held',
    acting: 'doubt',
    acted: 'doubt',
    confirming: 'doubt',
    waiting: 'waiting',
    held: 'held',
    done: 'done',
    failed: 'failed',
  });
});
