import {
  forecastFuse,
  scheduleSlots,
  checkFuse,
  type Cure,
  type CureCode,
  type FuseForecast,
  type FuseQuestion,
  type FuseServer,
  type FuseVerdict,
} from '../../src/herd/index.ts';
import {
  advance,
  cacheOf,
  createWorld,
  enterOffline,
  february,
  isAlive,
  refreshCache,
  setDatabase,
  setPage,
  type World,
  type WorldOptions,
} from '../../src/herd/index.ts';

/**
 * Maintenance windows made up by chance, the verdict on each, and what the model of the servers does when it is done
 * all the same. The forecast sees what a fleet file would say; the model draws its own times to live.
 */

/** A window as planned, and the world that it happens in. */
export interface Case {
  readonly seed: number;
  readonly question: FuseQuestion & { readonly refresh: NonNullable<FuseQuestion['refresh']> };
  readonly options: WorldOptions;
  /** Nothing reaches the servers while the database is away. */
  readonly edge: boolean;
}

/** What became of the servers. */
export interface Aftermath {
  readonly hung: number;
  /** Servers whose cache ended while the database was away. */
  readonly expired: number;
  /** The verdict from the readings right before the cut. */
  readonly check: FuseVerdict;
}

export const CURES: readonly CureCode[] = [
  'shorter-outage',
  'refresh-faster',
  'raise-ttl',
  'stale-on-error',
  'fail-fast',
  'cap-concurrency',
  'answer-at-edge',
];

/** A plan by chance: no cure taken yet. */
export function caseBySeed(seed: number): Case {
  const chance = numbers(seed);
  const between = (low: number, high: number): number => low + chance() * (high - low);
  const names = Array.from({ length: Math.round(between(8, 60)) }, (_, k) => `api-${k}`);
  const ttlMs = { min: Math.round(between(60_000, 300_000)), max: 0 };
  ttlMs.max = ttlMs.min + Math.round(between(0, 90_000));
  const perSecond = names.length / between(0.5, (0.4 * ttlMs.min) / 1000);
  const dependencyTimeoutMs = Math.round(between(2_000, 30_000));
  const requestsPerSecond = between(20, 400);
  const memory = { baseBytes: 8e9, perRequestBytes: between(5e6, 60e6), limitBytes: 0 };
  // The memory holds between a fiftieth and twice of what can be in flight: most expiries are fatal, some are not.
  const places = Math.max(20, ((requestsPerSecond * dependencyTimeoutMs) / 1000) * 0.02 * 100 ** chance());
  memory.limitBytes = memory.baseBytes + places * memory.perRequestBytes;
  const needsCacheOffline = chance() < 0.8;
  // Some have a limit already, and some of these limits are beyond what the memory holds.
  const concurrencyLimit = chance() < 0.15 ? Math.ceil(places * between(0.3, 2)) : null;
  const load = {
    requestsPerSecond,
    memoryPerRequestBytes: memory.perRequestBytes,
    memoryFreeBytes: memory.limitBytes - memory.baseBytes,
    ...(concurrencyLimit === null ? {} : { concurrencyLimit }),
  };
  const isDeclared = chance() < 0.8;
  const servers = names.map((name): FuseServer => ({
    name,
    clocks: [{ name: 'config', whenExpired: needsCacheOffline ? 'fatal' : 'not-needed', ttlMs }],
    dependencyTimeoutMs,
    ...(isDeclared ? { load } : {}),
  }));
  const options: WorldOptions = {
    ...february,
    servers: names.map((name) => ({ name, files: [] })),
    requestsPerSecond,
    overloadPerSecond: null,
    memory,
    databaseTimeoutMs: dependencyTimeoutMs,
    concurrencyLimit,
    ttl: { minMs: ttlMs.min, maxMs: ttlMs.max, drawn: chance() < 0.5 ? 'per-server' : 'per-refresh' },
    needsCacheOffline,
    // The plan's slots are a part of what the database serves. It serves the whole fleet long before a memory fills, so
    // that what hangs a server is the outage: the herd on the database's return is not what a fuse foretells.
    capacityPerSecond: Math.max(perSecond / 0.7, (10 * names.length * requestsPerSecond) / places),
  };
  const refresh = { perSecond, overheadMs: Math.round(between(0, 15_000)) };
  const marginMs = Math.round(between(0, 45_000));
  // Every fifth outage ends within 15 s of where the shortest time to live does, for that is where verdicts are hard.
  const endMs = ttlMs.min - (names.length / perSecond) * 1000 - refresh.overheadMs - marginMs;
  const outageMs = Math.max(
    1_000,
    Math.round(chance() < 0.2 ? endMs + between(-15_000, 15_000) : between(5_000, 1.6 * ttlMs.min)),
  );
  return { seed, options, edge: false, question: { servers, refresh, outageMs, marginMs } };
}

