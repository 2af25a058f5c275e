import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo, Server as TcpServer } from 'node:net';
import { createServer, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Connection, ServerChannel } from 'ssh2';
import ssh2 from 'ssh2';
import { FailureError } from '../../src/model/index.ts';
import { createPace, openJumps, openShell } from '../../src/transport/index.ts';
import type { ShellOptions, SshTarget } from '../../src/transport/index.ts';

/** What a test's server does with a command; it has to end the channel itself. */
export type Answer = (command: string, channel: ServerChannel, connection: Connection) => void;

export interface Sshd {
  readonly port: number;
  readonly hostKey: Key;
  readonly commands: string[];
  logins: number;
  /** Cuts every connection, as a crash does. */
  readonly cut: () => void;
  readonly close: () => Promise<void>;
}

export interface Key {
  readonly private: string;
  readonly public: string;
}

/** ssh2 makes an ed25519 key that it cannot read about once in 256 times; ECDSA keys are always good. */
export function newKey(): Key {
  return ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 });
}

export interface SshdOptions {
  readonly hostKeys?: readonly Key[];
  readonly userKey: Key;
  readonly answer?: Answer;
  readonly forward?: boolean;
}

/** An SSH server in this process, on a port of the system's choice. */
export async function startSshd(options: SshdOptions): Promise<Sshd> {
  const hostKeys = options.hostKeys ?? [newKey()];
  const allowed = publicBlob(options.userKey);
  const sockets = new Set<Socket>();
  const server = new ssh2.Server({ hostKeys: hostKeys.map((key) => key.private) }, (connection) => {
    connection.on('error', () => undefined);
    connection.on('authentication', (context) => {
      if (context.method !== 'publickey' || !context.key.data.equals(allowed)) context.reject(['publickey']);
      else context.accept();
    });
    connection.on('ready', () => (sshd.logins += 1));
    connection.on('session', (accept) =>
      accept().on('exec', (acceptExec, _reject, info) => {
        sshd.commands.push(info.command);
        const channel = acceptExec();
        channel.on('error', () => undefined);
        if (options.answer === undefined) finish(channel, 0);
        else options.answer(info.command, channel, connection);
      }),
    );
    if (options.forward === true) forwardAll(connection);
  });
  const tcp = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    server.injectSocket(socket);
  });
  const port = await listen(tcp);
  const cut = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  const [hostKey] = hostKeys;
  if (hostKey === undefined) throw new Error('a server has a host key');
  const sshd: Sshd = {
    port,
    hostKey,
    commands: [],
    logins: 0,
    cut,
    close: () => {
      cut();
      return new Promise((resolve) => tcp.close(() => resolve()));
    },
  };
  return sshd;
}

export function finish(channel: ServerChannel, code: number, stdout = '', stderr = ''): void {
  channel.write(stdout);
  channel.stderr.write(stderr);
  channel.exit(code);
  channel.end();
}

function forwardAll(connection: Connection): void {
  connection.on('tcpip', (accept, reject, info) => {
    const onward = new Socket();
    onward.once('error', () => reject());
    onward.connect(info.destPort, info.destIP, () => {
      const channel = accept();
      onward.removeAllListeners('error');
      onward.on('error', () => channel.close());
      channel.on('error', () => onward.destroy());
      channel.pipe(onward).pipe(channel);
    });
  });
}

function publicBlob(key: Key): Buffer {
  const parsed = ssh2.utils.parseKey(key.public);
  if (parsed instanceof Error) throw parsed;
  return parsed.getPublicSSH();
}

export function listen(tcp: TcpServer): Promise<number> {
  return new Promise((resolve) => tcp.listen(0, '127.0.0.1', () => resolve((tcp.address() as AddressInfo).port)));
}

/** A directory with a user key and known hosts, and targets and shells made of it; `close` ends all of it. */
export function login(): {
  readonly dir: string;
  readonly userKey: Key;
  readonly know: (...lines: string[]) => void;
  readonly trust: (sshd: Sshd) => void;
  readonly target: (port: number, over?: Partial<SshTarget>) => SshTarget;
  readonly shell: (target: SshTarget, over?: Partial<ShellOptions>) => ReturnType<typeof openShell>;
  readonly close: () => void;
} {
  const dir = mkdtempSync(join(tmpdir(), 'neap-ssh-'));
  const userKey = newKey();
  const lines: string[] = [];
  const jumps = openJumps();
  const shells: ReturnType<typeof openShell>[] = [];
  writeFileSync(join(dir, 'id'), userKey.private, { mode: 0o600 });
  const know = (...more: string[]): void => {
    lines.push(...more);
    writeFileSync(join(dir, 'known_hosts'), `${lines.join('\n')}\n`);
  };
  return {
    dir,
    userKey,
    know,
    trust: (sshd) => know(`[127.0.0.1]:${sshd.port} ${sshd.hostKey.public}`),
    target: (port, over = {}) => ({
      name: 'api-1',
      host: '127.0.0.1',
      port,
      user: 'deploy',
      identityFiles: [join(dir, 'id')],
      identitiesOnly: false,
      agent: null,
      knownHostsFiles: [join(dir, 'known_hosts')],
      hostKeyName: null,
      jump: null,
      connectTimeoutMs: 2_000,
      ...over,
    }),
    shell: (target, over = {}) => {
      const shell = openShell(target, { jumps, pace: createPace(32), ...over });
      shells.push(shell);
      return shell;
    },
    close: () => {
      for (const shell of shells) shell.close();
      jumps.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** The failure that a promise rejects with; anything else is an error of the test. */
export async function failureOf(promise: Promise<unknown>): Promise<{
  readonly kind: string;
  readonly what: string;
  readonly where: string;
  readonly state: string;
  readonly remedy: string;
  readonly path?: string | undefined;
}> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof FailureError) return error.failure;
    throw error;
  }
  throw new Error('it did not fail');
}
