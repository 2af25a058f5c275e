import { spawn } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startBmc } from './bmc.ts';
import type { RealBmc } from './bmc.ts';
import { startDatabase } from './database.ts';
import type { RealDatabase } from './database.ts';
import { furnish, installService, mountDisks } from './disk.ts';
import { writeFleetFile } from './fleet-file.ts';
import { Machine } from './machine.ts';
import { Printed } from './printed.ts';
import { mustRun } from './run-program.ts';
import { openWorld } from './world.ts';
import type { World } from './world.ts';

export interface RealFleetOptions {
  /** How many servers: `api-01`, `api-02`, ... At most 100. */
  readonly servers: number;
  /** Puts a jump host before the SSH of the later half of the servers. */
  readonly jump?: boolean;
  /** As whom neap logs in: a plain user with sudo (the default), or root. */
  readonly login?: 'neap' | 'root';
  /** From which the caches' times to live are drawn. 180 to 240 s by default, as in the story. */
  readonly ttlMs?: { readonly min: number; readonly max: number };
  /** How long the API waits for the database: 2 s by default. */
  readonly databaseTimeoutMs?: number;
  /** Refreshes that the fleet file says the database can serve. */
  readonly capacityPerSecond?: number;
  /** The story's bug: logged-in requests need a fresh cache in offline mode too. On by default. */
  readonly needsCacheOffline?: boolean;
  /** Servers of one failure domain: 4 by default. */
  readonly domainSize?: number;
  /** Who opens gates under `--unattended`. Nobody by default, as in every real fleet: a gate then waits for a person. */
  readonly unattendedApprover?: string;
}

/** One command that a server received. */
export interface ReceivedCommand {
  readonly atMs: number;
  /** The boot in which it came. */
  readonly bootId: string;
  /** e.g. `offline on`. */
  readonly command: string;
}

export interface RealServer {
  readonly name: string;
  readonly address: string;
  readonly machine: Machine;
  readonly bmc: RealBmc;
  readonly behindJump: boolean;
}

/** A fleet of real OpenSSH servers on this machine. What can go wrong with one of them: faults.ts. */
export interface RealFleet {
  /** Removed on close; room for a test's own files. */
  readonly dir: string;
  readonly world: World;
  readonly fleetFile: string;
  readonly sshConfig: string;
  readonly servers: readonly RealServer[];
  /** Throws where there is no such server. */
  server(name: string): RealServer;
  readonly jump: Machine | null;
  readonly database: RealDatabase;
  readonly balancerUrl: string;
  /** Every apictl command that the server received, in order; its reads too. */
  commands(name: string): readonly ReceivedCommand[];
  /** Traffic changes that the balancer took, e.g. `api-03 out`, in order. */
  trafficChanges(): Promise<readonly string[]>;
  /** Ends every process, and leaves nothing behind. Safe to call twice. */
  close(): Promise<void>;
}

const BALANCER_PORT = 8090;
const FIRST_SERVER_ADDRESS = 11;

/**
 * Starts that many real servers, each with its own network, files, processes, host key, API process and BMC, and a
 * balancer, a database and, if asked for, a jump host. Needs root and what `missingNeeds()` names. The BMCs and the
 * database are served by the calling process, which must therefore not block (`spawn`, never `spawnSync`).
 */
