import type { FleetInput } from '../model/index.ts';
import { LAB_USER } from './account.ts';
import { admissionOf } from './balancer.ts';
import type { LabClock } from './clock.ts';
import type { Connections } from './connections.ts';
import { domainOf, whenExpired } from './scene.ts';
import type { World } from '../herd/index.ts';
import { LAB_SESSION } from './web.ts';

/** On the loopback silence is known sooner than over a network; in real milliseconds. */
const CONNECT_TIMEOUT_MS = 3_000;

/** Where one server of the lab is reached. */
export interface Addresses {
  readonly name: string;
  readonly sshPort: number;
  /** Its public key, as in a known_hosts file. */
  readonly hostKey: string;
  readonly webPort: number;
  readonly bmcPort: number;
  readonly bmcFingerprint: string;
}

/** What a fleet file says besides its servers' addresses. */
export interface FleetParts {
  readonly name: string;
  readonly dir: string;
  readonly clock: LabClock;
  readonly world: World;
  readonly addresses: readonly Addresses[];
  readonly balancerPort: number;
  readonly controlPort: number;
  /** Null: nothing is known of the database's connections. */
  readonly connections: (Connections & { readonly port: number }) | null;
}

/** The lab's balancer turns its page at once; a call over a busy machine takes its time, in lab milliseconds. */
const EDGE_TAKES_MS = 5_000;

type ServerInput = FleetInput['servers'][number];
type ServiceInput = ServerInput['service'];

/** I/O deadline of a call that waits for nothing, in real milliseconds. */
const CALL_MS = 4_000;

/** The lab as a fleet like any other. */
export function fleetOf(parts: FleetParts): FleetInput {
  const { anchorRealMs, anchorPlanMs, rate } = parts.clock;
  const balancer = `http://127.0.0.1:${parts.balancerPort}`;
  return {
    name: parts.name,
    clock: { anchorRealMs, anchorPlanMs, rate },
    unattendedApprover: 'demo',
    edge: {
      read: { get: `${balancer}/page`, field: 'on', timeoutMs: CALL_MS },
      on: { send: `${balancer}/page`, method: 'PUT', body: { on: true }, timeoutMs: CALL_MS },
      off: { send: `${balancer}/page`, method: 'PUT', body: { on: false }, timeoutMs: CALL_MS },
      takesMs: EDGE_TAKES_MS,
    },
    control: [{ name: 'control', get: `http://127.0.0.1:${parts.controlPort}/` }],
    ...servingOf(parts),
    servers: parts.addresses.map((addresses, index) => serverOf(parts, addresses.name, index, addresses)),
  };
}

/** The fleet as the text of a module that `neap` can load. */
export function fleetModule(fleet: FleetInput): string {
  return [
    "import { defineFleet } from 'neap';",
    '',
    '// Written by `neap lab up`. The clock is how lab time follows real time.',
    `export default defineFleet(${JSON.stringify(fleet, null, 2)});`,
    '',
  ].join('\n');
}

/** So that `ssh -F ssh_config api-01` works, and reaches nothing else. */
export function sshConfig(fleet: FleetInput): string {
  const hosts = fleet.servers.flatMap(({ name, ssh }) =>
    typeof ssh === 'object'
      ? [
          `Host ${name}`,
          `  HostName ${ssh.host}`,
          `  Port ${ssh.port ?? 22}`,
          `  User ${ssh.user}`,
          `  IdentityFile "${ssh.identityFile}"`,
          `  UserKnownHostsFile "${ssh.knownHostsFile}"`,
        ]
      : [],
  );
  const always = [
    'Host *',
    '  IdentitiesOnly yes',
    '  IdentityAgent none',
    '  GlobalKnownHostsFile none',
    '  StrictHostKeyChecking yes',
    '  BatchMode yes',
  ];
  return `${[...hosts, ...always].join('\n')}\n`;
}

function serverOf(parts: FleetParts, name: string, index: number, addresses: Addresses): ServerInput {
  const { sshPort, webPort, bmcPort, bmcFingerprint } = addresses;
  return {
    name,
    group: 'api',
    domain: domainOf(index),
    ssh: {
      host: '127.0.0.1',
      port: sshPort,
      user: LAB_USER,
      identityFile: `${parts.dir}/user_key`,
      knownHostsFile: `${parts.dir}/known_hosts`,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
    },
    url: `http://127.0.0.1:${webPort}`,
    bmc: {
      protocol: 'redfish',
      url: `https://127.0.0.1:${bmcPort}`,
      user: LAB_USER,
      password: `file:${parts.dir}/bmc-password`,
      fingerprint: bmcFingerprint,
    },
    service: serviceOf(parts, name),
  };
}

