import type { Effect } from './effects.ts';
import { allFlying } from './flying.ts';
import type { RunState } from './state.ts';

/** No two tracks change one server at the same time: who comes second waits until the first one's attempt has ended. */
export function keepApart(effects: readonly Effect[], { tracks, flying }: RunState): readonly Effect[] {
  if (tracks.length < 2 || !effects.some(changes)) return effects;
  const busy = new Map<string, string>();
  for (const effect of allFlying(flying)) if (changes(effect)) busy.set(effect.place.target, effect.place.track);
  return effects.filter((effect) => {
    if (!changes(effect)) return true;
    const { target, track } = effect.place;
    const has = busy.get(target) ?? track;
    busy.set(target, has);
    return has === track;
  });
}

function changes(effect: Effect): effect is Extract<Effect, { effect: 'perform' | 'undo' }> {
  return effect.effect === 'perform' || effect.effect === 'undo';
}
