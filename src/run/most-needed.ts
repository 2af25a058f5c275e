import { isTakenBack, reckonedHomeOf, reckonedOf } from '../plan/index.ts';
import { currentOf, type PlanIndex } from './lines.ts';
import { paceOf } from './pace.ts';
import type { RunState, Track } from './state.ts';

/**
 * The most that the next risk and the way home from behind it can need, as if nobody had been through a wave that is not
 * over, and everybody before had been changed. By the plan alone, so that it is reckoned once and looked up at every
 * event. Null: no more risk is ahead.
 */
export function mostNeeded(state: RunState, main: Track, index: PlanIndex): number | null {
  const { header } = index.plan;
  const current = currentOf(main);
  let mostMs: number | null = null;
  for (let at = main.cursor; at < header.steps.length; at += 1) {
    const step = header.steps[at];
    const isRisk = step?.step === 'act' && step.nature === 'risk' && step.waves.length > 0;
    if (!isRisk && !(step?.step === 'gate' && step.fuse !== null)) continue;
    const wave = at === main.cursor && current?.step === 'act' ? current.wave : 0;
    const ownMs =
      step.step === 'gate' ? (step.fuse?.outageMs ?? 0) : ownFrom(index, at, paceOf(state, step, index), wave);
    mostMs = Math.max(mostMs ?? 0, ownMs + homeBehind(index, at));
    // Where everybody has begun, it is the next one that counts.
    if (at > main.cursor) break;
  }
  return mostMs;
}

interface Sums {
  /** Way home of everything up to that step. */
  readonly home: readonly number[];
  /** By step and pace: what is left of it from each of its waves on. */
  readonly own: Map<string, readonly number[]>;
}

const sums = new WeakMap<PlanIndex, Sums>();

function sumsOf(index: PlanIndex): Sums {
  const found = sums.get(index);
  if (found) return found;
  let sum = 0;
  const home = index.plan.header.steps.map((step) => {
    if (step.step === 'act' && isTakenBack(step))
      sum += reckonedHomeOf(
        step,
        step.waves.map((wave) => wave.length),
      );
    return sum;
  });
  const made = { home, own: new Map<string, readonly number[]>() };
  sums.set(index, made);
  return made;
}

function homeBehind(index: PlanIndex, at: number): number {
  return sumsOf(index).home[at] ?? 0;
}

function ownFrom(index: PlanIndex, at: number, pace: number, wave: number): number {
  const { own } = sumsOf(index);
  const key = `${at}/${pace}`;
  const known = own.get(key);
  if (known) return known[wave] ?? 0;
  const step = index.plan.header.steps[at];
  let sum = 0;
  const each = step?.step === 'act' ? step.waves.map(({ length }) => reckonedOf(step, [length], pace)) : [];
  const from = each
    .toReversed()
    .map((ms) => (sum += ms))
    .toReversed();
  own.set(key, from);
  return from[wave] ?? 0;
}
