import { FailureError, type Plan } from '../model/index.ts';
import type { Outline } from '../plan/index.ts';
import { leaseOf } from './lease/open.ts';
import type { Order } from './runs.ts';

/** Other code than the plan was made with is another plan (exit 6). */
export class StalePlan extends FailureError {}

/** Which code, fleet and runbook there are now. */
export interface Present {
  readonly neap: string;
  readonly fleet: string;
  readonly runbook: string;
}

/** Why a plan is not for what there is now; null when it is. */
export function staleness({ lease }: Order, { header }: Plan, now: Present): string | null {
  if (header.neap !== now.neap) return `it was made by neap ${header.neap}, and this is ${now.neap}`;
  if (header.fleet.digest !== now.fleet) return `the fleet ${header.fleet.path} was changed since`;
  if (header.runbook.digest !== now.runbook) return `the runbook ${header.runbook.path} was changed since`;
  const { store } = leaseOf(lease);
  if (header.lease.store === store) return null;
  return `it keeps its claims in ${header.lease.store}, and neap.config.ts now says ${store}`;
}

/** A kind can come from a file of its own, beside the runbook: its version says whether it is the one that was planned with. */
export function strangeKind({ header }: Plan, { kinds }: Outline): string | null {
  const now = new Map([...kinds.values()].map(({ name, version }) => [name, version]));
  const other = header.kinds.find(({ name, version }) => now.has(name) && now.get(name) !== version);
  if (!other) return null;
  return `it was made with version ${other.version} of the step kind ${other.name}, and this is version ${now.get(other.name)}`;
}

/** What is wrong, with what to do: a run that is under way is not made anew. */
export function stalePlan(run: string, why: string, mode: 'start' | 'resume'): StalePlan {
  return new StalePlan({
    kind: 'condition',
    what: `the plan is stale: ${why}`,
    where: run,
    state: mode === 'start' ? 'Nothing was started' : 'The run is as its last engine left it',
    remedy:
      mode === 'start'
        ? 'Make it anew: neap plan RUNBOOK, look at it, and run that'
        : `Put that back as it was when the plan was made, then: neap resume ${run}`,
  });
}

/** Throws StalePlan for a plan that was to be run earlier. */
export function refuseOld(run: string, notAfterMs: number, nowMs: number): void {
  if (nowMs > notAfterMs) throw stalePlan(run, 'it was to be run within a week of being made', 'start');
}
