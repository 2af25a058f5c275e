import type { Chance } from '../support/chance.ts';

/** Digests of the one configuration file: as declared, and as a reboot can leave it. */
export const GOOD = 'a'.repeat(64);
export const HALF = 'b'.repeat(64);

export interface ModelServer {
  readonly name: string;
  readonly domain: string;
  offline: boolean;
  traffic: 'in' | 'out';
  file: string;
  running: string;
  /** Its own path to the database is cut until then. */
  cutUntilMs: number;
  cacheBornMs: number;
  ttlMs: number;
  life: 'up' | 'hung' | 'booting' | 'dead';
  bootAtMs: number;
  boot: number;
  lastResetAt: string | null;
  /** Healthy, but not reachable from the engine until then. */
  partedUntilMs: number;
  bmcDownUntilMs: number;
  /** Counts what is not idempotent. */
  stamps: number;
  /** What somebody else changed under the run: it is not held against the run at the end. */
  readonly touched: Set<'offline' | 'traffic' | 'config' | 'path' | 'power'>;
}

/** A change that came through to a server, whoever made it. */
export interface Deed {
  readonly atMs: number;
  readonly server: string;
  readonly what: string;
}

/** The world outside neap: a model of servers, a database, a balancer and the ways between. Takes its time from outside. */
export class World {
  nowMs = 0;
  databaseUp = true;
  databaseGoneAtMs = 0;
  /** The balancer answers everything itself; and when that was last asked in vain. */
  page = false;
  pageFailedAtMs = -Infinity;
  /** The jump host in front of domain d2 is broken until then. */
  jumpBrokenUntilMs = 0;
  controlDownUntilMs = 0;
  /** Whether BMCs tell when they last reset. */
  readonly tellsResets: boolean;
  readonly servers: ReadonlyMap<string, ModelServer>;
  readonly deeds: Deed[] = [];
  readonly #chance: Chance;

  constructor(chance: Chance, servers: readonly { readonly name: string; readonly domain: string }[]) {
    this.#chance = chance;
    this.tellsResets = chance.happens(0.8);
    this.servers = new Map(servers.map(({ name, domain }) => [name, this.#fresh(name, domain)]));
  }

  server(name: string): ModelServer {
    const found = this.servers.get(name);
    if (!found) throw new Error(`the world has no server ${name}`);
    return found;
  }

  /** Time goes on to `atMs`: boots end, and caches that can be refreshed are. */
  advance(atMs: number): void {
    this.nowMs = Math.max(this.nowMs, atMs);
    for (const server of this.servers.values()) {
      if (server.life === 'booting' && server.bootAtMs <= this.nowMs) server.life = 'up';
      this.#warm(server);
    }
  }

  /** Whether the database answers from this server. */
  answersFrom(server: ModelServer): boolean {
    return this.databaseUp && server.cutUntilMs <= this.nowMs && server.life === 'up';
  }

  isReachable(server: ModelServer): boolean {
    return server.life === 'up' && server.partedUntilMs <= this.nowMs;
  }

  isProven(server: ModelServer): boolean {
    return server.file === GOOD && server.running === GOOD;
  }

  ageOf(server: ModelServer): number {
    return this.nowMs - server.cacheBornMs;
  }

  enterOffline(server: ModelServer): void {
    server.offline = true;
    // Entering offline mode resets the cache.
    this.chill(server);
  }

  chill(server: ModelServer): void {
    server.cacheBornMs = this.nowMs - server.ttlMs;
    this.#warm(server);
  }

  refresh(server: ModelServer): void {
    server.cacheBornMs = this.nowMs;
    server.ttlMs = this.#chance.whole(180_000, 240_000);
  }

  /** A hard reset takes effect: whatever the server did, it boots. */
  reset(server: ModelServer): void {
    server.life = 'booting';
    server.boot += 1;
    server.bootAtMs =
      this.nowMs +
      (this.#chance.happens(0.1) ? this.#chance.whole(290_000, 400_000) : this.#chance.whole(20_000, 150_000));
    server.lastResetAt = this.tellsResets ? String(this.nowMs) : null;
    server.cutUntilMs = 0;
    server.cacheBornMs = this.nowMs - server.ttlMs;
    if (this.#chance.happens(0.4)) {
      server.file = HALF;
      server.running = HALF;
    } else if (this.#chance.happens(0.2)) {
      server.running = HALF;
    }
  }

  done(server: string, what: string): void {
    this.deeds.push({ atMs: this.nowMs, server, what });
  }

  #warm(server: ModelServer): void {
    if (this.ageOf(server) >= server.ttlMs && this.answersFrom(server)) this.refresh(server);
  }

  #fresh(name: string, domain: string): ModelServer {
    const ttlMs = this.#chance.whole(180_000, 240_000);
    return {
      name,
      domain,
      offline: false,
      traffic: 'in',
      file: GOOD,
      running: GOOD,
      cutUntilMs: 0,
      cacheBornMs: -this.#chance.whole(0, ttlMs - 1),
      ttlMs,
      life: 'up',
      bootAtMs: 0,
      boot: 1,
      lastResetAt: null,
      partedUntilMs: 0,
      bmcDownUntilMs: 0,
      stamps: 0,
      touched: new Set(),
    };
  }
}
