import { instantText } from '../../engine/index.ts';
import type { PlanHeader } from '../../model/index.ts';
import {
  closesAtMs,
  clockTime,
  duration,
  freezesAhead,
  opensAtMs,
  outlookOf,
  waitsForOpening,
  type Machine,
  type RunState,
} from '../../run/index.ts';

/** How many freezes a screen names. */
const FREEZES_MAX = 5;

/** When a plan may be run and how long that is meant to take, in its zone and in UTC. */
export function planWindowLines({ window, freezes }: PlanHeader): string[] {
  const { opensAtMs: opens, closesAtMs: closes, plannedMs, zone, limitMs } = window;
  const agreed = [
    ...(opens === null ? [] : [`opens ${instantText(opens, zone)}`]),
    ...(closes === null ? [] : [`closes ${instantText(closes, zone)}`]),
    ...(opens === null || closes === null ? [] : [`${duration(Math.min(closes - opens, limitMs))} of it for this run`]),
    ...(plannedMs === null ? [] : [`${duration(plannedMs)} are planned`]),
  ];
  const shown = freezes.slice(0, FREEZES_MAX);
  return [
    ...(agreed.length > 0 ? [`Window: ${agreed.join('; ')}.`] : []),
    ...shown.map(
      ({ title, fromMs, toMs }) => `Freeze: "${title}", ${instantText(fromMs, zone)} to ${instantText(toMs, zone)}`,
    ),
    ...(freezes.length > shown.length ? [`and ${freezes.length - shown.length} more freezes`] : []),
  ];
}

/** How a run's window stands: what it waits for, when it closes, until when risk still fits, and who decided otherwise. */
export function runWindowLines(state: RunState, { index }: Machine): string[] {
  const { zone } = index.plan.header.window;
  const at = (atMs: number): string => (zone === null ? clockTime(atMs) : instantText(atMs + state.skewMs, zone));
  const opens = opensAtMs(state, index);
  const overridden = state.overrides.map((each) => `Overridden by ${each.by}: ${each.class} (${each.about}).`);
  if (waitsForOpening(state) && opens !== null)
    return [`Window: opens ${at(opens)}, in ${duration(opens - state.nowMs)}.`, ...overridden];
  const outlook = state.closed ? null : outlookOf(state, index);
  const [freeze] = state.closed ? [] : freezesAhead(state, index);
  return [
    `Window: opened ${at(state.begunAtMs ?? state.openedAtMs)}, closes ${at(closesAtMs(state, index))}.`,
    ...(outlook === null
      ? []
      : [`Risk: "${outlook.step}" with the way home behind it fits until ${at(outlook.latestMs)}.`]),
    ...(freeze && outlook?.end.end === 'freeze' ? [`Freeze: "${freeze.title}" begins ${at(freeze.fromMs)}.`] : []),
    ...overridden,
  ];
}
