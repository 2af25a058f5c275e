import type { PlanHeader } from '../../model/index.ts';

/** Where it is kept who has which server, and whom that keeps out. */
export function leaseLine({ lease }: Pick<PlanHeader, 'lease'>): string {
  return lease.guards === 'this machine only'
    ? 'Claims: guards this machine only; other machines are kept off by the record that each server keeps of the run that it belongs to.'
    : `Claims: ${lease.store} guards against all operators who use it, and so does the record that each server keeps of the run that it belongs to.`;
}
