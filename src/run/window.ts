import type { PlanIndex } from './lines.ts';
import type { RunState } from './state.ts';

/** A span in which nothing may be begun, in plan time. */
export interface Freeze {
  readonly title: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** What an override of calendars that cannot be read is about. */
export const UNREAD = 'calendars';

/** When the window opens, in plan time; null: it is open from the start. */
export function opensAtMs({ skewMs }: RunState, { plan }: PlanIndex): number | null {
  const { opensAtMs: said } = plan.header.window;
  return said === null ? null : said - skewMs;
}

/** Whether the run still waits for its window to open: until then nothing is done on any server. */
export function waitsForOpening(state: RunState): boolean {
  return state.begunAtMs === null && state.mode === 'forward';
}

/** The instant at which the window opened, once it has: kept, so that a clock that is set back cannot close it again. */
export function begun(state: RunState, index: PlanIndex): RunState {
  if (state.begunAtMs !== null) return state;
  const opens = opensAtMs(state, index);
  if (opens !== null && state.nowMs < opens) return state;
  return { ...state, begunAtMs: Math.max(state.openedAtMs, opens ?? state.openedAtMs) };
}

/**
 * When the window closes: at its limit or at the agreed instant, whichever is first, unless a person gave it longer.
 * A clock that was set forward brings the agreed instant nearer; one that was set back makes no window longer.
 */
export function closesAtMs(state: RunState, index: PlanIndex): number {
  const { limitMs, closesAtMs: said } = index.plan.header.window;
  const begins = state.begunAtMs ?? Math.max(state.openedAtMs, opensAtMs(state, index) ?? 0);
  const own = Math.min(begins + limitMs, said === null ? Infinity : inPlanTime(said, state));
  return state.overrides.reduce(
    (latest, each) =>
      each.class === 'window' && each.untilMs !== null ? Math.max(latest, inPlanTime(each.untilMs, state)) : latest,
    own,
  );
}

/** Freezes that still hold or are to come, and that nobody overrode; those that begin first come first. */
export function freezesAhead(state: RunState, { plan }: PlanIndex): readonly Freeze[] {
  return (state.freezes ?? plan.header.freezes)
    .map(({ title, fromMs, toMs }) => ({
      title,
      fromMs: inPlanTime(fromMs, state),
      // It ends when the clock on the wall says so, if that is later.
      toMs: toMs - Math.min(0, state.skewMs),
    }))
    .filter(
      ({ title, toMs }) =>
        toMs > state.nowMs && !state.overrides.some((each) => each.class === 'freeze' && each.about === title),
    )
    .toSorted((a, b) => a.fromMs - b.fromMs);
}

/** When an agreed instant that ends something is reached, in plan time: never later than agreed. */
function inPlanTime(atMs: number, { skewMs }: RunState): number {
  return atMs - Math.max(0, skewMs);
}
