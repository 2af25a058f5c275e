import type { FrontOptions } from './front.ts';

/** What may differ from server to server. */
export interface ServerTraits {
  /** Above this a server hangs by plain overload, with or without a database. Null: never. */
  readonly overloadPerSecond: number | null;
  readonly memory: { readonly baseBytes: number; readonly limitBytes: number; readonly perRequestBytes: number };
  /** How long a request waits for a database that does not answer, attempts included. */
  readonly databaseTimeoutMs: number;
  /** How long it waits for one that refuses, all attempts. */
  readonly refusedWaitMs: number;
  /** Requests beyond it are refused at once, so the server does not hang. Null: no cap. */
  readonly concurrencyLimit: number | null;
  readonly ttl: { readonly minMs: number; readonly maxMs: number; readonly drawn: 'per-server' | 'per-refresh' };
}

/** How the model's service is built and loaded. All times are milliseconds of the world's own time. */
export interface WorldOptions extends ServerTraits {
  readonly servers: readonly ServerSeed[];
  /** Logged-in requests a second that one server gets while all take part; the sum is shared by those in rotation. */
  readonly requestsPerSecond: number;
  /** The share of a server's requests that needs neither cache nor database, only the server. */
  readonly anonymousShare: number;
  /** What the balancer sends to one server at most; the rest is refused at the edge. Null: everything is sent. */
  readonly balancerLimitPerSecond: number | null;
  /** The balancer takes a server that goes offline for one that is down, and others get its load. */
  readonly offlineLeaves: boolean;
  /** How long a request waits for a database that has accepted it and says nothing: `NEVER` without a read timeout. */
  readonly hangTimeoutMs: number;
  /** The limit on new connections; null: none is reckoned with. */
  readonly front: FrontOptions | null;
  /** The bug: logged-in requests need the local cache in offline mode too. */
  readonly needsCacheOffline: boolean;
  /** An expired value is served while it cannot be refreshed. */
  readonly staleOnError: boolean;
  /** Refreshes a second that the database serves; more of them queue. */
  readonly capacityPerSecond: number;
  readonly bootMs: number;
  /** The balancer's own checks: when, and what must work for one to be answered. */
  readonly health: {
    readonly intervalMs: number;
    readonly phaseMs: number;
    readonly fall: number;
    readonly rise: number;
    readonly asks: 'process' | 'worker' | 'database';
  };
  /** A hard reset leaves some configuration files truncated or old. */
  readonly halfAppliedByReset: boolean;
  /** The mode that the servers are in at the start; their caches have natural, scattered ages. */
  readonly startOffline: boolean;
  readonly startMs: number;
}

/** One server: its name, and the files that make its configuration. */
export interface ServerSeed {
  readonly name: string;
  /** In what it differs from the others. `weight` is its share of the load, where 1 is everybody's. */
  readonly traits?: Partial<ServerTraits> & { readonly weight?: number };
  readonly files: readonly {
    readonly path: string;
    readonly content: string;
    readonly older: string;
    readonly mode: string;
    readonly owner: string;
  }[];
}

/**
 * The service of February 2021, as the sources let it be guessed: 150 requests a second a server, 40 MB for each
 * that waits, 56 GB free, 10 s database timeout, TTL between three and four minutes. Collapse lies 9.3 s after an expiry.
 */
export const february: Omit<WorldOptions, 'servers'> = {
  requestsPerSecond: 150,
  anonymousShare: 0,
  balancerLimitPerSecond: null,
  offlineLeaves: false,
  front: null,
  overloadPerSecond: 330,
  memory: { baseBytes: 8e9, limitBytes: 64e9, perRequestBytes: 40e6 },
  databaseTimeoutMs: 10_000,
  refusedWaitMs: 0,
  hangTimeoutMs: 10_000,
  concurrencyLimit: null,
  ttl: { minMs: 180_000, maxMs: 240_000, drawn: 'per-server' },
  needsCacheOffline: true,
  staleOnError: false,
  capacityPerSecond: 1_000,
  bootMs: 25_000,
  health: { intervalMs: 2_000, phaseMs: 0, fall: 2, rise: 2, asks: 'process' },
  halfAppliedByReset: false,
  startOffline: false,
  startMs: 0,
};
