import type { ActStep } from '../model/index.ts';
import { isTakenBack, reckonedHomeOf, reckonedOf } from '../plan/index.ts';
import { currentOf, trackOf, type PlanIndex } from './lines.ts';
import type { ActState, RunState, Track, Turn } from './state.ts';
import { mostNeeded } from './most-needed.ts';
import { paceOf } from './pace.ts';
import { dirtyOf, tallyOf } from './tally.ts';
import { closesAtMs, freezesAhead, waitsForOpening } from './window.ts';
import { clockTime, duration } from './words.ts';

/** What ends the time for risk: the window, or a freeze that begins. */
export type End =
  | { readonly end: 'window'; readonly atMs: number }
  | { readonly end: 'freeze'; readonly atMs: number; readonly title: string; readonly toMs: number };

/** The next risk that the main line will take, and whether there is time for it. */
export interface Outlook {
  readonly step: string;
  /** What is left of that step, and the way home of all that was done by then. */
  readonly neededMs: number;
  readonly end: End;
  /** The last instant at which it still fits. */
  readonly latestMs: number;
}

/**
 * Whether the next risk and the way home from behind it still fit (promise 7). A window in which the way home no longer
 * fits is closed. Null: no more risk is ahead, or the run is on its way home already.
 */
export function outlookOf(state: RunState, index: PlanIndex): Outlook | null {
  const main = takingMain(state);
  const risk = main && riskAhead(state, main, index);
  if (!main || risk === null) return null;
  const neededMs = risk.ownMs + homeMs(main, risk, index);
  const end = firstEnd(state, index);
  return { step: risk.title, neededMs, end, latestMs: end.atMs - neededMs };
}

/**
 * Until when it fits in any case, by the plan alone: before that nothing needs to be counted, and a large fleet is
 * counted at no event. Null: no more risk is ahead.
 */
export function fitsUntilMs(state: RunState, index: PlanIndex): number | null {
  const main = takingMain(state);
  const mostMs = main && mostNeeded(state, main, index);
  return mostMs === null ? null : firstEnd(state, index).atMs - mostMs;
}

/** The main line, while it may take something. */
function takingMain(state: RunState): Track | null {
  const main = trackOf(state, 'main');
  return main?.status === 'running' && state.mode === 'forward' && !waitsForOpening(state) ? main : null;
}

/** The turn that is due when it does not fit any more. */
export function outlookTurn(state: RunState, index: PlanIndex): Pick<Turn, 'code' | 'why'> | null {
  const untilMs = fitsUntilMs(state, index);
  if (untilMs === null || state.nowMs <= untilMs) return null;
  const outlook = outlookOf(state, index);
  if (outlook === null || state.nowMs <= outlook.latestMs) return null;
  const { step, neededMs, end } = outlook;
  const inside = end.end === 'freeze' && end.atMs <= state.nowMs;
  const needs = `"${step}" and the way home from behind it need ${duration(neededMs)}`;
  const why = inside
    ? `"${step}" may not be begun while "${end.title}" lasts, until ${clockTime(end.toMs)}`
    : end.end === 'freeze'
      ? `${needs}, and "${end.title}" begins at ${clockTime(end.atMs)}`
      : end.atMs <= state.nowMs
        ? `${needs}, and the window closed at ${clockTime(end.atMs)}`
        : `${needs}, and the window closes in ${duration(end.atMs - state.nowMs)}, at ${clockTime(end.atMs)}`;
  return { code: end.end, why };
}

function firstEnd(state: RunState, index: PlanIndex): End {
  const atMs = closesAtMs(state, index);
  const [freeze] = freezesAhead(state, index);
  return freeze && freeze.fromMs < atMs
    ? { end: 'freeze', atMs: freeze.fromMs, title: freeze.title, toMs: freeze.toMs }
    : { end: 'window', atMs };
}

interface Risk {
  /** Where it is in the line, and how many servers of it have not begun, wave by wave. */
  readonly at: number;
  readonly title: string;
  readonly ownMs: number;
  readonly fresh: readonly number[];
}

/** A risk step with servers left to begin, or a gate behind which the planned outage begins. */
function riskAhead(state: RunState, main: Track, index: PlanIndex): Risk | null {
  const { header } = index.plan;
  const current = currentOf(main);
  for (let at = main.cursor; at < header.steps.length; at += 1) {
    const step = header.steps[at];
    if (step?.step === 'gate' && step.fuse !== null)
      return { at, title: step.title, ownMs: step.fuse.outageMs, fresh: [] };
    if (step?.step !== 'act' || step.nature !== 'risk') continue;
    const whole = step.waves.map((wave) => wave.length);
    const { sizes, fresh } =
      at === main.cursor && current?.step === 'act' ? leftIn(current) : { sizes: whole, fresh: whole };
    if (fresh.every((size) => size === 0)) continue;
    return { at, title: step.title, ownMs: reckonedOf(step, sizes, paceOf(state, step, index)), fresh };
  }
  return null;
}

function leftIn(act: ActState): { readonly sizes: readonly number[]; readonly fresh: readonly number[] } {
  const tallies = act.waves.slice(act.wave).map(tallyOf);
  return { sizes: tallies.map(({ unsettled }) => unsettled), fresh: tallies.map(({ waiting }) => waiting) };
}

/** Taking back everything that was changed so far, and what the next risk will have changed. */
function homeMs(main: Track, risk: Risk, { plan: { header } }: PlanIndex): number {
  let sum = 0;
  for (let at = 0; at <= risk.at; at += 1) {
    const step = header.steps[at];
    const act = main.steps[at];
    if (
      step?.step !== 'act' ||
      act?.step !== 'act' ||
      !isTakenBack(step) ||
      isReleased(step, main.cursor, header.steps)
    )
      continue;
    sum += reckonedHomeOf(step, at === risk.at ? merged(dirtyOf(act), risk.fresh) : dirtyOf(act));
  }
  return sum;
}

/** Who of a wave was changed, and who is going to be; what is left of a step are its last waves. */
function merged(changed: readonly number[], fresh: readonly number[]): readonly number[] {
  const from = changed.length - fresh.length;
  return changed.map((size, wave) => size + (fresh[wave - from] ?? 0));
}

function isReleased(step: ActStep, cursor: number, steps: PlanIndex['plan']['header']['steps']): boolean {
  return step.releasedBy !== null && steps.findIndex((each) => each.id === step.releasedBy) < cursor;
}
