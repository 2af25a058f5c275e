import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { mustRun } from './run-program.ts';

/** One OpenSSH server on the loopback, on this machine's own files, that lets this user in. */
export interface PlainSshd {
  readonly dir: string;
  readonly port: number;
  /** An OpenSSH configuration in which the server has this name. */
  readonly sshConfig: string;
  /** Ends the server; connections that it has served until now end too. */
  down(): Promise<void>;
  up(): Promise<void>;
  close(): Promise<void>;
}

/** Starts one, under the name by which the configuration knows it. Needs root, as sshd does where it changes users. */
export async function startPlainSshd(name: string): Promise<PlainSshd> {
  const dir = mkdtempSync(join(tmpdir(), 'neap-plain-sshd-'));
  mkdirSync('/run/sshd', { recursive: true });
  for (const key of ['host', 'id'])
    await mustRun('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(dir, key)]);
  const port = await freePort();
  writeFileSync(
    join(dir, 'sshd_config'),
    `Port ${port}\nListenAddress 127.0.0.1\nHostKey ${dir}/host\nAuthorizedKeysFile ${dir}/id.pub\nStrictModes no\nUsePAM no\nPermitRootLogin yes\nPasswordAuthentication no\nPidFile none\n`,
  );
  writeFileSync(join(dir, 'known_hosts'), `[127.0.0.1]:${port} ${readFileSync(join(dir, 'host.pub'), 'utf8')}`);
  const sshConfig = join(dir, 'ssh_config');
  writeFileSync(
    sshConfig,
    `Host ${name}\n  HostName 127.0.0.1\n  Port ${port}\n  User ${userInfo().username}\n  IdentityFile ${dir}/id\n  IdentitiesOnly yes\n  IdentityAgent none\n  UserKnownHostsFile ${dir}/known_hosts\n  GlobalKnownHostsFile none\n  ConnectTimeout 3\n`,
  );
  let daemon: ChildProcess | null = null;
  const up = async (): Promise<void> => {
    daemon = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', join(dir, 'sshd_config')], { stdio: 'ignore', detached: true });
    await answers(port);
  };
  const down = async (): Promise<void> => {
    if (daemon?.pid === undefined) return;
    const ended = new Promise((resolve) => daemon?.once('exit', resolve));
    const sessions = childrenOf(daemon.pid);
    process.kill(daemon.pid, 'SIGKILL');
    for (const pid of sessions) process.kill(pid, 'SIGKILL');
    await ended;
    daemon = null;
  };
  await up();
  return {
    dir,
    port,
    sshConfig,
    up,
    down,
    close: async () => {
      await down();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function childrenOf(parent: number): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .filter((pid) => {
      try {
        // proc(5): `pid (command) state ppid ...`
        return (
          / [A-Z] (\d+) /.exec(readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\)/s, ''))?.[1] === String(parent)
        );
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** A port of the loopback that nobody has. */
export async function freePort(): Promise<number> {
  const tcp = createServer();
  await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
  const { port } = tcp.address() as AddressInfo;
  await new Promise((resolve) => tcp.close(resolve));
  return port;
}

/** Resolves when something listens there; rejects after ten seconds. */
export async function answers(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const up = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (up) return;
    await sleep(50);
  }
  throw new Error(`nothing listens on port ${port}`);
}
