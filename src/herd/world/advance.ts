import { dueBy, firstDueMs, NEVER, setDue, touchAll } from './agenda.ts';
import { balance, checkHealth, nextCheckMs } from './balancer.ts';
import { beginFetch, databaseAnswers, databaseSwallows, databaseWait, finishFetch } from './database.ts';
import { account, letGo } from './flow.ts';
import { failingShare, judgeFront, nextOfFront, settleFront } from './front.ts';
import type { WorldOptions } from './options.ts';
import { inFlight, leaving, nextOfPile, pileUp } from './pile.ts';
import { finishBoot } from './power.ts';
import { die, isAlive, type ServerState, type World } from './state.ts';

/**
 * Lets the world's time pass until `toMs`. It jumps from event to event (an expiry, a pile that reaches memory's
 * end, a check, a boot), and an event costs the same whatever the fleet; so ten quiet minutes cost little, and the
 * result does not depend on how often it is called. Call it before reading or changing anything. Going back in time
 * does nothing.
 */
export function advance(world: World, toMs: number): void {
  settle(world);
  while (world.nowMs < toMs) {
    // Whole milliseconds keep two ways of cutting the same time in step with each other.
    world.nowMs = Math.min(toMs, Math.max(Math.ceil(nextEventMs(world) - ROUNDING_MS), Math.floor(world.nowMs) + 1));
    settle(world);
  }
}

/** What is reckoned to fall on a whole millisecond falls there, and not on the next for the sake of a last digit. */
const ROUNDING_MS = 1e-6;

/** Everything that is due at this moment; commands call it so that their effect is seen at once. */
export function settle(world: World): void {
  const { database, nowMs, agenda, servers } = world;
  if (database.backAtMs !== null && database.backAtMs <= nowMs) {
    Object.assign(database, { state: 'up', backAtMs: null, busyUntilMs: nowMs });
    touchAll(world);
  }
  judgeFront(world);
  checkHealth(world);
  for (const index of dueBy(agenda, nowMs)) {
    const server = servers[index];
    if (server === undefined) continue;
    if (server.cutUntilMs !== null && server.cutUntilMs <= nowMs) server.cutUntilMs = null;
    finishBoot(world, server);
    finishFetch(world, server);
  }
  balance(world);
  // What the servers now send may overload the front, and what the front now lets through is another fate for them.
  if (settleDue(world) === 0) return;
  settleFront(world);
  settleDue(world);
}

/** Says how many there were. */
function settleDue(world: World): number {
  const due = dueBy(world.agenda, world.nowMs);
  for (const index of due) {
    const server = world.servers[index];
    if (server === undefined) continue;
    settleServer(world, server);
    setDue(world.agenda, index, nextOfServer(world, server));
  }
  return due.length;
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
  return Math.min(server.traits.concurrencyLimit ?? Infinity, inFlight(server.pile, world.nowMs));
}

function settleServer(world: World, server: ServerState): void {
  account(world, server);
  if (isAlive(server)) settleLiving(world, server);
  if (!isAlive(server)) {
    // Whoever waits on a server that dies gets nothing, and neither does who is still sent to it.
    if (server.pile.length > 0) letGo(world, server, 'failed');
    server.goes = { answered: 0, refused: 0, failed: server.ratePerSecond, waits: 0 };
  }
}

function settleLiving(world: World, server: ServerState): void {
  const { options, nowMs, tally } = world;
  const answers = databaseAnswers(world, server);
  if (server.ratePerSecond > 0 && needsCache(options, server) && isExpired(world, server) && answers) {
    beginFetch(world, server);
  }
  if (answers && server.fetch === null && server.pile.some(({ fails }) => fails)) letGo(world, server, 'answered');
  else if (!answers && !databaseSwallows(world, server) && waitsInVain(server)) letGo(world, server, 'failed');
  const fate = fateOf(world, server);
  const before = inFlight(server.pile, nowMs);
  const places = server.traits.concurrencyLimit ?? Infinity;
  // A request that needs no database still needs a free place.
  const free = before < places - 1e-6;
  const anonymous = server.ratePerSecond * options.anonymousShare;
  const rate = server.ratePerSecond - anonymous;
  const joins = !fate.waits ? 0 : free ? rate : Math.min(rate, leaving(server.pile, nowMs));
  pileUp(server.pile, nowMs, joins, fate);
  tally.peakInFlight = Math.max(tally.peakInFlight, before);
  const full = before >= roomOf(server) - 1e-6 && (joins > 0 || before > 0);
  if (full || server.ratePerSecond > (server.traits.overloadPerSecond ?? Infinity)) return die(world, server);
  const failing = failingShare(world) * rate;
  const [served, turned] = free ? [anonymous, 0] : [0, anonymous];
  server.goes = fate.waits
    ? { answered: served, refused: rate - joins + turned, failed: 0, waits: joins }
    : {
        answered: served + (fate.fails ? 0 : rate - failing),
        refused: turned,
        failed: fate.fails ? rate : failing,
        waits: 0,
      };
}

/** Somebody waits longer than a refusal takes: it has come. */
function waitsInVain({ pile, traits }: ServerState): boolean {
  return pile.some(({ perSecond, waitMs }) => perSecond > 0 && waitMs > traits.refusedWaitMs);
}

/** What becomes of a request that arrives now. */
function fateOf(world: World, server: ServerState): { waits: boolean; waitMs: number; fails: boolean } {
  const { options } = world;
  const answered = { waits: false, waitMs: 0, fails: false };
  const answers = databaseAnswers(world, server);
  const expired = needsCache(options, server) && isExpired(world, server);
  const stale = options.staleOnError && server.cache !== null;
  if (answers && server.offline && !(expired && server.fetch !== null)) return answered;
  // Who waits for a refresh leaves with it; until then as if it never came.
  if (answers && expired && server.fetch !== null && !stale)
    return { waits: true, waitMs: server.traits.databaseTimeoutMs, fails: true };
  if (server.offline && (!expired || stale)) return answered;
  const wait = databaseWait(world, server);
  return { waits: wait.waitMs > 0, ...wait };
}

/** So many waiting requests fill the memory. */
function roomOf({ traits }: ServerState): number {
  return (traits.memory.limitBytes - traits.memory.baseBytes) / traits.memory.perRequestBytes;
}

function nextOfServer(world: World, server: ServerState): number {
  const { options } = world;
  if (server.power === 'booting') return server.bootedAtMs;
  let nextMs = server.cutUntilMs ?? NEVER;
  if (!isAlive(server)) return nextMs;
  if (server.fetch !== null) nextMs = Math.min(nextMs, server.fetch.doneMs);
  if (server.cache !== null && needsCache(options, server) && !isExpired(world, server)) {
    nextMs = Math.min(nextMs, server.cache.refreshedMs + server.cache.ttlMs);
  }
  const limit = Math.min(server.traits.concurrencyLimit ?? Infinity, roomOf(server));
  return Math.min(nextMs, nextOfPile(server.pile, world.nowMs, limit));
}

function nextEventMs(world: World): number {
  const { database, agenda } = world;
  return Math.min(database.backAtMs ?? NEVER, nextCheckMs(world), nextOfFront(world), firstDueMs(agenda));
}
