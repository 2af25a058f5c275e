import { drawBetween, drawBootId, type Chance } from './chance.ts';
import type { WorldOptions } from './options.ts';

/** A herd of servers with their database and balancer: mutable plain JSON, changed only by the functions of this folder. */
export interface World extends Chance {
  readonly options: WorldOptions;
  nowMs: number;
  readonly servers: ServerState[];
  readonly database: DatabaseState;
  readonly balancer: { page: boolean; checkedRound: number };
}

export interface DatabaseState {
  /** `away` swallows requests, which wait for the timeout; `refusing` says no at once. */
  state: 'up' | 'away' | 'refusing';
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
  seenUp: boolean;
  /** The balancer's checks in a row that contradict `seenUp`. */
  contrary: number;
  /** Logged-in requests a second that reach it now. */
  ratePerSecond: number;
  /** Arrivals that wait for the database: each rate lasts until the next one's start. */
  pile: { readonly fromMs: number; readonly perSecond: number }[];
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
  const servers = options.servers.map((server): ServerState => {
    const ttlMs = drawBetween(chance, options.ttl.minMs, options.ttl.maxMs);
    const files = Object.fromEntries(
      server.files.map(({ path, content, mode, owner }) => [
        path,
        { content, mode, owner, writtenMs: options.startMs },
      ]),
    );
    return {
      name: server.name,
      power: 'on',
      bootedAtMs: options.startMs,
      bootId: drawBootId(chance),
      lastResetMs: options.startMs,
      resets: 0,
      hungAtMs: null,
      offline: options.startOffline,
      cache: { refreshedMs: options.startMs - drawBetween(chance, 0, ttlMs), ttlMs },
      ownTtlMs: ttlMs,
      fetch: null,
      cutUntilMs: null,
      inRotation: true,
      seenUp: true,
      contrary: 0,
      ratePerSecond: options.requestsPerSecond,
      pile: [],
      files,
      running: Object.fromEntries(server.files.map(({ path, content }) => [path, content])),
    };
  });
  return {
    options,
    chance: chance.chance,
    nowMs: options.startMs,
    servers,
    database: { state: 'up', backAtMs: null, busyUntilMs: 0, refreshes: 0, peakPerSecond: 0, second: -1, inSecond: 0 },
    balancer: { page: false, checkedRound: Math.floor(options.startMs / options.health.intervalMs) },
  };
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
