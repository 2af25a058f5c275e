import type { ActStep, Failure, PlanVerdict } from '../model/index.ts';
import { canonicalJson } from '../plan/index.ts';
import type { Looked, RunEvent } from './events.ts';
import { ASK_AGAIN_MS, ATTEMPTS_MAX, HELD_MAX_MS, LOOKS_MAX, PATH_BROKEN_MAX_MS, RETRY_MS } from './limits.ts';
import type { TargetState } from './state.ts';
import { partTitle } from './words.ts';

/** What one server's part of a step is judged against. */
export interface TargetRule {
  readonly server: string;
  readonly step: ActStep;
  readonly does: 'perform' | 'undo';
  /** A person decided that the step's condition need not hold. */
  readonly waived?: boolean;
  /** What the plan foretold; a contingency's step is decided when it comes. */
  readonly planned: PlanVerdict;
}

/** So much of what looking at a server in doubt shows is told. */
const SEEN_MAX = 200;

type Told = Extract<RunEvent, { type: 'looked' | 'performed' | 'confirmed' }>;

/** One server's part of a step takes in the outcome of an effect. */
export function applyToTarget(target: TargetState, event: Told, rule: TargetRule, atMs: number): TargetState {
  switch (event.type) {
    case 'looked':
      return 'failure' in event.outcome
        ? lookFailed(target, event.outcome.failure, atMs)
        : looked(target, event.outcome, rule, atMs);
    case 'performed':
      if (event.unsent)
        return {
          ...lookAgain(target, atMs + RETRY_MS),
          dirty: target.dirtyBefore,
          lostAttempts: target.lostAttempts + 1,
        };
      return event.failure ? actFailed(target, event.failure, rule, atMs) : { ...target, phase: 'acted' };
    case 'confirmed':
      if (!event.failure)
        return { ...target, phase: 'done', inDoubt: false, readings: event.readings ?? null, failure: null };
      return confirmFailed(target, event.failure, rule, atMs);
  }
}

/** The engine that was on it is gone: what it was doing is in doubt (promise 3). */
export function orphan(target: TargetState, atMs: number): TargetState {
  if (target.phase === 'looking' || target.phase === 'ready') return lookAgain(target, atMs);
  // An attempt that a dead engine may never have sent is not one that failed.
  if (target.phase === 'acting')
    return { ...target, phase: 'doubt', inDoubt: true, lostAttempts: target.lostAttempts + 1 };
  // Time has passed since: a hold may have ended by itself.
  if (target.phase === 'confirming' || target.phase === 'acted') return { ...target, phase: 'doubt', inDoubt: true };
  return target;
}

/** What was seen is no longer what is there right before acting. */
export function lookAgain(target: TargetState, atMs: number): TargetState {
  return { ...target, phase: 'held', lookAtMs: atMs };
}

function looked(
  target: TargetState,
  { verdict, condition, need, readings, repeatable, withinBounds, stands }: Looked,
  rule: TargetRule,
  atMs: number,
): TargetState {
  const seen: TargetState = { ...target, readings, misses: 0, heldSinceMs: null, failure: null, perhaps: false };
  if (rule.does === 'undo') return lookedBack(target, seen, { verdict, need, stands }, rule, atMs);
  if (rule.step.undoes !== null) return lookedAgain(seen, verdict, need, rule, atMs, target.heldSinceMs);
  if (verdict.verdict === 'refused') return fail(seen, failure(rule, 'condition', verdict.why, verdict.remedy));
  if (target.dirty && verdict.verdict === 'nothing') return { ...seen, phase: 'acted' };
  if (target.perhaps && verdict.verdict === 'nothing' && rule.planned.verdict === 'change')
    return { ...seen, phase: 'acted', dirty: true, decided: true, change: rule.planned.change };
  const drift = driftOf(verdict, target, rule, withinBounds);
  if (drift !== null) return fail(seen, drift);
  if (!condition.holds && !rule.waived) {
    const unmet = failure(
      rule,
      'condition',
      condition.why,
      'Mend it and make a new plan for it; `neap status` shows the others',
    );
    return rule.step.onUnmet === 'hold' ? held(seen, unmet, atMs, target.heldSinceMs) : fail(seen, unmet);
  }
  if (verdict.verdict === 'nothing') return { ...seen, phase: 'done', decided: true };
  if ((target.dirty || target.perhaps) && !repeatable) {
    return {
      ...seen,
      phase: 'unknown',
      failure: {
        ...failure(
          rule,
          'lost',
          'whether it was done is not known, and doing it twice could do harm',
          'A person is asked; neap does not do it again by itself',
        ),
        state: `Looked at again it would still be done: ${verdict.diff.join('; ').slice(0, SEEN_MAX)}`,
      },
    };
  }
  if (!need.holds) return held(seen, needFailure(rule, need.why), atMs, target.heldSinceMs);
  return { ...seen, phase: 'ready', decided: true, change: verdict.change };
}

