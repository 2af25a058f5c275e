import { createAgenda, touch, type Agenda } from './agenda.ts';
import { drawBetween, drawBootId, type Chance } from './chance.ts';
import { noFlow, type Flow } from './flow.ts';
import type { FrontOptions, Queue } from './front.ts';
import type { ServerSeed, ServerTraits, WorldOptions } from './options.ts';

/** A herd of servers with their database and balancer: mutable plain JSON, changed only by the functions of this folder. */
export interface World extends Chance {
  readonly options: WorldOptions;
  nowMs: number;
  readonly servers: ServerState[];
  readonly database: DatabaseState;
  readonly balancer: BalancerState;
  /** The way to new connections; null: without limit. `served` is the share that gets one in time. */
  readonly front: { readonly queue: Queue; limits: FrontOptions; served: number } | null;
  /** Requests that never reach a server. */
  readonly edge: {
    arrived: number;
    refused: number;
    paged: number;
    flowMs: number;
    refusedPerSecond: number;
    pagedPerSecond: number;
  };
  readonly tally: Tally;
  readonly agenda: Agenda;
}

export interface BalancerState {
  /** It answers everything with its own page, and a Retry-After. */
  page: boolean;
  checkedRound: number;
  /** Traffic in shares of what is usual: 1. */
  load: number;
  /** The share of it that is let in; the rest gets the page. */
  admits: number;
  /** The shares must be reckoned anew. */
  stale: boolean;
  /** A server may be in another state than it is seen in. */
  watch: boolean;
}

/** What happened, as far as numbers tell. Instants are the world's; null: not yet. */
export interface Tally {
  /** When a request first failed or was refused. */
  firstFailedMs: number | null;
  /** Hangs in all, and the most at one time. */
  deaths: number;
  dead: number;
  deadAtMost: number;
  firstDeadMs: number | null;
  halfDeadMs: number | null;
  lastDeadMs: number | null;
  /** Requests waiting on one server. */
  peakInFlight: number;
  peakConnectionsPerSecond: number;
}

export interface DatabaseState {
  /**
   * `away` drops packets, so requests wait for the timeout; `refusing` says no at once; `hanging` accepts and says
   * nothing more.
   */
  state: 'up' | 'away' | 'refusing' | 'hanging';
  /** So much longer its answers take while it is up. */
  slowMs: number;
  /** When it comes back by itself; null: only when told. */
  backAtMs: number | null;
  /** Until when the refreshes that it has accepted keep it busy. */
  busyUntilMs: number;
  refreshes: number;
  peakPerSecond: number;
  second: number;
  inSecond: number;
}

export interface ServerState {
  readonly name: string;
  /** Its place among the world's servers. */
  readonly index: number;
  readonly traits: ServerTraits & { readonly weight: number };
  power: 'on' | 'booting' | 'off';
  bootedAtMs: number;
  bootId: string;
  lastResetMs: number;
  resets: number;
  /** Memory ran out, or somebody hung it: lasts beyond the end of traffic, until a hard reset. */
  hungAtMs: number | null;
  offline: boolean;
  cache: { readonly refreshedMs: number; readonly ttlMs: number } | null;
  readonly ownTtlMs: number;
  /** A refresh under way. */
  fetch: { readonly doneMs: number; readonly fails: boolean } | null;
  /** Until when its own path to the database is cut; the cut removes itself. */
  cutUntilMs: number | null;
  inRotation: boolean;
  /** The balancer was told to send it no more than this; null: it was not. */
  limitPerSecond: number | null;
  seenUp: boolean;
  /** The balancer's checks in a row that contradict `seenUp`. */
  contrary: number;
  /** Logged-in requests a second that reach it now. */
  ratePerSecond: number;
  /** Arrivals that wait for the database: each rate lasts until the next one's start. */
  pile: { readonly fromMs: number; readonly perSecond: number; readonly waitMs: number; readonly fails: boolean }[];
  /** What became of its requests until `flowMs`, and what becomes of them a second since. */
  readonly flow: Flow;
  flowMs: number;
  goes: { readonly answered: number; readonly refused: number; readonly failed: number; readonly waits: number };
  readonly files: Record<string, FileState>;
  /** What the running process holds: contents by path, as they were when it started or reloaded. */
  running: Record<string, string>;
}

/** `content` holds one byte a character. */
export interface FileState {
  readonly content: string;
  readonly mode: string;
  readonly owner: string;
  readonly writtenMs: number;
}

