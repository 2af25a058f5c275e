import type { PlanHeader } from '../../model/index.ts';

/** Where it is kept who has which server, and whom that keeps out. */
export function leaseLine({ lease }: Pick<PlanHeader, 'lease'>): string {
  return lease.guards === 'this machine only'
    ? "Claims: guards this machine only; each server's own record keeps other machines off."
    : `Claims: ${lease.store} guards against all operators who use it; each server's own record does so too.`;
}