/** Before an undo. The change that led away shows again where the server is as before. */
function lookedBack(
  target: TargetState,
  seen: TargetState,
  { verdict, need, stands }: Pick<Looked, 'verdict' | 'need'> & { readonly stands: Looked['stands'] | undefined },
  rule: TargetRule,
  atMs: number,
): TargetState {
  const asBefore = verdict.verdict === 'change' && canonicalJson(verdict.change) === canonicalJson(target.change);
  const untouched = !target.dirty && !target.perhaps;
  if (asBefore && rule.step.releases !== null && untouched) {
    const why = 'the hold had ended by itself, so what was done under it proves nothing';
    return fail(seen, failure(rule, 'condition', why, 'It is done again'));
  }
  if (asBefore) return { ...seen, phase: 'done', inDoubt: false };
  if (rule.step.undoes !== null && stands === 'other' && untouched) {
    const why = 'it stands neither as before that change nor as after it';
    return fail(seen, failure(rule, 'drift', why, 'See what changed on it; put it back by hand'));
  }
  return need.holds ? { ...seen, phase: 'ready' } : held(seen, needFailure(rule, need.why), atMs, target.heldSinceMs);
}

/** On the way home from a way back: what it took again is done again, however far its undo had come. */
function lookedAgain(
  seen: TargetState,
  verdict: Looked['verdict'],
  need: Looked['need'],
  rule: TargetRule,
  atMs: number,
  heldSinceMs: number | null,
): TargetState {
  if (verdict.verdict === 'nothing') return seen.dirty ? { ...seen, phase: 'acted' } : { ...seen, phase: 'done' };
  if (verdict.verdict === 'refused') return fail(seen, failure(rule, 'condition', verdict.why, verdict.remedy));
  return need.holds ? { ...seen, phase: 'ready' } : held(seen, needFailure(rule, need.why), atMs, heldSinceMs);
}

/** A different verdict is drift; a verdict that could not be foretold must be one that the input allows. */
function driftOf(
  verdict: Looked['verdict'],
  target: TargetState,
  rule: TargetRule,
  withinBounds: boolean,
): Failure | null {
  const remedy = 'See what changed on it; make a new plan for it, or mend it by hand';
  if (target.dirty && verdict.verdict === 'change' && canonicalJson(verdict.change) !== canonicalJson(target.change)) {
    return failure(rule, 'drift', 'it is neither as before the change nor as after it', remedy);
  }
  const { planned } = rule;
  // Who could not be read beforehand is decided now, like what could not be foretold.
  if (planned.verdict === 'unknown' || planned.verdict === 'failed') {
    return withinBounds
      ? null
      : failure(rule, 'drift', 'the change it needs is not one that this step may make', remedy);
  }
  if (planned.verdict !== verdict.verdict) {
    return failure(
      rule,
      'drift',
      `the plan says ${words(planned.verdict)}, and now it would be ${words(verdict.verdict)}`,
      remedy,
    );
  }
  const moved =
    verdict.verdict === 'change' &&
    planned.verdict === 'change' &&
    canonicalJson(verdict.change) !== canonicalJson(planned.change);
  return moved ? failure(rule, 'drift', 'the change that it needs is another than the plan says', remedy) : null;
}

function words(verdict: PlanVerdict['verdict']): string {
  return verdict === 'nothing' ? 'nothing to do' : verdict === 'change' ? 'a change' : verdict;
}

function lookFailed(target: TargetState, seen: Failure, atMs: number): TargetState {
  if (seen.kind === 'path') return onBrokenPath(target, seen, atMs);
  const retried =
    seen.kind === 'unreachable' || seen.kind === 'timeout' || seen.kind === 'lost' || seen.kind === 'command';
  const misses = target.misses + 1;
  if (retried && misses < LOOKS_MAX)
    return { ...target, phase: 'held', misses, lookAtMs: atMs + RETRY_MS, failure: seen };
  return fail(target, seen);
}

