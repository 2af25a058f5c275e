import type { RunEvent } from './events.ts';
import type { RunState } from './state.ts';

/**
 * The machine slept, or its clock was set. A clock that was set moves the agreed instants in plan time, and nothing
 * else: a soak, a gate or a limit lasts as long as it was meant to.
 */
export function jumped(state: RunState, { sort, byMs }: Extract<RunEvent, { type: 'jumped' }>): RunState {
  return sort === 'clock' ? { ...state, skewMs: state.skewMs + byMs } : state;
}

/** What the calendars say now. Where they could not be read, what they said before still holds. */
export function readFreezes(
  state: RunState,
  { freezes, unread }: Extract<RunEvent, { type: 'freezes' }>,
  atMs: number,
): RunState {
  return {
    ...state,
    freezes: freezes ?? state.freezes,
    freezesUnread: unread === undefined ? null : { sinceMs: state.freezesUnread?.sinceMs ?? atMs, why: unread },
  };
}
