import type { ActStep } from '../model/index.ts';
import { activeIn } from './lane.ts';
import { actStepOf, type PlanIndex } from './lines.ts';
import { paceOf } from './pace.ts';
import type { RunState } from './state.ts';
import { mayLeave } from './serving.ts';
import { stopsOf } from './stops.ts';
import { isInTail } from './tail.ts';

/** Failures so far: every server that is out, and every path that broke, each once (promise 6). */
export function spentOf({ out, paths }: RunState): number {
  const servers = Object.values(out).filter(({ path }) => path === null).length;
  return servers + Object.keys(paths).length;
}

/**
 * How many more servers of this step may start. Risk and checks start only while failed + unknown + in flight < N, over
 * the whole run, so that N is never passed even if all in flight fail. Giving back has its own cap and no budget.
 */
export function startsAllowed(state: RunState, step: ActStep, active: number, index: PlanIndex): number {
  const byCap = paceOf(state, step, index) - active;
  // Checks between steps that give back hold nobody up who can come back.
  if (step.nature === 'restore' || isInTail(index, step.id)) return byCap;
  if (stopsOf(state, step, index).length > 0) return 0;
  return Math.min(
    byCap,
    index.plan.header.budget.failures - spentOf(state) - atRisk(state, index),
    mayLeave(state, step, index),
  );
}

/** Servers under way in steps that count. */
function atRisk(state: RunState, index: PlanIndex): number {
  let count = 0;
  for (const track of state.tracks) {
    const act = track.steps[track.cursor];
    const wave = act?.step === 'act' ? act.waves[act.wave] : undefined;
    if (!wave || track.kind !== 'main' || actStepOf(index, track, track.cursor).nature === 'restore') continue;
    count += activeIn(wave);
  }
  return count;
}
