import { touch } from './agenda.ts';
import { isExpired, needsCache, settle, waiting } from './advance.ts';
import { beginFetch, databaseAnswers, databaseSwallows, databaseWait } from './database.ts';
import { isAlive, type ServerState, type World } from './state.ts';

/** What a command did, and how long it took to know. `changed: false`: it was so already. */
export interface Told {
  readonly ok: boolean;
  readonly changed: boolean;
  readonly tookMs: number;
}

/**
 * Switches to offline mode, which resets the cache: a new value is fetched first, so it needs the database. Without
 * one it fails after the timeout and changes nothing. A server that is offline already keeps its cache.
 */
export function enterOffline(world: World, server: ServerState): Told {
  if (server.offline) return { ok: true, changed: false, tookMs: 0 };
  const told = refreshCache(world, server);
  if (told.ok) server.offline = true;
  // The old value is gone from the moment that the new one is asked for.
  if (server.fetch !== null) server.cache = null;
  world.balancer.stale ||= world.options.offlineLeaves;
  touch(world, server);
  settle(world);
  return told;
}

/** Leaves offline mode; from then on every logged-in request needs the database. */
export function leaveOffline(world: World, server: ServerState): Told {
  const changed = server.offline;
  server.offline = false;
  world.balancer.stale ||= world.options.offlineLeaves;
  touch(world, server);
  settle(world);
  return { ok: true, changed, tookMs: 0 };
}

/** Fetches a new value now, of age 0, whatever the old one's age. */
export function refreshCache(world: World, server: ServerState): Told {
  if (!databaseAnswers(world, server)) return { ok: false, changed: false, tookMs: databaseDelayMs(world, server) };
  beginFetch(world, server);
  const { fetch } = server;
  const told = {
    ok: fetch?.fails !== true,
    changed: fetch?.fails !== true,
    tookMs: fetch === null ? 0 : Math.min(fetch.doneMs - world.nowMs, server.traits.databaseTimeoutMs),
  };
  touch(world, server);
  settle(world);
  return told;
}

/** Age and time to live of the cache; null when it is empty. */
export function cacheOf(world: World, server: ServerState): { readonly ageMs: number; readonly ttlMs: number } | null {
  return server.cache === null ? null : { ageMs: world.nowMs - server.cache.refreshedMs, ttlMs: server.cache.ttlMs };
}

/** Cuts the server's own path to the database until `untilMs`, when the cut removes itself. */
export function cutPath(world: World, server: ServerState, untilMs: number): void {
  server.cutUntilMs = untilMs;
  touch(world, server);
  settle(world);
}

/** Takes the cut away before its time. Says whether there was one. */
export function restorePath(world: World, server: ServerState): boolean {
  const cut = server.cutUntilMs !== null;
  server.cutUntilMs = null;
  touch(world, server);
  settle(world);
  return cut;
}

/** How long this server waits before it knows that the database does not answer. */
export function databaseDelayMs(world: World, server: ServerState): number {
  return databaseSwallows(world, server) ? databaseWait(world, server).waitMs : 0;
}

/** Puts a server into the balancer's rotation or takes it out. Says whether that changed anything. */
export function setRotation(world: World, server: ServerState, inRotation: boolean): boolean {
  const changed = server.inRotation !== inRotation;
  server.inRotation = inRotation;
  world.balancer.stale ||= changed;
  settle(world);
  return changed;
}

/** The balancer sends a server no more than that, and answers the rest itself; null: whatever comes. Says whether that changed anything. */
export function setLimit(world: World, server: ServerState, perSecond: number | null): boolean {
  const changed = server.limitPerSecond !== perSecond;
  server.limitPerSecond = perSecond;
  world.balancer.stale ||= changed;
  settle(world);
  return changed;
}

/** The balancer answers everything with its own page, or stops doing so. */
export function setPage(world: World, on: boolean): boolean {
  const changed = world.balancer.page !== on;
  world.balancer.page = on;
  world.balancer.stale ||= changed;
  settle(world);
  return changed;
}

/** Traffic becomes so many times what is usual. */
export function setLoad(world: World, times: number): void {
  world.balancer.load = times;
  world.balancer.stale = true;
  settle(world);
}

/** The balancer lets in this share of the traffic from now on, and answers the rest with its page. */
export function setAdmission(world: World, share: number): void {
  world.balancer.admits = share;
  world.balancer.stale = true;
  settle(world);
}

/** What a request got, and how long it took. */
export interface Answer {
  readonly status: number;
  readonly tookMs: number;
}

/** What one request to this server meets now. Null: silence, for the server is hung, booting or off. */
export function request(world: World, server: ServerState, kind: 'health' | 'anonymous' | 'logged-in'): Answer | null {
  const { options } = world;
  if (!isAlive(server)) return null;
  const served: Answer = { status: 200, tookMs: 20 };
  if (kind !== 'logged-in') return served;
  const answers = databaseAnswers(world, server);
  if (needsCache(options, server) && isExpired(world, server) && answers) {
    beginFetch(world, server);
    touch(world, server);
  }
  const lacksDatabase = !server.offline && !answers;
  const expired = needsCache(options, server) && isExpired(world, server);
  const stale = options.staleOnError && server.cache !== null;
  if (!lacksDatabase && (!expired || stale)) return served;
  if (waiting(world, server) >= (server.traits.concurrencyLimit ?? Infinity)) return { status: 503, tookMs: 0 };
  if (answers && server.fetch !== null)
    return {
      status: server.fetch.fails ? 503 : 200,
      tookMs: Math.min(server.fetch.doneMs - world.nowMs, server.traits.databaseTimeoutMs),
    };
  return { status: 503, tookMs: databaseDelayMs(world, server) };
}
