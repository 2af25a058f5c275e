import type { Effect } from './effects.ts';
import { allFlying } from './flying.ts';
import type { RunState } from './state.ts';

type Targeted = Extract<Effect, { place: unknown }>;

/**
 * No two tracks change one server at the same time: who comes second waits until the first one's attempt has ended. It
 * does not even look before, since what it saw would be old by the time it may act.
 */
export function keepApart(effects: readonly Effect[], { tracks, flying }: RunState): readonly Effect[] {
  if (tracks.length < 2 || !effects.some(leadsToChange)) return effects;
  const busy = new Map<string, string>();
  const take = (effect: Effect): void => {
    if (!leadsToChange(effect)) return;
    const { target, track } = effect.place;
    busy.set(target, busy.get(target) ?? track);
  };
  allFlying(flying).forEach(take);
  // Who has looked already goes before who would look now.
  effects.filter((effect) => effect.effect !== 'look').forEach(take);
  effects.forEach(take);
  return effects.filter((effect) => !leadsToChange(effect) || busy.get(effect.place.target) === effect.place.track);
}

/** A change, or the look right before one; a soak only watches. */
function leadsToChange(effect: Effect): effect is Targeted {
  if (effect.effect === 'look') return effect.soakUntilMs === null;
  return effect.effect === 'perform' || effect.effect === 'undo';
}