/** The same window with one cure taken, in the plan and in the world alike. */
export function cured(at: Case, { code, value }: Cure): Case {
  const { question, options } = at;
  const each = (change: (server: FuseServer) => FuseServer): Case['question'] => ({
    ...question,
    servers: question.servers.map(change),
  });
  if (code === 'stale-on-error')
    return {
      ...at,
      options: { ...options, staleOnError: true },
      question: each((server) => ({
        ...server,
        clocks: server.clocks.map((clock) => ({ ...clock, whenExpired: 'stale-served' as const })),
      })),
    };
  if (code === 'answer-at-edge')
    return {
      ...at,
      edge: true,
      question: each((server) => ({
        ...server,
        load: { requestsPerSecond: 0, memoryPerRequestBytes: 1, memoryFreeBytes: 10 },
      })),
    };
  if (value === undefined) return at;
  switch (code) {
    case 'shorter-outage':
      return { ...at, question: { ...question, outageMs: value } };
    case 'refresh-first':
    case 'refresh-faster':
      return {
        ...at,
        options: { ...options, capacityPerSecond: Math.max(options.capacityPerSecond, value / 0.7) },
        question: { ...question, refresh: { ...question.refresh, perSecond: value } },
      };
    case 'raise-ttl': {
      const ttlMs = { min: value, max: value + 60_000 };
      return {
        ...at,
        options: { ...options, ttl: { ...options.ttl, minMs: ttlMs.min, maxMs: ttlMs.max } },
        question: each((server) => ({ ...server, clocks: server.clocks.map((clock) => ({ ...clock, ttlMs })) })),
      };
    }
    case 'refuse-connections':
    case 'fail-fast':
      return {
        ...at,
        options: { ...options, databaseTimeoutMs: value },
        question: each((server) => ({ ...server, dependencyTimeoutMs: value })),
      };
    case 'cap-concurrency':
      return {
        ...at,
        options: { ...options, concurrencyLimit: value },
        question: each((server) =>
          server.load === undefined ? server : { ...server, load: { ...server.load, concurrencyLimit: value } },
        ),
      };
  }
}

export function verdictOn({ question }: Case): FuseForecast {
  return forecastFuse(question);
}

/**
 * Does it, whatever the verdict: every server into offline mode, every cache refreshed in slots, the database away for
 * so long, back, the caches refreshed again under the page where there is one, and then two times to live of ordinary traffic.
 */
export function force({ question, options, edge, seed }: Case, outageMs: number): Aftermath {
  const world = createWorld(options, seed);
  inSlots(world, question, (server) => enterOffline(world, server));
  inSlots(world, question, (server) => refreshCache(world, server));
  advance(world, Math.ceil(world.nowMs + question.refresh.overheadMs));
  const check = checkFuse({ ...question, servers: readings(world, question.servers), nowMs: world.nowMs });
  if (edge) setPage(world, true);
  const cutAtMs = world.nowMs;
  setDatabase(world, 'away', cutAtMs + outageMs);
  advance(world, cutAtMs + outageMs - 1);
  const expired = world.servers.filter(
    (server) => (cacheOf(world, server)?.ageMs ?? Infinity) >= (server.cache?.ttlMs ?? 0),
  ).length;
  advance(world, cutAtMs + outageMs);
  if (edge) {
    inSlots(world, question, (server) => refreshCache(world, server));
    setPage(world, false);
  }
  advance(world, world.nowMs + 2 * options.ttl.maxMs);
  return { hung: world.servers.filter((server) => !isAlive(server)).length, expired, check };
}

/** One server a slot, the earliest expiry first; returns when the last slot has ended. */
function inSlots(
  world: World,
  { servers, refresh }: Case['question'],
  act: (server: World['servers'][number]) => unknown,
): void {
  const { perSecond } = refresh;
  const due = world.servers.map((server) => ({
    name: server.name,
    domain: 'one',
    deadlineMs: server.cache === null ? world.nowMs : server.cache.refreshedMs + server.cache.ttlMs,
  }));
  const startMs = world.nowMs;
  for (const { server: name, atMs } of scheduleSlots({ servers: due, perSecond, startMs, seed: 1 })) {
    advance(world, Math.ceil(atMs));
    const server = world.servers.find((candidate) => candidate.name === name);
    if (server !== undefined) act(server);
  }
  advance(world, Math.ceil(startMs + (servers.length / perSecond) * 1000));
}

function readings(world: World, servers: readonly FuseServer[]): readonly FuseServer[] {
  return servers.map((server, k) => {
    const cache = world.servers[k] === undefined ? null : cacheOf(world, world.servers[k]);
    if (cache === null) return server;
    return {
      ...server,
      clocks: server.clocks.map((clock) => ({ ...clock, reading: { ...cache, readAtMs: world.nowMs } })),
    };
  });
}

/** Numbers in [0, 1) that depend on the seed alone: a Weyl sequence through MurmurHash3's finaliser. */
function numbers(seed: number): () => number {
  let state = Math.imul(seed + 1, 0x9e3779b1);
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let bits = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
    return ((bits ^ (bits >>> 16)) >>> 0) / 4_294_967_296;
  };
}
