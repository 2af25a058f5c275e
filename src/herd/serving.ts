/**
 * Load on those who serve. A balancer shares a group's traffic among whoever is in service, so with L requests a second
 * and n servers each gets L / n; what one bears bounds how many may be away. Pure arithmetic.
 */

/** Rounding of one division is no overload. */
const ROUNDING = 1e-9;

/** Requests a second on each of so many servers, where the balancer sends one no more than `limitPerSecond`. Nobody serving: 0. */
export function loadOnEach(perSecond: number, serving: number, limitPerSecond: number | null = null): number {
  if (serving <= 0) return 0;
  return Math.min(perSecond / serving, limitPerSecond ?? Infinity);
}

/** The fewest servers that bear the traffic: ceil(L / C). */
export function leastServing(perSecond: number, capacityPerSecond: number): number {
  return Math.max(1, Math.ceil((perSecond / capacityPerSecond) * (1 - ROUNDING)));
}

/** The share of the traffic that a balancer with a limit a server answers itself: 1 - n * limit / L. */
export function shareAtTheEdge(perSecond: number, serving: number, limitPerSecond: number | null): number {
  if (limitPerSecond === null || perSecond <= 0) return 0;
  return Math.max(0, 1 - (serving * limitPerSecond) / perSecond);
}

/** Whether so much is more than a server bears. */
export function isAbove(perSecond: number, capacityPerSecond: number | null): boolean {
  return capacityPerSecond !== null && perSecond > capacityPerSecond * (1 + ROUNDING);
}

/**
 * The largest number that may be away at one time, of so many who serve, so that each of the others gets at most
 * `capacityPerSecond`. 0 or less: nobody may.
 */
export function mostAway(perSecond: number, serving: number, capacityPerSecond: number): number {
  return serving - leastServing(perSecond, capacityPerSecond);
}
