import {
  createWorld,
  february,
  forgetReload,
  halfApply,
  hang,
  reload,
  setDatabase,
  type ServerSeed,
  type ServerState,
  type World,
  type WorldOptions,
} from '../herd/index.ts';
import type { Connections } from './connections.ts';
import type { LabOptions, Scenario } from './options.ts';

/** A lab as its scenario has it at the start. */
export interface Scene {
  readonly world: World;
  /** Servers that the engine cannot reach over SSH and HTTP, though nothing is wrong with them. */
  readonly cutOff: ReadonlySet<string>;
  /** Servers whose BMC refuses connections. */
  readonly withoutBmc: ReadonlySet<string>;
  /** Null: the database takes as many as come. */
  readonly connections: Connections | null;
}

/** How long `dead-fleet`'s database stays away, in lab milliseconds. */
const DEAD_FLEET_OUTAGE_MS = 120_000;

/** `canary-takes-all`: a server hangs above so many times its usual load, whatever it waits for. */
const OVERLOAD = 2.2;

/** `few-connections`: what a server opens; the database accepts those of all servers and so many more, of which pods elsewhere have half. */
const POOL = 64;
const SPARE_CONNECTIONS = 100;
/** So many servers may open theirs in one second. */
const CONNECTING_AT_ONCE = 4;

/** `synchronised`: caches were refreshed one after the other, so close together, in lab milliseconds. */
const SYNCHRONISED_STEP_MS = 100;

/** Builds the model and puts it into the scenario's starting point. */
export function setScene(options: LabOptions, startMs: number): Scene {
  const world = createWorld(worldOptions(options, startMs), options.seed);
  const { servers } = world;
  const third = Math.max(1, Math.floor(servers.length / 4));
  const names = (some: readonly ServerState[]): Set<string> => new Set(some.map(({ name }) => name));
  switch (options.scenario) {
    case 'half-applied':
      for (const server of [servers[0], servers[third], servers[2 * third]]) {
        if (server === undefined) continue;
        halfApply(world, server);
        reload(world, server);
      }
      for (const server of servers.slice(3 * third, 3 * third + 1)) forgetReload(world, server);
      break;
    case 'dead-server':
      die(world, servers.slice(Math.floor(servers.length / 2)).slice(0, 1));
      break;
    case 'dead-fleet':
      // All of them have just entered offline mode, in good time before the database went.
      for (const server of servers) {
        Object.assign(server, { offline: true, cache: { refreshedMs: startMs, ttlMs: server.ownTtlMs } });
      }
      setDatabase(world, 'away', startMs + DEAD_FLEET_OUTAGE_MS);
      die(
        world,
        servers.filter((_, index) => index % 10 !== 0),
      );
      break;
    case 'synchronised':
      // Something reset them all a moment ago, e.g. a push of configuration; the database is well.
      for (const [index, server] of servers.entries())
        server.cache = { refreshedMs: startMs - (index % 20) * SYNCHRONISED_STEP_MS, ttlMs: server.ownTtlMs };
      break;
    default:
  }
  return {
    world,
    cutOff: names(options.scenario === 'partition' ? servers.slice(Math.ceil(servers.length / 2)) : []),
    withoutBmc: names(options.scenario === 'bmc-down' ? servers.slice(-3) : []),
    connections: options.scenario === 'few-connections' ? fewConnections(servers.length) : null,
  };
}

/** Enough for all of them as long as nobody else takes more: one server opens its pool within a second. */
function fewConnections(servers: number): Connections {
  return {
    pool: POOL,
    max: servers * POOL + SPARE_CONNECTIONS,
    perSecond: CONNECTING_AT_ONCE * POOL,
    others: SPARE_CONNECTIONS / 2,
  };
}

/** Whether an expiry that cannot be refreshed is harmless in offline mode, as this lab's fleet file says it. */
export function whenExpired(world: World): 'fatal' | 'stale-served' | 'not-needed' {
  if (!world.options.needsCacheOffline) return 'not-needed';
  return world.options.staleOnError ? 'stale-served' : 'fatal';
}

/** What fails together. */
export function domainOf(index: number): string {
  return `rack-${'abcd'[index % 4] ?? 'a'}`;
}

function die(world: World, servers: readonly ServerState[]): void {
  for (const server of servers) {
    hang(world, server);
    server.seenUp = false;
  }
}

const HEALTHY: readonly Scenario[] = ['healthy', 'synchronised', 'canary-takes-all', 'few-connections'];

function worldOptions(options: LabOptions, startMs: number): WorldOptions {
  const bug = !HEALTHY.includes(options.scenario);
  const { model } = options;
  const digits = Math.max(2, String(options.servers).length);
  const requestsPerSecond = model.requestsPerSecond ?? february.requestsPerSecond;
  // A balancer that takes a server in offline mode for one that is down, and sends the others whatever comes.
  const leaves = options.scenario === 'canary-takes-all';
  return {
    ...february,
    // A balancer that sends nobody more than twice the usual load: one death does not kill the others.
    balancerLimitPerSecond: leaves ? null : 2 * requestsPerSecond,
    overloadPerSecond: leaves ? OVERLOAD * requestsPerSecond : null,
    offlineLeaves: leaves,
    capacityPerSecond: model.capacityPerSecond ?? 40,
    needsCacheOffline: model.needsCacheOffline ?? bug,
    halfAppliedByReset: model.halfAppliedByReset ?? bug,
    staleOnError: model.staleOnError ?? false,
    requestsPerSecond,
    databaseTimeoutMs: model.databaseTimeoutMs ?? february.databaseTimeoutMs,
    hangTimeoutMs: model.databaseTimeoutMs ?? february.databaseTimeoutMs,
    concurrencyLimit: model.concurrencyLimit ?? null,
    bootMs: model.bootMs ?? february.bootMs,
    ttl: options.ttl,
    startMs,
    servers: Array.from({ length: options.servers }, (_, index) =>
      seedOf(`api-${String(index + 1).padStart(digits, '0')}`, domainOf(index)),
    ),
  };
}

function seedOf(name: string, domain: string): ServerSeed {
  const files = [
    { path: '/srv/api/app.conf', content: appConf(name, domain, 42), older: appConf(name, domain, 41) },
    { path: '/srv/api/routes.conf', content: routesConf(name, 42), older: routesConf(name, 41) },
  ];
  return { name, files: files.map((file) => ({ ...file, mode: '0644', owner: 'root:root' })) };
}

function appConf(name: string, domain: string, version: number): string {
  return [
    `# Written by configuration management, version ${version}. Do not edit.`,
    `server = ${name}`,
    `domain = ${domain}`,
    'database = db.internal:5432',
    `database_pool = ${version === 42 ? 64 : 32}`,
    'session_cache = local',
    '',
  ].join('\n');
}

function routesConf(name: string, version: number): string {
  const routes = ['/health', '/', '/mail', '/contacts', ...(version === 42 ? ['/calendar'] : [])];
  return [`# Routes of ${name}, version ${version}.`, ...routes.map((route) => `route ${route} -> api`), ''].join('\n');
}
