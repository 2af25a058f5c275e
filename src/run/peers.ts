import type { Effect } from './effects.ts';
import { busyIn } from './lane.ts';
import { actStepOf, currentOf, trackOf, type PlanIndex } from './lines.ts';
import { slotDue } from './slot-tokens.ts';
import type { ActState, RunState, Track } from './state.ts';

/** What may be begun now, and when the next that had to wait for its slot is due. */
export interface Begun {
  readonly effects: readonly Effect[];
  readonly wakeAtMs: number | null;
}

/**
 * A contingency can be armed more than once, and its tracks then share one cap and one rate for each of its steps: what
 * a dependency can bear does not grow with the number of times that something hung.
 */
export function sharePace(effects: readonly Effect[], state: RunState, index: PlanIndex): Begun {
  const taken = new Map<string, number>();
  let wakeAtMs: number | null = null;
  const allowed = effects.filter((effect) => {
    if (effect.effect !== 'look') return true;
    const track = trackOf(state, effect.place.track);
    const peers = track ? peersOf(state, track) : [];
    if (!track || peers.length < 2) return true;
    const step = actStepOf(index, track, effect.place.step);
    const took = taken.get(step.id) ?? 0;
    const busy = peers.flatMap(({ waves }) => waves).reduce((sum, wave) => sum + busyIn(wave), 0);
    const slotMs = step.perSecond === null ? 0 : 1000 / step.perSecond;
    const dueMs = took > 0 && slotMs > 0 ? state.nowMs + slotMs : slotDue(step, peers)(effect.place.target);
    if (slotMs > 0 && dueMs > state.nowMs) {
      if (dueMs < Infinity) wakeAtMs = Math.min(wakeAtMs ?? Infinity, dueMs);
      return false;
    }
    if (busy + took >= step.atMost) return false;
    taken.set(step.id, took + 1);
    return true;
  });
  return { effects: allowed, wakeAtMs };
}

/** Where tracks of the same contingency stand at the same step. */
function peersOf({ tracks }: RunState, track: Track): ActState[] {
  const at = currentOf(track);
  if (track.contingency === null || at?.step !== 'act') return [];
  return tracks.flatMap((each): ActState[] => {
    const act = each.contingency === track.contingency && each.status === 'running' ? currentOf(each) : undefined;
    return act?.step === 'act' && act.plan === at.plan ? [act] : [];
  });
}
