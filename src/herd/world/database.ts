import { touchAll } from './agenda.ts';
import { drawBetween } from './chance.ts';
import type { DatabaseState, ServerState, World } from './state.ts';

/** Whether the database answers from this server: it is up, and the server's own path is not cut. */
export function databaseAnswers(world: World, server: ServerState): boolean {
  return world.database.state === 'up' && server.cutUntilMs === null;
}

/** Whether a request that needs the database waits, rather than being refused at once. */
export function databaseSwallows(world: World, server: ServerState): boolean {
  return world.database.state === 'away' || world.database.state === 'hanging' || server.cutUntilMs !== null;
}

/** How long a request that needs the database waits there now, and how that ends. */
export function databaseWait(world: World, server: ServerState): { readonly waitMs: number; readonly fails: boolean } {
  const { options, database } = world;
  const { databaseTimeoutMs, refusedWaitMs } = server.traits;
  if (databaseAnswers(world, server)) {
    const fails = database.slowMs > databaseTimeoutMs;
    return { waitMs: fails ? databaseTimeoutMs : database.slowMs, fails };
  }
  if (!databaseSwallows(world, server)) return { waitMs: refusedWaitMs, fails: true };
  const hangs = server.cutUntilMs === null && database.state === 'hanging';
  return { waitMs: hangs ? options.hangTimeoutMs : databaseTimeoutMs, fails: true };
}

/**
 * Takes the database away, makes it refuse, lets it hang with its doors open, or brings it back; `backAtMs` brings it
 * back by itself.
 */
export function setDatabase(world: World, state: DatabaseState['state'], backAtMs: number | null = null): void {
  world.database.state = state;
  world.database.backAtMs = state === 'up' ? null : backAtMs;
  if (state === 'up') world.database.busyUntilMs = world.nowMs;
  touchAll(world);
}

/** Every answer of the database takes so much longer. 0: as ever. */
export function slowDatabase(world: World, slowMs: number): void {
  world.database.slowMs = slowMs;
  touchAll(world);
}

/** A refresh that failed is not tried again sooner than this: somebody must come who needs it. */
const AGAIN_MS = 500;

/**
 * Starts a refresh of the server's cache, unless one is under way. Refreshes queue at the database's capacity: one
 * that would wait longer than the timeout fails after it, and has used capacity all the same.
 */
export function beginFetch(world: World, server: ServerState): void {
  if (server.fetch !== null) return;
  const { database, options, nowMs } = world;
  const { databaseTimeoutMs } = server.traits;
  const waitMs = Math.max(0, database.busyUntilMs - nowMs);
  database.busyUntilMs = nowMs + waitMs + 1_000 / options.capacityPerSecond;
  count(world);
  const tookMs = waitMs + database.slowMs;
  const fails = tookMs > databaseTimeoutMs;
  server.fetch = { doneMs: nowMs + Math.ceil(fails ? Math.max(databaseTimeoutMs, AGAIN_MS) : tookMs), fails };
  finishFetch(world, server);
}

/** Ends a refresh whose time has come: a new value of age 0, or none when it failed or the database went away. */
export function finishFetch(world: World, server: ServerState): void {
  const { fetch } = server;
  if (fetch === null || fetch.doneMs > world.nowMs) return;
  server.fetch = null;
  if (fetch.fails || !databaseAnswers(world, server)) return;
  const { ttl } = server.traits;
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
