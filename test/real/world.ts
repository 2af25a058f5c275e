import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Printed } from './printed.ts';
import { mustRun, runProgram } from './run-program.ts';

/**
 * The place in which one fleet lives: a process whose network namespace is the switch between the machines and whose
 * mount namespace holds their disks. Everything else is inside it, so nothing of the fleet outlives it, and it ends
 * by itself when the test process does.
 */
export interface World {
  /** Logs, keys and the fleet's files. Removed with the world. */
  readonly dir: string;
  /** `198.18.N`: the /24 that the fleet uses, from the block set aside for tests of networks (RFC 2544). */
  readonly net: string;
  /** The engine's side: where the test process and neap stand. */
  readonly hostAddress: string;
  readonly databaseAddress: string;
  readonly switchAddress: string;
  /** The process id, in the host's eyes, of process 1 in there. */
  readonly pid: number;
  /** A path of the world's mount namespace, as a path that this process can use. */
  path(inside: string): string;
  /** Runs a bash script on the switch. Throws when it fails. */
  run(script: string): Promise<string>;
  close(): Promise<void>;
}

/** Opens an empty world, linked to this process by one veth pair. Throws when the kernel refuses. */
export async function openWorld(): Promise<World> {
  const dir = await mkdtemp(join(tmpdir(), 'neap-real-'));
  const child = spawn(
    'unshare',
    ['--mount', '--net', '--pid', '--fork', '--kill-child=SIGKILL', 'bash', scriptPath('world.sh')],
    { env: { ...process.env, fleet_dir: dir }, stdio: ['pipe', 'pipe', 'inherit'], detached: true },
  );
  const pid = await new Printed(child).line(/^pid \d+$/, 10_000);
  const link = `nr${randomBytes(4).toString('hex')}`;
  const world = describeWorld(dir, child, Number(pid.slice(4)), link);
  try {
    await linkToHost(world, link);
  } catch (error) {
    await world.close();
    throw error;
  }
  return world;
}

/** The path of one of the bash scripts beside the harness. */
export function scriptPath(name: string): string {
  return fileURLToPath(new URL(`server/${name}`, import.meta.url));
}

function describeWorld(dir: string, child: ChildProcess, pid: number, link: string): World {
  const net = freeNet();
  const ended = once(child, 'exit');
  return {
    dir,
    net,
    hostAddress: `${net}.1`,
    switchAddress: `${net}.2`,
    databaseAddress: `${net}.254`,
    pid,
    path: (inside) => `/proc/${String(pid)}/root${inside}`,
    run: (script) => mustRun('nsenter', ['--target', String(pid), '--mount', '--net', '--pid', 'bash', '-ec', script]),
    async close() {
      // The kernel would take the link away too, but some time after the namespace.
      await runProgram('ip', ['link', 'delete', link]);
      child.stdin?.end();
      await ended;
    },
  };
}

async function linkToHost(world: World, link: string): Promise<void> {
  await mustRun('ip', ['link', 'add', link, 'type', 'veth', 'peer', 'name', 'host', 'netns', String(world.pid)]);
  await world.run(`ip address add ${world.switchAddress}/24 dev switch; ip link set host master switch up`);
  await mustRun('ip', ['address', 'add', `${world.hostAddress}/24`, 'dev', link]);
  await mustRun('ip', ['link', 'set', link, 'up']);
  // A second address of the same machine: a partition between engine and servers leaves the database in reach.
  await mustRun('ip', ['address', 'add', `${world.databaseAddress}/24`, 'dev', link]);
}

function freeNet(): string {
  const taken = Object.values(networkInterfaces()).flatMap(
    (addresses) => addresses?.map(({ address }) => address) ?? [],
  );
  const free = Array.from({ length: 256 }, (_, third) => `198.18.${String(third)}`).filter(
    (net) => !taken.some((address) => address.startsWith(`${net}.`)),
  );
  const net = free[Math.floor(Math.random() * free.length)];
  if (net === undefined) throw new Error('every network of 198.18.0.0/16 is in use on this machine');
  return net;
}