export async function startRealFleet(options: RealFleetOptions): Promise<RealFleet> {
  const closers: (() => Promise<void>)[] = [];
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= closeAll(closers.toReversed());
    return closing;
  };
  try {
    return await assemble(options, closers, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function closeAll(closers: readonly (() => Promise<void>)[]): Promise<void> {
  for (const close of closers) await close();
}

async function assemble(
  options: RealFleetOptions,
  closers: (() => Promise<void>)[],
  close: () => Promise<void>,
): Promise<RealFleet> {
  const { ttlMs = { min: 180_000, max: 240_000 }, databaseTimeoutMs = 2_000, login = 'neap' } = options;
  const world = await openWorld();
  closers.push(() => world.close());
  const database = await startDatabase(world.databaseAddress);
  closers.push(() => database.close());
  const machines = planMachines(world, options);
  await connect(world, machines);
  await mustRun('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'engine', '-f', join(world.dir, 'id_ed25519')]);
  const publicKey = readFileSync(join(world.dir, 'id_ed25519.pub'), 'utf8');
  await Promise.all(machines.map((machine) => furnish(machine, publicKey)));
  await mountDisks(world, machines);
  const serving = machines.filter(({ spec }) => spec.role === 'server');
  for (const machine of serving) {
    installService(machine, {
      name: machine.spec.name,
      database: { host: database.address, port: database.port },
      databaseTimeoutMs,
      ttlMs,
      needsCacheOffline: options.needsCacheOffline ?? true,
      configurationFiles: ['/srv/api/etc/api.conf', '/srv/api/etc/limits.conf'],
    });
  }
  await Promise.all(machines.map((machine) => machine.boot()));
  const servers = await Promise.all(
    serving.map(async (machine): Promise<RealServer> => {
      const bmc = await startBmc(machine.spec.name, machine);
      closers.push(() => bmc.close());
      const { name, address, sshOnlyFrom } = machine.spec;
      return { name, address, machine, bmc, behindJump: sshOnlyFrom !== undefined };
    }),
  );
  const balancerUrl = await startBalancer(world, servers);
  const jump = machines.find(({ spec }) => spec.role === 'jump') ?? null;
  const written = writeFleetFile({
    dir: world.dir,
    login,
    servers: servers.map((server, index) => ({ ...server, domain: domainOf(index, options.domainSize ?? 4) })),
    jump,
    balancerUrl,
    ttlMs,
    databaseTimeoutMs,
    capacityPerSecond: options.capacityPerSecond ?? 20,
    unattendedApprover: options.unattendedApprover,
  });
  return {
    dir: world.dir,
    world,
    ...written,
    servers,
    jump,
    database,
    balancerUrl,
    close,
    ...views(servers, balancerUrl),
  };
}

function views(
  servers: readonly RealServer[],
  balancerUrl: string,
): Pick<RealFleet, 'server' | 'commands' | 'trafficChanges'> {
  const server = (name: string) => {
    const found = servers.find((one) => one.name === name);
    if (found === undefined) throw new Error(`no server ${name} in this fleet`);
    return found;
  };
  return {
    server,
    commands: (name) => {
      const log = readFileSync(join(server(name).machine.dir, 'log/apictl.log'), 'utf8');
      return log.split('\n').filter(Boolean).map(parseCommand);
    },
    trafficChanges: async () => {
      const text = await (await fetch(`${balancerUrl}/changes`)).text();
      return text
        .split('\n')
        .filter(Boolean)
        .map((line) => line.replace(/^\d+ /, ''));
    },
  };
}

function parseCommand(line: string): ReceivedCommand {
  const [atMs = '', bootId = '', ...words] = line.split(' ');
  return { atMs: Number(atMs), bootId, command: words.join(' ') };
}

function planMachines(world: World, { servers, jump = false }: RealFleetOptions): readonly Machine[] {
  if (servers < 1 || servers > 100) throw new Error(`a real fleet has 1 to 100 servers, not ${String(servers)}`);
  const node = realpathSync(fileURLToPath(new URL('../../node_modules/.bin/node', import.meta.url)));
  const jumpAddress = `${world.net}.3`;
  const machines = Array.from({ length: servers }, (_, index) => {
    const behindJump = jump && index >= servers / 2;
    return new Machine(world, {
      name: `api-${String(index + 1).padStart(2, '0')}`,
      role: 'server',
      address: `${world.net}.${String(FIRST_SERVER_ADDRESS + index)}`,
      sshOnlyFrom: behindJump ? jumpAddress : undefined,
      node,
    });
  });
  if (jump) machines.push(new Machine(world, { name: 'jump', role: 'jump', address: jumpAddress, node }));
  return machines;
}

/** A network namespace for each, with one cable to the switch. */
async function connect(world: World, machines: readonly Machine[]): Promise<void> {
  const cables = machines.map(
    ({ spec: { name, address } }) => `ip netns add ${name}
      ip link add v-${name} type veth peer name eth0 netns ${name}
      ip link set v-${name} master switch up
      ip -n ${name} address add ${address}/24 dev eth0
      ip -n ${name} link set eth0 up
      ip -n ${name} link set lo up`,
  );
  await world.run(cables.join('\n'));
}

async function startBalancer(world: World, servers: readonly RealServer[]): Promise<string> {
  const script = fileURLToPath(new URL('balancer.ts', import.meta.url));
  const addresses = JSON.stringify(Object.fromEntries(servers.map(({ name, address }) => [name, address])));
  const enter = ['--target', String(world.pid), '--mount', '--net', '--pid', servers[0]?.machine.spec.node ?? 'node'];
  const child = spawn('nsenter', [...enter, script, world.switchAddress, String(BALANCER_PORT), addresses], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  await new Printed(child).line(/^ready$/, 20_000);
  return `http://${world.switchAddress}:${String(BALANCER_PORT)}`;
}

function domainOf(index: number, size: number): string {
  return `rack-${String(Math.floor(index / size) + 1)}`;
}
