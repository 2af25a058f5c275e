import type { ActStep } from '../model/index.ts';
import type { PlanIndex } from './lines.ts';
import { contingencyStops } from './recoveries.ts';
import { isOverridden } from './standings.ts';
import type { RunState } from './state.ts';
import { UNREAD } from './window.ts';

/** Something that stops risk until it is over or a person overrides it. It is paged once a key. */
export interface Stop {
  readonly key: string;
  readonly why: string;
}

/** What stops this step from being begun on any further server now: never something that gives back (promise 7). */
export function stopsOf(state: RunState, step: ActStep, index: PlanIndex): readonly Stop[] {
  if (step.nature !== 'risk') return [];
  return [
    ...leaseStops(state),
    ...calendarStops(state),
    ...guardStops(state, step, index),
    ...contingencyStops(state, index),
  ];
}

function leaseStops({ leaseLost }: RunState): Stop[] {
  if (leaseLost === null) return [];
  return [{ key: `lease/${leaseLost.sinceMs}`, why: `the store of claims does not answer: ${leaseLost.seen}` }];
}

/** Where it is not known whether a freeze has begun, nothing is. */
function calendarStops({ freezesUnread, overrides }: RunState): Stop[] {
  if (freezesUnread === null || overrides.some((each) => each.class === 'freeze' && each.about === UNREAD)) return [];
  return [
    {
      key: `freeze/unread/${freezesUnread.sinceMs}`,
      why: `a calendar of freezes cannot be read: ${freezesUnread.why}`,
    },
  ];
}

/** A guard without data is tripped (promise 7), and so is one that was never read. */
function guardStops(state: RunState, step: ActStep, { plan }: PlanIndex): Stop[] {
  return plan.header.guards
    .filter(({ covers }) => covers.includes(step.id))
    .flatMap(({ id, title }) => {
      const guard = state.guards[id];
      if (guard?.standing === 'clear' || guard?.standing === 'warn') return [];
      if (isOverridden(state, id)) return [];
      if (!guard) return [{ key: `guard/${id}/unread`, why: `guard "${title}" was not read yet` }];
      const words = guard.standing === 'trip' ? 'is tripped' : 'has no data';
      return [{ key: `guard/${id}/${guard.onsetAtMs}`, why: `guard "${title}" ${words}: ${guard.seen}` }];
    });
}
