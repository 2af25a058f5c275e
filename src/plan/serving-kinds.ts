import type { ActStep, Decider, Serving } from '../model/index.ts';

/** What a step does to the part that its servers have in the service. */
export function servingOf(step: ActStep, kind: Decider | undefined): Serving | null {
  if (!kind) return null;
  const does = kind.serving ? kind.serving(step.input as never) : kind.alters.includes('power') ? 'restarts' : null;
  return step.releases !== null && does !== null ? oppositeOf(does) : does;
}

/** What its undo does. */
export function oppositeOf(does: Serving): Serving | null {
  switch (does) {
    case 'goes-offline':
      return 'comes-online';
    case 'comes-online':
      return 'goes-offline';
    case 'leaves-traffic':
      return 'takes-traffic';
    case 'takes-traffic':
      return 'leaves-traffic';
    case 'holds-admission':
      return 'frees-admission';
    case 'frees-admission':
      return 'holds-admission';
    default:
      return null;
  }
}

/** Whether it changes, there or on its way home, who has connections. */
export function opensConnections(does: Serving | null): boolean {
  return does !== null && does !== 'refreshes' && does !== 'holds-admission' && does !== 'frees-admission';
}
