import { burningOf, clockTime, duration, shedAtMs, shedWords, type Machine, type RunState } from '../../run/index.ts';

/** The countdown and what is done at its end, for `neap status`. */
export function fuseStatus(state: RunState, machine: Machine): string[] {
  const { fuse, counting, nowMs } = state;
  const words = shedWords(state, machine.index);
  const shed = words === null ? [] : [`Shed: ${words}.`];
  if (fuse === null || state.closed) return shed;
  const burning = burningOf(state, machine.index);
  const left = fuse.expiresAtMs - nowMs;
  const what = left > 0 ? `${duration(left)} left` : `burnt down ${duration(-left)} ago`;
  const read =
    burning === null || counting === null
      ? ''
      : `, read again ${duration(nowMs - counting.lastAtMs)} before that from ${counting.read} servers${counting.unread.length > 0 ? ` (${counting.unread.length} could not be read)` : ''}`;
  const back =
    burning === null ? '' : ` The database must be back by ${clockTime(fuse.expiresAtMs - burning.marginMs)}.`;
  return [`Fuse: ${what} at ${clockTime(nowMs)} (${fuse.clock} on ${fuse.server})${read}.${back}`, ...shed];
}

/** The same for scripts. */
export function fuseJson(state: RunState, machine: Machine): object {
  const burning = burningOf(state, machine.index);
  return {
    burning:
      burning === null
        ? null
        : {
            expiresAtMs: burning.fuse.expiresAtMs,
            leftMs: burning.fuse.expiresAtMs - state.nowMs,
            marginMs: burning.marginMs,
            shedAtMs: shedAtMs(state, machine.index),
            readAtMs: state.counting?.lastAtMs ?? null,
            read: state.counting?.read ?? 0,
            unread: state.counting?.unread ?? [],
          },
    shed: state.shed,
  };
}
