import { drawBetween } from './chance.ts';
import type { ServerState, World } from './state.ts';

/** Whether the database answers from this server: it is up, and the server's own path is not cut. */
export function databaseAnswers(world: World, server: ServerState): boolean {
  return world.database.state === 'up' && server.cutUntilMs === null;
}

/** Whether a request that needs the database waits for the timeout, rather than being refused at once. */
export function databaseSwallows(world: World, server: ServerState): boolean {
  return world.database.state === 'away' || server.cutUntilMs !== null;
}

/** Takes the database away, makes it refuse, or brings it back; `backAtMs` brings it back by itself. */
export function setDatabase(world: World, state: 'up' | 'away' | 'refusing', backAtMs: number | null = null): void {
  world.database.state = state;
  world.database.backAtMs = state === 'up' ? null : backAtMs;
  if (state === 'up') world.database.busyUntilMs = world.nowMs;
}

/**
 * Starts a refresh of the server's cache, unless one is under way. Refreshes queue at the database's capacity: one
 * that would wait longer than the timeout fails after it, and has used capacity all the same.
 */
export function beginFetch(world: World, server: ServerState): void {
  if (server.fetch !== null) return;
  const { database, options, nowMs } = world;
  const waitMs = Math.max(0, database.busyUntilMs - nowMs);
  database.busyUntilMs = nowMs + waitMs + 1_000 / options.capacityPerSecond;
  count(world);
  const fails = waitMs > options.databaseTimeoutMs;
  server.fetch = { doneMs: nowMs + Math.ceil(fails ? options.databaseTimeoutMs : waitMs), fails };
  finishFetch(world, server);
}

/** Ends a refresh whose time has come: a new value of age 0, or none when it failed or the database went away. */
export function finishFetch(world: World, server: ServerState): void {
  const { fetch } = server;
  if (fetch === null || fetch.doneMs > world.nowMs) return;
  server.fetch = null;
  if (fetch.fails || !databaseAnswers(world, server)) return;
  const { ttl } = world.options;
  const ttlMs = ttl.drawn === 'per-server' ? server.ownTtlMs : drawBetween(world, ttl.minMs, ttl.maxMs);
  server.cache = { refreshedMs: world.nowMs, ttlMs };
}

function count(world: World): void {
  const { database } = world;
  const second = Math.floor(world.nowMs / 1_000);
  database.inSecond = second === database.second ? database.inSecond + 1 : 1;
  database.second = second;
  database.refreshes += 1;
  database.peakPerSecond = Math.max(database.peakPerSecond, database.inSecond);
}
