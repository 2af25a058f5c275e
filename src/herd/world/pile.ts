import { NEVER } from './agenda.ts';
import type { ServerState } from './state.ts';

/**
 * Requests that wait for the database: those who arrived from `fromMs` until the next entry's start, so many a second,
 * each of whom leaves after `waitMs`, answered or failed. Rates are steps, so all of this is exact, without time steps
 * (Little: in flight is r * D once D has passed).
 */
export type Pile = ServerState['pile'];

/** How many wait at `nowMs`. */
export function inFlight(pile: Pile, nowMs: number): number {
  let sum = 0;
  for (let at = 0; at < pile.length; at += 1) {
    const entry = pile[at];
    if (entry === undefined) break;
    const { fromMs, perSecond, waitMs } = entry;
    const untilMs = Math.min(nowMs, pile[at + 1]?.fromMs ?? nowMs);
    sum += (perSecond * Math.max(0, untilMs - Math.max(fromMs, nowMs - waitMs))) / 1_000;
  }
  return sum;
}

/** How many leave a second right after `nowMs`. */
export function leaving(pile: Pile, nowMs: number): number {
  let sum = 0;
  for (let at = 0; at < pile.length; at += 1) {
    const entry = pile[at];
    if (entry === undefined) break;
    const { fromMs, perSecond, waitMs } = entry;
    const untilMs = pile[at + 1]?.fromMs ?? NEVER;
    if (fromMs <= nowMs - waitMs && untilMs > nowMs - waitMs) sum += perSecond;
  }
  return sum;
}

/** Who left after `fromMs` and by `toMs`, and when the first of them failed. */
export function left(
  pile: Pile,
  fromMs: number,
  toMs: number,
): { readonly answered: number; readonly failed: number; readonly failedFromMs: number } {
  let [answered, failed, failedFromMs] = [0, 0, NEVER];
  for (let at = 0; at < pile.length; at += 1) {
    const entry = pile[at];
    if (entry === undefined) break;
    const beginMs = Math.max(fromMs, entry.fromMs + entry.waitMs);
    const endMs = Math.min(toMs, (pile[at + 1]?.fromMs ?? toMs) + entry.waitMs);
    if (endMs <= beginMs || entry.perSecond === 0) continue;
    const count = (entry.perSecond * (endMs - beginMs)) / 1_000;
    if (!entry.fails) answered += count;
    else {
      failed += count;
      failedFromMs = Math.min(failedFromMs, beginMs);
    }
  }
  return { answered, failed, failedFromMs };
}

/** From now on so many arrive a second, and wait so long. Arrivals that have all left are forgotten. */
export function pileUp(pile: Pile, nowMs: number, perSecond: number, wait: { waitMs: number; fails: boolean }): void {
  const last = pile.at(-1);
  const same = last && last.perSecond === perSecond && last.waitMs === wait.waitMs && last.fails === wait.fails;
  if (last === undefined ? perSecond > 0 : !same && (perSecond > 0 || last.perSecond > 0)) {
    pile.push({ fromMs: nowMs, perSecond, ...wait });
  }
  while (pile.length > 1 && (pile[1]?.fromMs ?? NEVER) + (pile[0]?.waitMs ?? 0) <= nowMs) pile.shift();
  if (pile.length === 1 && pile[0]?.perSecond === 0) pile.length = 0;
}

/** When next the pile's growth changes, or it reaches `limit`; NEVER when nothing will happen by itself. */
export function nextOfPile(pile: Pile, nowMs: number, limit: number): number {
  let nextMs = NEVER;
  for (let at = 0; at < pile.length; at += 1) {
    const entry = pile[at];
    if (entry === undefined) break;
    const { fromMs, waitMs } = entry;
    if (fromMs + waitMs > nowMs) nextMs = Math.min(nextMs, fromMs + waitMs);
    const until = pile[at + 1];
    if (until && until.fromMs + waitMs > nowMs) nextMs = Math.min(nextMs, until.fromMs + waitMs);
  }
  const growthPerSecond = (pile.at(-1)?.perSecond ?? 0) - leaving(pile, nowMs);
  if (growthPerSecond <= 1e-9) return nextMs;
  return Math.min(nextMs, nowMs + (Math.max(0, limit - inFlight(pile, nowMs)) / growthPerSecond) * 1_000);
}
