import { isSettled, type ActState, type WaveState } from './state.ts';

/** How many servers of one wave stand where. */
export interface Tally {
  readonly waiting: number;
  readonly unsettled: number;
  /** Something was begun on them. */
  readonly dirty: number;
}

const known = new WeakMap<WaveState, Tally>();
const dirtyKnown = new WeakMap<ActState, readonly number[]>();

/** Counts a wave once for as long as it stays the same: an event changes one wave, and the others need no second look. */
export function tallyOf(wave: WaveState): Tally {
  const counted = known.get(wave);
  if (counted) return counted;
  let waiting = 0;
  let unsettled = 0;
  let dirty = 0;
  for (const target of Object.values(wave.targets)) {
    if (target.phase === 'waiting') waiting += 1;
    if (!isSettled(target)) unsettled += 1;
    if (target.dirty) dirty += 1;
  }
  const tally = { waiting, unsettled, dirty };
  known.set(wave, tally);
  return tally;
}

/** How many servers of each wave a step has begun to change. */
export function dirtyOf(act: ActState): readonly number[] {
  const counted = dirtyKnown.get(act);
  if (counted) return counted;
  const sizes = act.waves.map((wave) => tallyOf(wave).dirty);
  dirtyKnown.set(act, sizes);
  return sizes;
}
