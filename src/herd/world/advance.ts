import { balance, checkHealth, nextCheckMs } from './balancer.ts';
import { databaseAnswers, databaseSwallows, beginFetch, finishFetch } from './database.ts';
import type { WorldOptions } from './options.ts';
import { inFlight, nextOfPile, pileUp } from './pile.ts';
import { finishBoot } from './power.ts';
import { isAlive, type ServerState, type World } from './state.ts';

/**
 * Lets the world's time pass until `toMs`. It jumps from event to event (an expiry, a pile that reaches memory's
 * end, a check, a boot), so ten quiet minutes cost little, and the result does not depend on how often it is called.
 * Call it before reading or changing anything. Going back in time does nothing.
 */
export function advance(world: World, toMs: number): void {
  settle(world);
  while (world.nowMs < toMs) {
    // Whole milliseconds keep two ways of cutting the same time in step with each other.
    world.nowMs = Math.min(toMs, Math.max(Math.ceil(nextEventMs(world)), Math.floor(world.nowMs) + 1));
    settle(world);
  }
}

/** Everything that is due at this moment; commands call it so that their effect is seen at once. */
export function settle(world: World): void {
  const { database, nowMs } = world;
  if (database.backAtMs !== null && database.backAtMs <= nowMs) {
    Object.assign(database, { state: 'up', backAtMs: null, busyUntilMs: nowMs });
  }
  checkHealth(world);
  for (const server of world.servers) {
    if (server.cutUntilMs !== null && server.cutUntilMs <= nowMs) server.cutUntilMs = null;
    finishBoot(world, server);
    finishFetch(world, server);
  }
  balance(world);
  for (const server of world.servers) settleServer(world, server);
}

/** Whether logged-in requests on this server look into its cache. */
export function needsCache(options: WorldOptions, server: ServerState): boolean {
  return !server.offline || options.needsCacheOffline;
}

/** A value that is absent counts as expired. */
export function isExpired(world: World, server: ServerState): boolean {
  return server.cache === null || world.nowMs >= server.cache.refreshedMs + server.cache.ttlMs;
}

/** How many requests wait on this server for a database that does not answer. */
export function waiting(world: World, server: ServerState): number {
  const { concurrencyLimit, databaseTimeoutMs } = world.options;
  return Math.min(concurrencyLimit ?? Infinity, inFlight(server.pile, world.nowMs, databaseTimeoutMs));
}

function settleServer(world: World, server: ServerState): void {
  const { options, nowMs } = world;
  if (!isAlive(server)) return;
  const { overloadPerSecond, databaseTimeoutMs } = options;
  if (
    server.ratePerSecond > 0 &&
    needsCache(options, server) &&
    isExpired(world, server) &&
    databaseAnswers(world, server)
  ) {
    beginFetch(world, server);
  }
  if (databaseAnswers(world, server) && server.fetch === null) server.pile.length = 0;
  pileUp(server.pile, nowMs, requestsWait(world, server) ? server.ratePerSecond : 0, databaseTimeoutMs);
  const full = waiting(world, server) >= roomFor(options) - 1e-6;
  if (full || server.ratePerSecond > (overloadPerSecond ?? Infinity)) server.hungAtMs = nowMs;
}

function requestsWait(world: World, server: ServerState): boolean {
  const { options } = world;
  if (!server.offline && databaseSwallows(world, server)) return true;
  if (!needsCache(options, server) || !isExpired(world, server)) return false;
  if (options.staleOnError && server.cache !== null) return false;
  return server.fetch !== null || databaseSwallows(world, server);
}

/** So many waiting requests fill the memory. */
function roomFor({ memory }: WorldOptions): number {
  return (memory.limitBytes - memory.baseBytes) / memory.perRequestBytes;
}

function nextEventMs(world: World): number {
  const { database, options } = world;
  let nextMs = Math.min(database.backAtMs ?? Infinity, nextCheckMs(world));
  for (const server of world.servers) {
    if (server.power === 'booting') nextMs = Math.min(nextMs, server.bootedAtMs);
    if (server.cutUntilMs !== null) nextMs = Math.min(nextMs, server.cutUntilMs);
    if (!isAlive(server)) continue;
    if (server.fetch !== null) nextMs = Math.min(nextMs, server.fetch.doneMs);
    if (server.cache !== null && needsCache(options, server) && !isExpired(world, server)) {
      nextMs = Math.min(nextMs, server.cache.refreshedMs + server.cache.ttlMs);
    }
    // With a cap the pile never fills the memory, so only changes of its growth count.
    const limit =
      options.concurrencyLimit !== null && options.concurrencyLimit < roomFor(options) ? Infinity : roomFor(options);
    nextMs = Math.min(nextMs, nextOfPile(server.pile, world.nowMs, options.databaseTimeoutMs, limit));
  }
  return nextMs;
}