/** A world at rest: all in rotation and healthy, caches warm with scattered ages, database up. */
export function createWorld(options: WorldOptions, seed: number): World {
  const chance: Chance = { chance: seed >>> 0 };
  const { startMs, health } = options;
  const usual = { ...traitsOf(options), weight: 1 };
  const servers = options.servers.map((server, index) => createServer({ options, usual, chance }, server, index));
  return {
    options,
    chance: chance.chance,
    nowMs: startMs,
    servers,
    database: {
      state: 'up',
      slowMs: 0,
      backAtMs: null,
      busyUntilMs: startMs,
      refreshes: 0,
      peakPerSecond: 0,
      second: -1,
      inSecond: 0,
    },
    balancer: {
      page: false,
      checkedRound: Math.floor((startMs - health.phaseMs) / health.intervalMs),
      load: 1,
      admits: 1,
      stale: true,
      watch: true,
    },
    front:
      options.front === null
        ? null
        : { queue: { backlog: 0, atMs: startMs, perSecond: 0 }, limits: options.front, served: 1 },
    edge: { arrived: 0, refused: 0, paged: 0, flowMs: startMs, refusedPerSecond: 0, pagedPerSecond: 0 },
    tally: {
      firstFailedMs: null,
      deaths: 0,
      dead: 0,
      deadAtMost: 0,
      firstDeadMs: null,
      halfDeadMs: null,
      lastDeadMs: null,
      peakInFlight: 0,
      peakConnectionsPerSecond: 0,
    },
    agenda: createAgenda(servers.length),
  };
}

function createServer(
  { options, usual, chance }: { options: WorldOptions; usual: ServerState['traits']; chance: Chance },
  seed: ServerSeed,
  index: number,
): ServerState {
  const { startMs } = options;
  const traits = seed.traits === undefined ? usual : { ...usual, ...seed.traits };
  const ttlMs = drawBetween(chance, traits.ttl.minMs, traits.ttl.maxMs);
  return {
    name: seed.name,
    index,
    traits,
    power: 'on',
    bootedAtMs: startMs,
    bootId: drawBootId(chance),
    lastResetMs: startMs,
    resets: 0,
    hungAtMs: null,
    offline: options.startOffline,
    cache: { refreshedMs: startMs - drawBetween(chance, 0, ttlMs), ttlMs },
    ownTtlMs: ttlMs,
    fetch: null,
    cutUntilMs: null,
    inRotation: true,
    limitPerSecond: null,
    seenUp: true,
    contrary: 0,
    ratePerSecond: options.requestsPerSecond * traits.weight,
    pile: [],
    flow: noFlow(),
    flowMs: startMs,
    goes: { answered: 0, refused: 0, failed: 0, waits: 0 },
    files: Object.fromEntries(
      seed.files.map(({ path, content, mode, owner }) => [path, { content, mode, owner, writtenMs: startMs }]),
    ),
    running: Object.fromEntries(seed.files.map(({ path, content }) => [path, content])),
  };
}

function traitsOf(options: WorldOptions): ServerTraits {
  const { overloadPerSecond, memory, databaseTimeoutMs, refusedWaitMs, concurrencyLimit, ttl } = options;
  return { overloadPerSecond, memory, databaseTimeoutMs, refusedWaitMs, concurrencyLimit, ttl };
}

/** Powered, booted and not hung: it does what it is asked. */
export function isAlive(server: ServerState): boolean {
  return server.power === 'on' && server.hungAtMs === null;
}

/** The server called so. Throws where there is none: callers parse names at their border. */
export function serverNamed(world: World, name: string): ServerState {
  const server = world.servers.find((candidate) => candidate.name === name);
  if (server === undefined) throw new Error(`no server is called ${name}`);
  return server;
}

/** A server hangs, and stays so whatever becomes of the traffic, until a hard reset. */
export function die(world: World, server: ServerState): void {
  if (!isAlive(server)) return;
  const { tally, nowMs, servers } = world;
  server.hungAtMs = nowMs;
  world.balancer.watch = true;
  tally.deaths += 1;
  tally.dead += 1;
  tally.firstDeadMs ??= nowMs;
  tally.lastDeadMs = nowMs;
  tally.deadAtMost = Math.max(tally.deadAtMost, tally.dead);
  if (tally.dead * 2 >= servers.length) tally.halfDeadMs ??= nowMs;
  touch(world, server);
}