/** The way there is broken, not the server: wait for the way, within a limit. */
function onBrokenPath(target: TargetState, seen: Failure, atMs: number): TargetState {
  const pathSinceMs = target.failure?.kind === 'path' && target.pathSinceMs !== null ? target.pathSinceMs : atMs;
  if (atMs - pathSinceMs > PATH_BROKEN_MAX_MS) return fail(target, seen);
  return { ...target, phase: target.dirty ? 'doubt' : 'held', lookAtMs: atMs + RETRY_MS, pathSinceMs, failure: seen };
}

function actFailed(target: TargetState, seen: Failure, rule: TargetRule, atMs: number): TargetState {
  const known = target.attempts - target.lostAttempts < ATTEMPTS_MAX;
  // Never sent: as if it had not begun.
  if (seen.kind === 'unreachable' && known)
    return { ...target, phase: 'held', lookAtMs: atMs + RETRY_MS, failure: seen };
  if (seen.kind === 'path') return { ...onBrokenPath(target, seen, atMs), inDoubt: true };
  if (seen.kind === 'lost' || seen.kind === 'timeout' || seen.kind === 'unreachable') {
    const doubted = { ...target, inDoubt: true };
    return known ? { ...doubted, phase: 'doubt', lookAtMs: atMs + RETRY_MS, failure: seen } : fail(doubted, seen);
  }
  if (isBack(rule) && known) return { ...target, phase: 'held', lookAtMs: atMs + RETRY_MS, failure: seen };
  return fail(target, seen);
}

function confirmFailed(target: TargetState, seen: Failure, rule: TargetRule, atMs: number): TargetState {
  if (seen.kind === 'path') return onBrokenPath(target, seen, atMs);
  // It was done, and only could not be read: it is read again, as before acting.
  const unread = seen.kind === 'unreachable' || seen.kind === 'timeout' || seen.kind === 'lost';
  const misses = target.misses + 1;
  if (unread && !target.inDoubt && !isBack(rule) && misses < LOOKS_MAX) {
    return { ...target, phase: 'doubt', misses, lookAtMs: atMs + RETRY_MS, failure: seen };
  }
  // In doubt, "not there" is an answer: look again, and act again only if that is safe.
  const again = (target.inDoubt || isBack(rule)) && target.attempts - target.lostAttempts < ATTEMPTS_MAX;
  // Not to have been able to read is no answer: what was sent may still come through.
  const inDoubt = target.inDoubt && seen.kind !== 'not-confirmed';
  if (again)
    return {
      ...target,
      phase: 'held',
      inDoubt,
      misses: unread ? misses : target.misses,
      lookAtMs: atMs + RETRY_MS,
      failure: seen,
    };
  return fail(target, seen);
}

/** Undoing, and doing again what a way back had undone: tried more than once. */
function isBack({ does, step }: TargetRule): boolean {
  return does === 'undo' || step.undoes !== null;
}

/** Waits for what is unmet, and asks again, but not for ever: then a person must decide. */
function held(target: TargetState, why: Failure, atMs: number, sinceMs: number | null): TargetState {
  const heldSinceMs = sinceMs ?? atMs;
  if (atMs - heldSinceMs > HELD_MAX_MS)
    return fail(target, { ...why, what: `${why.what}, for ${HELD_MAX_MS / 3_600_000} h now` });
  return { ...target, phase: 'held', lookAtMs: atMs + ASK_AGAIN_MS, heldSinceMs, failure: why };
}

function fail(target: TargetState, why: Failure): TargetState {
  return { ...target, phase: 'failed', failure: why };
}

function needFailure(rule: TargetRule, why: string): Failure {
  return failure(
    rule,
    'needs',
    why,
    'The run holds the safe state and asks again by itself; `neap status` shows for whom',
  );
}

function failure(
  { server, step, does }: Pick<TargetRule, 'server' | 'step' | 'does'>,
  kind: Failure['kind'],
  what: string,
  remedy: string,
): Failure {
  const where = `${server}, step ${step.id} (${partTitle(step, does)})`;
  return { kind, what, where, state: 'It was left as it is', remedy };
}
