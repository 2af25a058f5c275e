import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Printed } from './printed.ts';
import { mustRun } from './run-program.ts';
import { scriptPath } from './world.ts';
import type { World } from './world.ts';

const BOOT_LIMIT_MS = 60_000;
const KILL_LIMIT_MS = 10_000;

export interface MachineSpec {
  readonly name: string;
  readonly role: 'server' | 'jump';
  readonly address: string;
  /** Only from here does its port 22 take connections. */
  readonly sshOnlyFrom?: string | undefined;
  /** The Node that runs its API process. */
  readonly node: string;
}

/** One machine: namespaces and a disk that stay, and boots that come and go. */
export class Machine {
  readonly spec: MachineSpec;
  /** Its directory on the host: etc/, log/, faults/ and boot_id; srv/ is its disk, a tmpfs that only the world sees. */
  readonly dir: string;
  readonly world: World;
  #init: { readonly pid: number; readonly child: ChildProcess } | null = null;

  constructor(world: World, spec: MachineSpec) {
    this.world = world;
    this.spec = spec;
    this.dir = join(world.dir, spec.name);
  }

  /** Its disk, as a path that this process can use. */
  get disk(): string {
    return this.world.path(join(this.dir, 'srv'));
  }

  /** The boot that it is in, as it tells those who log in. */
  get bootId(): string {
    return readFileSync(join(this.dir, 'boot_id'), 'utf8').trim();
  }

  get running(): boolean {
    return this.#init !== null;
  }

  /** Starts it under a new boot id; resolves when sshd and the API process listen. */
  async boot(): Promise<void> {
    if (this.#init !== null) throw new Error(`${this.spec.name} is running`);
    const { name, role, sshOnlyFrom, node } = this.spec;
    writeFileSync(join(this.dir, 'boot_id'), `${randomUUID()}\n`);
    const world = String(this.world.pid);
    const namespaces = ['--target', world, '--mount', '--pid', `--net=${this.world.path(`/run/netns/${name}`)}`];
    const log = openSync(join(this.dir, 'log', 'boot.log'), 'a');
    const isolate = ['unshare', '--mount', '--pid', '--uts', '--ipc', '--fork', '--kill-child=SIGKILL'];
    const child = spawn('nsenter', [...namespaces, ...isolate, 'bash', scriptPath('boot.sh')], {
      env: {
        PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        name,
        role,
        node,
        dir: this.dir,
        fleet_dir: this.world.dir,
        ssh_only_from: sshOnlyFrom ?? '',
      },
      stdio: ['ignore', 'pipe', log],
      detached: true,
    });
    closeSync(log);
    const printed = new Printed(child);
    const pid = await printed.line(/^pid \d+$/, BOOT_LIMIT_MS);
    this.#init = { pid: Number(pid.slice(4)), child };
    await printed.line(/^ready$/, BOOT_LIMIT_MS);
  }

  /** The plug is pulled: SIGKILL to its process 1, and the kernel kills all others. Resolves when they are gone. */
  async cutPower(): Promise<void> {
    if (this.#init === null) return;
    const { pid, child } = this.#init;
    this.#init = null;
    const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : null;
    process.kill(pid, 'SIGKILL');
    await ended;
  }

  /** Runs a bash script on it as root, past its sshd. Throws when it fails. */
  run(script: string): Promise<string> {
    return mustRun('nsenter', ['--target', String(this.#initPid()), '--all', 'bash', '-ec', script]);
  }

  /** Sends a signal to all of its processes whose name begins with `name`, but never to process 1. */
  signal(signal: NodeJS.Signals, name = ''): void {
    for (const pid of this.#living(name)) sendSignal(pid, signal);
  }

  /** Kills those whose name begins with `name`; resolves when they hold nothing any more. */
  async kill(name: string): Promise<void> {
    this.signal('SIGKILL', name);
    const untilMs = performance.now() + KILL_LIMIT_MS;
    while (this.#living(name).length > 0) {
      if (performance.now() > untilMs) throw new Error(`${name} on ${this.spec.name} does not die`);
      await sleep(5);
    }
  }

  #living(name: string): readonly number[] {
    const init = this.#initPid();
    const namespace = readlinkSync(`/proc/${String(init)}/ns/pid`);
    return readdirSync('/proc')
      .map(Number)
      .filter((pid) => !Number.isNaN(pid) && pid !== init && namespaceOf(pid) === namespace)
      .filter((pid) => {
        const { command, state } = statusOf(pid);
        return command.startsWith(name) && state !== 'Z';
      });
  }

  #initPid(): number {
    if (this.#init === null) throw new Error(`${this.spec.name} is off`);
    return this.#init.pid;
  }
}

// One that has just ended by itself needs no signal any more.
function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function namespaceOf(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${String(pid)}/ns/pid`);
  } catch {
    return null;
  }
}

// proc(5): `pid (command) state ...`, where a command may hold brackets and blanks of its own.
function statusOf(pid: number): { readonly command: string; readonly state: string } {
  try {
    const [, command = '', state = 'Z'] =
      /^\d+ \((.*)\) (\w)/s.exec(readFileSync(`/proc/${String(pid)}/stat`, 'utf8')) ?? [];
    return { command, state };
  } catch {
    return { command: '', state: 'Z' };
  }
}
