import type { Cure } from '../cures.ts';
import type { AwayManner } from '../dependency-wait.ts';
import type { RefreshRule } from '../fuse-input.ts';
import {
  createWorld,
  NEVER,
  refreshCache,
  setDatabase,
  setPage,
  type ServerTraits,
  type World,
  type WorldOptions,
} from '../world/index.ts';
import { once, type Actor } from './tell.ts';

/**
 * A planned outage of the database behind offline mode: how the servers are refreshed before it, how long it is, and
 * what was done against it. Zero is the moment at which the database goes.
 */
export interface Outage {
  readonly options: WorldOptions;
  /** Null: nobody refreshes the caches before the cut. */
  readonly refresh: RefreshRule | null;
  readonly outageMs: number;
  /** How the database is not there: its packets are dropped, it refuses, or it accepts and says nothing. */
  readonly manner: AwayManner;
  /** The balancer answers with its page while the database is away. */
  readonly page: boolean;
}

const STATES = { drop: 'away', refuse: 'refusing', hang: 'hanging' } as const;

/** A quiet moment before the first refresh, so that a curve begins with the service as it is. */
const BEFORE_MS = 10_000;
/** The page goes when the database has answered for so long. */
const PAGE_LAG_MS = 2_000;

/** The world before the outage, and who makes it happen. */
export function stageOutage(
  outage: Outage,
  seed: number,
): { readonly world: World; readonly actors: readonly Actor[] } {
  const { options, outageMs, manner } = outage;
  const startMs = refreshStartMs(outage) - BEFORE_MS;
  const world = createWorld({ ...options, startOffline: true, startMs }, seed);
  return {
    world,
    actors: [
      ...refresher(world, outage),
      ...(outage.page
        ? [
            once(-1, 'the balancer answers with its page', () => void setPage(world, true)),
            once(outageMs + PAGE_LAG_MS, 'the page goes', () => void setPage(world, false)),
          ]
        : []),
      once(0, `the database goes (${mannerText(manner)})`, () => setDatabase(world, STATES[manner], outageMs)),
      once(outageMs, 'the database is back', () => undefined),
    ],
  };
}

/** The way in which a database is gone, in words. */
export function mannerText(manner: AwayManner): string {
  return { drop: 'packets are dropped', refuse: 'it refuses', hang: 'it accepts and says nothing' }[manner];
}

/** The same outage with a cure at its number; null when the cure has no number yet, for want of declared load. */
export function cured(outage: Outage, { code, value }: Cure): Outage | null {
  const { options, refresh } = outage;
  const change = (changed: Partial<WorldOptions>): Outage => ({
    ...outage,
    options: {
      ...options,
      ...changed,
      servers: options.servers.map((server) => ({ ...server, traits: { ...server.traits, ...ofTraits(changed) } })),
    },
  });
  switch (code) {
    case 'stale-on-error':
      return change({ staleOnError: true });
    case 'answer-at-edge':
      return { ...outage, page: true };
    default:
  }
  if (value === undefined) return null;
  switch (code) {
    case 'shorter-outage':
      return { ...outage, outageMs: value };
    case 'refresh-first':
    case 'refresh-faster':
      return { ...outage, refresh: { overheadMs: refresh?.overheadMs ?? 0, perSecond: value } };
    case 'raise-ttl':
      return {
        ...outage,
        options: {
          ...options,
          ttl: longer(options.ttl, value),
          servers: options.servers.map((server) => ({
            ...server,
            traits: { ...server.traits, ...(server.traits?.ttl ? { ttl: longer(server.traits.ttl, value) } : {}) },
          })),
        },
      };
    case 'refuse-connections':
      return { ...change({ refusedWaitMs: value }), manner: 'refuse' };
    case 'fail-fast':
      return change({ databaseTimeoutMs: value, hangTimeoutMs: value });
    case 'cap-concurrency':
      return change({ concurrencyLimit: value });
  }
}

function ofTraits(changed: Partial<WorldOptions>): Partial<ServerTraits> {
  const { databaseTimeoutMs, refusedWaitMs, concurrencyLimit } = changed;
  return {
    ...(refusedWaitMs === undefined ? {} : { refusedWaitMs }),
    ...(databaseTimeoutMs === undefined ? {} : { databaseTimeoutMs }),
    ...(concurrencyLimit === undefined ? {} : { concurrencyLimit }),
  };
}

function longer(ttl: WorldOptions['ttl'], minMs: number): WorldOptions['ttl'] {
  return { ...ttl, minMs: Math.max(ttl.minMs, minMs), maxMs: Math.max(ttl.maxMs, minMs) };
}

function refreshStartMs({ options, refresh }: Outage): number {
  if (refresh === null) return 0;
  return -Math.ceil((options.servers.length / refresh.perSecond) * 1_000 + refresh.overheadMs);
}

/** One server after another, in its slot. */
function refresher(world: World, outage: Outage): readonly Actor[] {
  const { refresh } = outage;
  if (refresh === null) return [];
  const startMs = refreshStartMs(outage);
  let next = 0;
  return [
    {
      nextMs: () => (next < world.servers.length ? startMs + (next / refresh.perSecond) * 1_000 : NEVER),
      act() {
        const server = world.servers[next];
        next += 1;
        if (server) refreshCache(world, server);
        return next === 1 ? 'the caches are refreshed' : null;
      },
    },
  ];
}
