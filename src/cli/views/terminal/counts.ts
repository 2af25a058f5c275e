import { isSettled, type ActState, type TargetState } from '../../../run/index.ts';

export interface Counts {
  readonly total: number;
  readonly done: number;
  /** Failed, or their state is unknown. */
  readonly failed: readonly string[];
  readonly waiting: number;
  /** Begun, and neither settled nor held. */
  readonly active: number;
  readonly held: number;
}

const known = new WeakMap<ActState, Counts>();

/** How a step's servers stand. Steps at rest keep their state's identity, so that only the current one is counted anew. */
export function countsOf(act: ActState): Counts {
  const before = known.get(act);
  if (before) return before;
  const failed: string[] = [];
  let [total, done, waiting, active, held] = [0, 0, 0, 0, 0];
  for (const { targets } of act.waves) {
    for (const [server, target] of Object.entries(targets)) {
      total += 1;
      if (target.phase === 'done') done += 1;
      else if (target.phase === 'failed' || target.phase === 'unknown') failed.push(server);
      else if (target.phase === 'waiting') waiting += 1;
      else if (target.phase === 'left') total -= 1;
      else if (isHeld(target)) held += 1;
      else if (!isSettled(target)) active += 1;
    }
  }
  const counts = { total, done, failed, waiting, active, held };
  known.set(act, counts);
  return counts;
}

/** It waits for something that must be true, and is asked again. */
export function isHeld({ phase, failure }: TargetState): boolean {
  return phase === 'held' && (failure?.kind === 'needs' || failure?.kind === 'condition' || failure?.kind === 'path');
}
