import type { OverrideClass, RunEvent } from './events.ts';
import { isFuseOverridden } from './fuse.ts';
import { trackOf, type PlanIndex } from './lines.ts';
import { outlookOf } from './outlook.ts';
import type { RunState } from './state.ts';
import { closesAtMs, freezesAhead, UNREAD, waitsForOpening } from './window.ts';
import { clockTime, duration } from './words.ts';

/** Nobody makes a window longer by more than this at once, in plan milliseconds. */
const LONGER_MAX_MS = 12 * 60 * 60_000;

/** What a person asks for. `about`: what it is about, where there is a choice; for the window, until when. */
export interface OverrideWish {
  readonly class: Exclude<OverrideClass, 'lease'>;
  readonly about: string | null;
  /** For the window: the instant until which it shall be open. */
  readonly untilMs: number | null;
  readonly by: string;
  readonly reason: string;
}

type Overrode = Extract<RunEvent, { type: 'overrode' }>;

/**
 * A person's decision against what stops the run, as an event; a string says why there is nothing to override. It
 * speaks of risk only: what gives back was never stopped.
 */
export function overrideOf(state: RunState, index: PlanIndex, wish: OverrideWish): Overrode | string {
  if (state.mode === 'home' && wish.class !== 'mirror')
    return 'the run is on its way home: it takes nothing more, and what it gives back needs no override';
  switch (wish.class) {
    case 'window':
      return overWindow(state, index, wish);
    case 'freeze':
      return overFreeze(state, index, wish);
    case 'guard':
      return overGuard(state, index, wish);
    case 'fuse':
      return overFuse(state, index, wish);
    case 'mirror':
      return state.mirrorBehind === null
        ? 'the mirror is not behind: there is nothing to override'
        : event(wish, 'mirror');
  }
}

/** Open until that instant instead: for as long as a person said, and no longer. The way home must still fit into it. */
function overWindow(state: RunState, index: PlanIndex, wish: OverrideWish): Overrode | string {
  const { untilMs } = wish;
  if (waitsForOpening(state)) return 'the window has not opened: make a plan with another one';
  if (untilMs === null) return 'say how much longer, or until when: 30m, or 2026-12-01T04:00Z';
  const closes = closesAtMs(state, index);
  const outlook = outlookOf(state, index);
  if (outlook === null) return 'no more risk is ahead in this run: the window stops nothing any more';
  if (untilMs - Math.max(0, state.skewMs) <= closes)
    return `the window is open until ${clockTime(closes)} already, and an override does not make it shorter`;
  if (untilMs - closes > LONGER_MAX_MS)
    return `a window is made longer by ${duration(LONGER_MAX_MS)} at most: that is another window, and another plan`;
  return { ...event(wish, `until ${clockTime(untilMs)}`), untilMs };
}

function overFreeze(state: RunState, index: PlanIndex, wish: OverrideWish): Overrode | string {
  if (state.freezesUnread !== null && (wish.about === null || wish.about === UNREAD)) return event(wish, UNREAD);
  const titles = [...new Set(freezesAhead(state, index).map(({ title }) => title))];
  const about = wish.about ?? titles[0];
  if (about === undefined) return 'no freeze stands in the way of this run';
  if (!titles.includes(about))
    return `no freeze called "${about}" stands in the way of this run${titles.length > 0 ? `: ${titles.map((title) => `"${title}"`).join(', ')}` : ''}`;
  return event(wish, about);
}

function overGuard(state: RunState, { plan }: PlanIndex, wish: OverrideWish): Overrode | string {
  const { guards } = plan.header;
  const stopping = guards.filter(({ id }) => {
    const standing = state.guards[id]?.standing;
    return standing === undefined || standing === 'trip' || standing === 'no-data';
  });
  const named = guards.find(({ id, title }) => id === wish.about || title === wish.about);
  if (guards.length === 0) return 'the plan has no guard';
  if (wish.about !== null && !named)
    return `the plan has no guard ${wish.about}: ${guards.map(({ id }) => id).join(', ')}`;
  if (named && !stopping.includes(named))
    return `guard ${named.id} stops nothing: it is ${state.guards[named.id]?.standing}`;
  if (!named && stopping.length > 1) return `say which guard: ${stopping.map(({ id }) => id).join(', ')}`;
  const guard = named ?? stopping[0];
  return guard ? event(wish, guard.id) : 'no guard stops the run';
}

/** The outage begins although no expiry can be refreshed in it: load is shed before the first one, if the plan says how. */
function overFuse(state: RunState, { plan }: PlanIndex, wish: OverrideWish): Overrode | string {
  const main = trackOf(state, 'main');
  const gates = plan.header.steps.filter(
    (step, at) => step.step === 'gate' && step.fuse !== null && at >= (main?.cursor ?? 0),
  );
  if (gates.length === 0) return 'no outage is ahead in this run that a fuse has to cover';
  return isFuseOverridden(state) ? 'the fuse is overridden already' : event(wish, 'fuse');
}

function event({ class: overridden, by, reason }: OverrideWish, about: string): Overrode {
  return { type: 'overrode', class: overridden, about, by, reason };
}
