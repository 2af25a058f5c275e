import { FailureError, type Plan } from '../model/index.ts';
import type { Outline } from '../plan/index.ts';
import { leaseOf } from './lease/open.ts';
import type { Order } from './runs.ts';

/** Other code than the plan was made with is another plan (exit 6). */
export class StalePlan extends FailureError {}

/** What an engine is started for. Whoever only goes home may do so with another neap than the plan was made with. */
export type Purpose = 'start' | 'resume' | 'home';

/** Which code, fleet and runbook there are now. */
export interface Present {
  readonly neap: string;
  readonly fleet: string;
  readonly runbook: string;
}

/** Why a plan is not for what there is now. */
export interface Stale {
  readonly why: string;
  /** A run of it can still be taken home as things are. */
  readonly mayGoHome: boolean;
  /** How it is put back as it was when the plan was made, where that has a name. */
  readonly putBack?: string;
}

/** Whether a plan is for what there is now; null: it is. */
export function staleness({ lease }: Order, { header }: Plan, now: Present): Stale | null {
  const isOther = header.neap !== now.neap;
  const versions = `made by neap ${header.neap}, and this is ${now.neap}`;
  // A runbook that ships is another one with another neap.
  const changed = (what: string): Stale => ({
    why: `${what} was changed since${isOther ? ` (the plan was ${versions})` : ''}`,
    mayGoHome: false,
  });
  if (header.fleet.digest !== now.fleet) return changed(`the fleet ${header.fleet.path}`);
  if (header.runbook.digest !== now.runbook) return changed(`the runbook ${header.runbook.path}`);
  const { store } = leaseOf(lease);
  if (header.lease.store !== store) {
    const why = `it keeps its claims in ${header.lease.store}, and neap.config.ts now says ${store}`;
    return { why, mayGoHome: false };
  }
  return isOther ? { why: `it was ${versions}`, mayGoHome: true, putBack: `Install neap ${header.neap} again` } : null;
}

/**
 * A kind can come from a file of its own, beside the runbook: its version says whether it is the one that was planned
 * with. On the way home a kind reads the changes of its earlier versions, and where it cannot, that undo fails by name.
 */
export function strangeKind({ header }: Plan, { kinds }: Outline): Stale | null {
  const now = new Map([...kinds.values()].map(({ name, version }) => [name, version]));
  const other = header.kinds.find(({ name, version }) => now.has(name) && now.get(name) !== version);
  if (!other) return null;
  const why = `it was made with version ${other.version} of the step kind ${other.name}, and this is version ${now.get(other.name)}`;
  return { why, mayGoHome: true };
}

/** What is wrong, with what to do: a run that is under way is not made anew. */
export function stalePlan(run: string, stale: Stale, purpose: Purpose): StalePlan {
  const { why, mayGoHome, putBack = 'Put that back as it was when the plan was made' } = stale;
  return new StalePlan({
    kind: 'condition',
    what: `the plan is stale: ${why}`,
    where: `run ${run}`,
    state: purpose === 'start' ? 'Nothing was started' : 'The run is as its last engine left it',
    remedy:
      purpose === 'start'
        ? 'Make it anew: neap plan RUNBOOK, look at it, and run that'
        : `${putBack}, then: neap ${purpose === 'home' ? 'abort' : 'resume'} ${run}${mayGoHome ? `. Or take it home as things are: neap abort ${run}` : ''}`,
  });
}

/** Throws StalePlan for a plan that was to be run earlier. */
export function refuseOld(run: string, notAfterMs: number, nowMs: number): void {
  if (nowMs > notAfterMs)
    throw stalePlan(run, { why: 'it was to be run within a week of being made', mayGoHome: false }, 'start');
}
