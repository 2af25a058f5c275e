import type { ActStep } from '../model/index.ts';
import { slowestMs } from '../plan/index.ts';
import type { Effect, Place } from './effects.ts';
import { CONFIRM_FACTOR, CONFIRM_MIN_MS, DOUBT_MIN_MS } from './limits.ts';
import { isSettled, type ActState, type TargetState, type WaveState } from './state.ts';

/** What the run allows a lane right now. */
export interface Allowance {
  /** How many more servers may be started. */
  readonly starts: number;
  /** How many that wait for a need may be looked at again. */
  readonly again: number;
  /** Not before this instant may a server start, by the step's slots; null: it has none. */
  readonly dueMs: ((server: string) => number) | null;
  readonly nowMs: number;
  /** Nothing new: only what has begun is brought to a known end. */
  readonly draining: boolean;
  readonly priorBootId: (server: string) => string | null;
  /** How often the track went back and did steps anew: keeps their effects' ids apart. */
  readonly round: number;
}

export interface LaneNext {
  readonly effects: readonly Effect[];
  /** When something here becomes due by time alone; null: nothing does. */
  readonly wakeAtMs: number | null;
}

/**
 * The lane machine: up to 200 servers of one wave of one step. It knows nothing of budget, window or other waves;
 * the run machine says how many may start.
 */
export function nextInLane(
  step: ActStep,
  act: ActState,
  wave: WaveState,
  at: Omit<Place, 'target'>,
  allow: Allowance,
): LaneNext {
  const effects: Effect[] = [];
  let wakeAtMs: number | null = null;
  let { starts, again } = allow;
  // One a slot: the next is due a slot later, and comes round again by `wakeAtMs`.
  const paced = allow.dueMs !== null;
  const isDue = (server: string): boolean => {
    const dueMs = allow.dueMs?.(server) ?? -Infinity;
    if (dueMs > allow.nowMs && dueMs < Infinity) wake(dueMs);
    return dueMs <= allow.nowMs;
  };
  const wake = (atMs: number): void => {
    wakeAtMs = wakeAtMs === null ? atMs : Math.min(wakeAtMs, atMs);
  };
  for (const [server, target] of inTurn(wave)) {
    const place: Place = { ...at, target: server };
    if (allow.draining && target.phase !== 'acted' && target.phase !== 'doubt') continue;
    if (target.phase === 'waiting') {
      if (starts <= 0) continue;
      if (target.lookAtMs !== null && target.lookAtMs > allow.nowMs) {
        wake(target.lookAtMs);
        continue;
      }
      if (!isDue(server)) continue;
      effects.push(look(step, act, target, place, allow));
      starts = paced ? 0 : starts - 1;
      again = paced ? 0 : again - 1;
      continue;
    }
    if (
      (target.phase === 'held' || target.phase === 'doubt') &&
      target.lookAtMs !== null &&
      target.lookAtMs > allow.nowMs
    ) {
      wake(target.lookAtMs);
      continue;
    }
    if (target.phase === 'held') {
      if (again <= 0) continue;
      // When the need is met all at once, they still come one after another.
      if (!isDue(server)) continue;
      again = paced ? 0 : again - 1;
      // Where who waits takes nobody's place, looking at it again does.
      starts = paced ? 0 : again < Infinity ? starts - 1 : starts;
    }
    const effect = continueOn(step, act, target, place, allow);
    if (effect) effects.push(effect);
  }
  return { effects, wakeAtMs };
}

/** As the slots have them, where they have an order: then whoever comes first and has a token of everything is next. */
function inTurn({ targets }: WaveState): [string, TargetState][] {
  const all = Object.entries(targets);
  const isOrdered = all.some(([, { turn, phase }]) => turn !== undefined && phase === 'waiting');
  return isOrdered ? all.toSorted(([, a], [, b]) => (a.turn ?? -1) - (b.turn ?? -1)) : all;
}

function continueOn(step: ActStep, act: ActState, target: TargetState, place: Place, allow: Allowance): Effect | null {
  switch (target.phase) {
    case 'held':
      return look(step, act, target, place, allow);
    case 'ready':
      return {
        effect: act.does,
        id: idOf(place, allow.round, act.does, target.attempts),
        place,
        change: target.change,
      };
    case 'acted':
    case 'doubt':
      return confirm(step, act, target, place, allow);
    default:
      return null;
  }
}

function look(step: ActStep, act: ActState, target: TargetState, place: Place, { nowMs, round }: Allowance): Effect {
  // A check soaks while it looks; a change soaks while it is confirmed.
  const soaks = act.does === 'perform' && step.nature === 'check' && step.soakMs > 0;
  return {
    effect: 'look',
    id: idOf(place, round, 'look', target.looks),
    place,
    for: act.does,
    soakUntilMs: soaks ? (target.soakUntilMs ?? nowMs + step.soakMs) : null,
    ...(step.undoes !== null && act.does === 'undo' ? { change: target.change } : {}),
  };
}

function confirm(
  step: ActStep,
  act: ActState,
  target: TargetState,
  place: Place,
  { nowMs, priorBootId, round }: Allowance,
): Effect {
  const soakMs = act.does === 'perform' ? step.soakMs : 0;
  return {
    effect: 'confirm',
    id: idOf(place, round, 'confirm', target.confirms),
    place,
    for: act.does,
    change: target.change,
    sinceMs: target.sinceMs ?? nowMs,
    deadlineMs: nowMs + Math.max(target.inDoubt ? DOUBT_MIN_MS : CONFIRM_MIN_MS, slowestMs(step) * CONFIRM_FACTOR),
    soakUntilMs: soakMs > 0 ? (target.soakUntilMs ?? nowMs + soakMs) : null,
    priorBootId: priorBootId(place.target),
  };
}

/** Unique for every effect that is ever intended: within a round, looks, attempts and confirmations only rise. */
function idOf({ track, step, wave, target }: Place, round: number, word: string, count: number): string {
  return `${track}/${step}.${wave}${round === 0 ? '' : `~${round}`}/${target}/${word}/${count}`;
}

/** How the intention itself moves a server on. */
export function intend(target: TargetState, effect: Extract<Effect, { place: Place }>, atMs: number): TargetState {
  switch (effect.effect) {
    case 'look':
      return {
        ...target,
        phase: 'looking',
        looks: target.looks + 1,
        lookAtMs: null,
        soakUntilMs: effect.soakUntilMs ?? target.soakUntilMs,
      };
    case 'perform':
    case 'undo':
      return {
        ...target,
        phase: 'acting',
        attempts: target.attempts + 1,
        dirty: true,
        dirtyBefore: target.dirty,
        sinceMs: target.dirty && target.sinceMs !== null ? target.sinceMs : atMs,
      };
    case 'confirm':
      return {
        ...target,
        phase: 'confirming',
        confirms: target.confirms + 1,
        lookAtMs: null,
        soakUntilMs: effect.soakUntilMs ?? target.soakUntilMs,
      };
  }
}

/** How many of a wave's servers something is being done to: who only waits for a need takes nobody's place. */
export function busyIn(wave: WaveState): number {
  return Object.values(wave.targets).filter(
    (target) => target.phase !== 'waiting' && target.phase !== 'held' && !isSettled(target),
  ).length;
}

/** How many of a wave's servers are begun and not settled. */
export function activeIn(wave: WaveState): number {
  let active = 0;
  for (const target of Object.values(wave.targets)) if (target.phase !== 'waiting' && !isSettled(target)) active += 1;
  return active;
}

export function isWaveSettled(wave: WaveState): boolean {
  return Object.values(wave.targets).every(isSettled);
}
