import type { ServerState } from './state.ts';

/**
 * Requests that wait for the database. Each waits for the timeout D, so in flight is what arrived in the last D
 * (Little: L = r * D once D has passed). Arrival rates are steps, so all of this is exact, without time steps.
 */
export type Pile = ServerState['pile'];

/** How many wait at `nowMs`. */
export function inFlight(pile: Pile, nowMs: number, timeoutMs: number): number {
  let sum = 0;
  for (const [index, { fromMs, perSecond }] of pile.entries()) {
    const untilMs = Math.min(nowMs, pile[index + 1]?.fromMs ?? nowMs);
    sum += (perSecond * Math.max(0, untilMs - Math.max(fromMs, nowMs - timeoutMs))) / 1_000;
  }
  return sum;
}

/** From now on so many arrive a second. Arrivals that have all left are forgotten. */
export function pileUp(pile: Pile, nowMs: number, perSecond: number, timeoutMs: number): void {
  if ((pile.at(-1)?.perSecond ?? 0) !== perSecond) pile.push({ fromMs: nowMs, perSecond });
  while ((pile[1]?.fromMs ?? Infinity) <= nowMs - timeoutMs) pile.shift();
  if (pile.length === 1 && pile[0]?.perSecond === 0) pile.length = 0;
}

/** When next the pile's growth changes, or it reaches `limit`; Infinity when nothing will happen by itself. */
export function nextOfPile(pile: Pile, nowMs: number, timeoutMs: number, limit: number): number {
  if (pile.length === 0) return Infinity;
  let nextMs = Infinity;
  let leaving = 0;
  for (const [index, { fromMs, perSecond }] of pile.entries()) {
    if (fromMs + timeoutMs > nowMs) nextMs = Math.min(nextMs, fromMs + timeoutMs);
    const untilMs = pile[index + 1]?.fromMs ?? Infinity;
    if (fromMs <= nowMs - timeoutMs && untilMs > nowMs - timeoutMs) leaving = perSecond;
  }
  const growthPerSecond = (pile.at(-1)?.perSecond ?? 0) - leaving;
  if (growthPerSecond <= 0) return nextMs;
  return Math.min(nextMs, nowMs + ((limit - inFlight(pile, nowMs, timeoutMs)) / growthPerSecond) * 1_000);
}