/** What the balancer does, and what the database accepts. */
function servingOf({ world, connections }: FleetParts): Pick<FleetInput, 'balancers' | 'dependencies'> {
  const { requestsPerSecond, offlineLeaves, overloadPerSecond, balancerLimitPerSecond } = world.options;
  const balancer: NonNullable<FleetInput['balancers']>[string] = {
    offline: offlineLeaves ? 'leaves' : 'answers',
    returnSurge: 1,
    ...(overloadPerSecond === null ? {} : { serverCapacityPerSecond: overloadPerSecond }),
    ...(balancerLimitPerSecond === null ? {} : { limitPerSecond: balancerLimitPerSecond }),
  };
  return {
    ...(requestsPerSecond > 0 ? { balancers: { api: balancer } } : {}),
    ...(connections === null ? {} : { dependencies: { database: { connections: limitsOf(connections) } } }),
  };
}

function limitsOf({
  max,
  perSecond,
  others,
  port,
}: NonNullable<FleetParts['connections']>): NonNullable<
  NonNullable<FleetInput['dependencies']>[string]['connections']
> {
  return {
    max,
    perSecond,
    others: [{ name: 'kubernetes', pool: 1, pods: others }],
    now: { get: `http://127.0.0.1:${port}/connections`, field: 'connections' },
  };
}

function serviceOf({ world, clock, balancerPort, connections }: FleetParts, name: string): ServiceInput {
  const { options } = world;
  // A call that may wait for the database waits in the lab's time.
  const slowMs = Math.ceil(CALL_MS + clock.realMs(options.databaseTimeoutMs));
  const quick = { timeoutMs: CALL_MS };
  const slow = { timeoutMs: slowMs };
  const { minMs: min, maxMs: max } = options.ttl;
  const at = `http://127.0.0.1:${balancerPort}/servers/${name}`;
  const files = options.servers.find((server) => server.name === name)?.files ?? [];
  return {
    offline: {
      read: { run: 'apictl offline status', ...quick },
      on: { run: 'apictl offline on', ...slow },
      off: { run: 'apictl offline off', ...quick },
    },
    version: { run: 'apictl version', ...quick },
    clocks: [
      {
        name: 'config',
        read: { run: 'apictl cache status', ...quick },
        refresh: { run: 'apictl cache refresh', ...slow },
        ttlMs: { min, max },
        whenExpired: whenExpired(world),
      },
    ],
    dependencies: {
      database: {
        answers: { run: 'apictl database ping', ...slow },
        cut: { run: 'apictl path cut database {seconds}' },
        restore: { run: 'apictl path restore database' },
        path: { run: 'apictl path status database', ...quick },
        cutManner: 'drop',
        delay: { run: 'apictl database delay', ...slow },
        timeoutMs: options.databaseTimeoutMs,
        capacityPerSecond: options.capacityPerSecond,
        ...(connections === null ? {} : { pool: connections.pool }),
      },
    },
    configuration: {
      files: files.map(({ path, content, mode, owner }) => ({
        path,
        expect: { text: content },
        mode,
        owner,
        show: true,
      })),
      running: { run: 'apictl running', ...quick },
      reload: { run: 'apictl reload', ...quick },
      become: true,
    },
    traffic: balancedBy(world, at),
    probes: {
      health: { path: '/health', withinMs: 3_000 },
      anonymous: { path: '/', withinMs: 3_000 },
      loggedIn: { path: '/mail', headers: LAB_SESSION, withinMs: 3_000 },
    },
    load: loadOf(options),
  };
}

function loadOf({ requestsPerSecond, memory, concurrencyLimit }: World['options']): NonNullable<ServiceInput['load']> {
  return {
    requestsPerSecond,
    memoryPerRequestBytes: memory.perRequestBytes,
    memoryFreeBytes: memory.limitBytes - memory.baseBytes,
    ...(concurrencyLimit === null ? {} : { concurrencyLimit }),
  };
}

/** What the lab's balancer can be asked and told of one server. */
function balancedBy(world: World, at: string): NonNullable<ServiceInput['traffic']> {
  return {
    read: { get: at, field: 'state' },
    health: { get: at, field: 'health' },
    in: { send: at, method: 'PUT', body: { state: 'in' } },
    out: { send: at, method: 'PUT', body: { state: 'out' } },
    admission: {
      perSecond: Math.max(1, admissionOf(world)),
      read: { get: at, field: 'admission' },
      hold: { send: at, method: 'PUT', body: { admission: 'held' } },
      free: { send: at, method: 'PUT', body: { admission: 'free' } },
    },
  };
}
