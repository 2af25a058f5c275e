import type { PlanIndex } from './lines.ts';
import { fitsUntilMs, outlookOf } from './outlook.ts';
import type { Page } from './pages.ts';
import type { RunState } from './state.ts';
import { closesAtMs, opensAtMs, UNREAD, waitsForOpening } from './window.ts';
import { clockTime, duration } from './words.ts';

/** People are warned so long before the time for risk is over, in plan milliseconds: enough to decide to give it longer. */
const WARN_MS = 10 * 60_000;

/** And in a short window not for more than this part of it. */
const WARN_SHARE = 0.1;

/** What people are told of the window: that it becomes short, that it takes longer than planned, that it is over. */
export function windowPages(state: RunState, index: PlanIndex): Page[] {
  return [
    ...unreadPages(state),
    ...shortPages(state, index),
    ...plannedPages(state, index),
    ...overPages(state, index),
  ];
}

/** When the window's own time next makes something due; null: never again. */
export function windowWakeMs(state: RunState, index: PlanIndex): number | null {
  if (waitsForOpening(state)) return opensAtMs(state, index);
  const instants = [...shortInstants(state, index), plannedUntilMs(state, index), closesAtMs(state, index)];
  const ahead = instants.filter((atMs) => atMs !== null && atMs > state.nowMs).map(Number);
  return ahead.length > 0 ? Math.min(...ahead) : null;
}

/** When it must be looked at closely, or, once it is, when people are told and when it fits no more. */
function shortInstants(state: RunState, index: PlanIndex): readonly number[] {
  const untilMs = fitsUntilMs(state, index);
  if (untilMs === null) return [];
  if (state.nowMs < untilMs - warnMs(index)) return [untilMs - warnMs(index)];
  const outlook = outlookOf(state, index);
  return outlook === null ? [] : [outlook.latestMs - warnMs(index), outlook.latestMs + 1];
}

function warnMs({ plan }: PlanIndex): number {
  return Math.min(WARN_MS, plan.header.window.limitMs * WARN_SHARE);
}

/** Once: a calendar that cannot be read is tried again by itself. */
function unreadPages({ run, freezesUnread }: RunState): Page[] {
  if (freezesUnread === null) return [];
  return [
    {
      key: `freeze/unread/${freezesUnread.sinceMs}`,
      text: `Run ${run}: a calendar of freezes cannot be read: ${freezesUnread.why}. It is tried again by itself, and nothing more is taken until it can be read. To go on without it: neap override ${run} freeze ${UNREAD} --reason "..."`,
    },
  ];
}

/** In time for a person to do something about it. */
function shortPages(state: RunState, index: PlanIndex): Page[] {
  const untilMs = fitsUntilMs(state, index);
  if (untilMs === null || state.nowMs < untilMs - warnMs(index)) return [];
  const outlook = outlookOf(state, index);
  if (outlook === null || state.nowMs < outlook.latestMs - warnMs(index)) return [];
  const { step, end, latestMs } = outlook;
  const what =
    end.end === 'window'
      ? `the window closes at ${clockTime(end.atMs)}`
      : `"${end.title}" begins at ${clockTime(end.atMs)}`;
  const cure =
    end.end === 'window'
      ? `To give it longer: neap override ${state.run} window 30m --reason "..."`
      : `To go on in spite of it: neap override ${state.run} freeze "${end.title}" --reason "..."`;
  return [
    {
      key: `${end.end}/short/${end.atMs}`,
      text: `Run ${state.run}: ${what}, and "${step}" with the way home fits only until ${clockTime(latestMs)}. After that it takes nothing more and goes home. ${cure}`,
    },
  ];
}

function plannedUntilMs({ begunAtMs }: RunState, { plan }: PlanIndex): number | null {
  const { plannedMs } = plan.header.window;
  return plannedMs === null || begunAtMs === null ? null : begunAtMs + plannedMs;
}

function plannedPages(state: RunState, index: PlanIndex): Page[] {
  const untilMs = plannedUntilMs(state, index);
  if (untilMs === null || state.nowMs < untilMs) return [];
  return [
    {
      key: 'window/planned',
      text: `Run ${state.run} takes longer than the ${duration(index.plan.header.window.plannedMs ?? 0)} that were planned. It goes on; its window closes at ${clockTime(closesAtMs(state, index))}. See: neap status ${state.run}`,
    },
  ];
}

/** What is under way then only gives back, or holds what it cannot give back yet. */
function overPages(state: RunState, index: PlanIndex): Page[] {
  const atMs = closesAtMs(state, index);
  if (waitsForOpening(state) || state.nowMs < atMs) return [];
  return [
    {
      key: `window/over/${atMs}`,
      text: `Run ${state.run}: its window closed at ${clockTime(atMs)} and it is not at its end. It takes nothing more, and goes on giving back what was taken. See: neap status ${state.run}`,
    },
  ];
}
