import { inFlight, left } from './pile.ts';
import type { ServerState, World } from './state.ts';

/** How many requests met which end. What arrived is the sum of these and of those who still wait. */
export interface Flow {
  arrived: number;
  answered: number;
  /** Turned away at once, by a full server or by a balancer that has nobody to send them to. */
  refused: number;
  /** Got an error, late or at once, or silence. */
  failed: number;
}

const NOBODY = { answered: 0, failed: 0, failedFromMs: 0 };

/** Nothing yet. */
export function noFlow(): Flow {
  return { arrived: 0, answered: 0, refused: 0, failed: 0 };
}

/**
 * Brings a server's account up to now: what its last settling said of arrivals has held since. Call it before anything
 * that changes their fate.
 */
export function account(world: World, server: ServerState): void {
  const { nowMs, tally } = world;
  const spanMs = nowMs - server.flowMs;
  if (spanMs <= 0) return;
  const { flow, goes, pile } = server;
  const gone = pile.length === 0 ? NOBODY : left(pile, server.flowMs, nowMs);
  const share = spanMs / 1_000;
  flow.arrived += (goes.answered + goes.refused + goes.failed + goes.waits) * share;
  flow.answered += goes.answered * share + gone.answered;
  flow.refused += goes.refused * share;
  flow.failed += goes.failed * share + gone.failed;
  if (tally.firstFailedMs === null) {
    if (goes.failed + goes.refused > 0) tally.firstFailedMs = server.flowMs;
    else if (gone.failed > 0) tally.firstFailedMs = gone.failedFromMs;
  }
  server.flowMs = nowMs;
}

/** Those who wait on this server leave it now, all at once. */
export function letGo(world: World, server: ServerState, how: 'answered' | 'failed'): void {
  account(world, server);
  const count = inFlight(server.pile, world.nowMs);
  server.flow[how] += count;
  if (how === 'failed' && count > 0) world.tally.firstFailedMs ??= world.nowMs;
  world.tally.peakInFlight = Math.max(world.tally.peakInFlight, count);
  server.pile.length = 0;
}

/** The same for what never reaches a server. */
export function accountEdge(world: World): void {
  const { edge, nowMs, tally } = world;
  const share = (nowMs - edge.flowMs) / 1_000;
  if (share <= 0) return;
  edge.arrived += (edge.refusedPerSecond + edge.pagedPerSecond) * share;
  edge.refused += edge.refusedPerSecond * share;
  edge.paged += edge.pagedPerSecond * share;
  if (edge.refusedPerSecond > 0) tally.firstFailedMs ??= edge.flowMs;
  edge.flowMs = nowMs;
}

/** The whole service's account at this moment; `paged` got the maintenance page, which is an answer. */
export interface Account extends Flow {
  readonly paged: number;
  readonly waiting: number;
}

/** Adds up everybody's account. */
export function accountOf(world: World): Account {
  accountEdge(world);
  const { edge, servers, nowMs } = world;
  const sum = { ...noFlow(), arrived: edge.arrived, refused: edge.refused, paged: edge.paged, waiting: 0 };
  for (const server of servers) {
    account(world, server);
    sum.arrived += server.flow.arrived;
    sum.answered += server.flow.answered;
    sum.refused += server.flow.refused;
    sum.failed += server.flow.failed;
    if (server.pile.length > 0) sum.waiting += inFlight(server.pile, nowMs);
  }
  return sum;
}
