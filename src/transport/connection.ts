import { readFile } from 'node:fs/promises';
import type { Duplex } from 'node:stream';
import type { ClientChannel, ClientErrorExtensions } from 'ssh2';
import ssh2 from 'ssh2';
import type { FailureError } from '../model/index.ts';
import type { Ran } from '../ports/index.ts';
import type { CommandOptions, NoExit } from './command.ts';
import { followCommand } from './command.ts';
import { afterMs } from './deadline.ts';
import { commandRefused, flooded, hostKeyRefused, loginDenied, lost, timedOut, unreachable } from './failures.ts';
import { authHandler, loginsOf } from './identity.ts';
import type { HostKey, HostKeyAlgorithm, KnownKeys } from './known-hosts.ts';
import { hostKeyAlgorithms, keyType, knownKeys, knownName } from './known-hosts.ts';
import { FLOOD_BYTES } from './limits.ts';
import type { SshTarget } from './target.ts';

/** One SSH session with one server, logged in. */
export interface Connection {
  /** False once it has ended, for whatever reason. */
  readonly isOpen: () => boolean;
  /** Runs a command to its exit. Rejects with `timeout`, `lost`, `denied`, `output`; `unreachable` where it was never sent. */
  readonly exec: (command: string, options: CommandOptions) => Promise<Ran>;
  /** A stream through this server to another address. Rejects with ssh2's own error, whose `reason` is RFC 4254's. */
  readonly forward: (host: string, port: number) => Promise<Duplex>;
  readonly end: () => void;
}

export interface ConnectOptions {
  readonly keepalive: { readonly intervalMs: number; readonly misses: number };
  /** The way to the server's SSH port. Has to heed the signal, which ends with the connect deadline. */
  readonly dial: (signal: AbortSignal) => Promise<Duplex>;
}

/**
 * Opens a session with strict host keys. Rejects with `unreachable`, `host-key` or `denied` within the target's
 * connect limit, or with what `dial` rejected with.
 */
export async function connect(target: SshTarget, options: ConnectOptions): Promise<Connection> {
  const known = await readKnownKeys(target);
  const offered = hostKeyAlgorithms(known.keys);
  const first = await attempt(target, options, known, offered);
  if (first !== 'nothing in common') return first;
  // The server has none of the keys that are known for it. Asked for any, it shows which one it has, for the message.
  const second = await attempt(target, options, known, hostKeyAlgorithms([]));
  if (second !== 'nothing in common') return second;
  throw unreachable(target, 'has no algorithm in common with it');
}

async function readKnownKeys(target: SshTarget): Promise<KnownKeys> {
  const texts = await Promise.all(target.knownHostsFiles.map((file) => readFile(file, 'utf8').catch(() => '')));
  return knownKeys(texts.join('\n'), target.hostKeyName ?? knownName(target.host, target.port));
}

async function attempt(
  target: SshTarget,
  options: ConnectOptions,
  known: KnownKeys,
  offered: readonly HostKeyAlgorithm[],
): Promise<Connection | 'nothing in common'> {
  const { logins, tried } = await loginsOf(target);
  const deadline = new AbortController();
  const late = unreachable(target, `did not answer within ${target.connectTimeoutMs} ms`);
  const cancel = afterMs(target.connectTimeoutMs, () => deadline.abort(late));
  try {
    const socket = await options.dial(deadline.signal);
    return await handshake(target, socket, {
      known,
      offered,
      tried,
      auth: authHandler(logins),
      keepalive: options.keepalive,
      signal: deadline.signal,
    });
  } finally {
    cancel();
  }
}

interface Handshake {
  readonly known: KnownKeys;
  readonly offered: readonly HostKeyAlgorithm[];
  readonly tried: readonly string[];
  readonly auth: ReturnType<typeof authHandler>;
  readonly keepalive: ConnectOptions['keepalive'];
  readonly signal: AbortSignal;
}

function handshake(target: SshTarget, socket: Duplex, shake: Handshake): Promise<Connection | 'nothing in common'> {
  const client = new ssh2.Client();
  let refusedKey: FailureError | null = null;
  let sawKey = false;
  let stage: 'greeting' | 'login' = 'greeting';
  const session = sessionOver(target, client);
  return new Promise((resolve, reject) => {
    const give = (outcome: FailureError | 'nothing in common'): void => {
      socket.destroy();
      if (outcome === 'nothing in common') resolve(outcome);
      else reject(outcome);
    };
    shake.signal.addEventListener('abort', () => give(shake.signal.reason as FailureError), { once: true });
    client.on('handshake', () => (stage = 'login'));
    client.on('ready', () => resolve(session));
    client.on('close', () =>
      give(unreachable(target, stage === 'greeting' ? 'was closed before it greeted' : 'was closed during the login')),
    );
    client.on('error', (error: Error & ClientErrorExtensions) => {
      if (error.level === 'agent') return; // The agent is away; ssh2 goes on with the next login.
      if (refusedKey !== null) give(refusedKey);
      else if (error.level === 'client-authentication') give(loginDenied(target, shake.tried));
      else if (error.level === 'handshake' && !sawKey) give('nothing in common');
      else if (stage === 'login' && 'code' in error && typeof error.code === 'number')
        give(loginDenied(target, shake.tried));
      else give(unreachable(target, `failed: ${networkWords(error)}`, error));
    });
    client.connect({
      sock: socket,
      username: target.user,
      algorithms: { serverHostKey: [...shake.offered] },
      authHandler: shake.auth,
      readyTimeout: 0,
      keepaliveInterval: shake.keepalive.intervalMs,
      keepaliveCountMax: shake.keepalive.misses,
      hostVerifier: (blob: Buffer) => {
        sawKey = true;
        refusedKey = judgeHostKey(target, shake.known, { type: keyType(blob) ?? 'unknown', blob });
        return refusedKey === null;
      },
    });
  });
}

function judgeHostKey(target: SshTarget, known: KnownKeys, shown: HostKey): FailureError | null {
  if (known.revoked.some((key) => key.blob.equals(shown.blob))) return hostKeyRefused(target, shown, known.keys, true);
  if (known.keys.some((key) => key.blob.equals(shown.blob))) return null;
  return hostKeyRefused(target, shown, known.keys, false);
}

function sessionOver(target: SshTarget, client: ssh2.Client): Connection {
  let open = true;
  const pending = new Set<(why: string) => void>();
  const ended = (why: string): void => {
    open = false;
    for (const reject of pending) reject(why);
    pending.clear();
  };
  // Commands are rejected from the client's own events: after a keepalive's death their channels stay silent.
  client.on('error', (error: Error & ClientErrorExtensions) => {
    if (error.level !== 'agent') ended(error.level === 'client-timeout' ? 'it no longer answers' : networkWords(error));
  });
  client.on('close', () => ended('closed'));
  return {
    isOpen: () => open,
    exec: (command, options) => exec(target, client, command, options, pending),
    forward: (host, port) =>
      new Promise((resolve, reject) => {
        const gone = (why: string): void => reject(new Error(why));
        pending.add(gone);
        client.forwardOut('127.0.0.1', 0, host, port, (error, stream) => {
          pending.delete(gone);
          if (error) reject(error);
          else resolve(stream);
        });
      }),
    end: () => {
      client.end();
      client.destroy();
      ended('closed by neap');
    },
  };
}

function exec(
  target: SshTarget,
  client: ssh2.Client,
  command: string,
  options: CommandOptions,
  pending: Set<(why: string) => void>,
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    let over = false;
    let follow: { readonly stop: (why: NoExit) => void } | null = null;
    const settle = (outcome: Ran | FailureError): void => {
      over = true;
      cancel();
      pending.delete(gone);
      if (outcome instanceof Error) reject(outcome);
      else resolve(outcome);
    };
    const gone = (why: string): void => {
      settle(lost(target, why));
      follow?.stop('lost');
    };
    // The deadline covers the opening of the channel too, which a server that cannot fork never answers.
    const cancel = afterMs(options.timeoutMs, () => {
      settle(timedOut(target, options.timeoutMs));
      follow?.stop('timeout');
    });
    pending.add(gone);
    const opened = (error: Error | undefined, channel: ClientChannel): void => {
      if (error) settle(commandRefused(target, error));
      else if (over) channel.close();
      else
        follow = followCommand(channel, options, (outcome) =>
          settle(typeof outcome === 'string' ? noExit(target, outcome, options) : outcome),
        );
    };
    try {
      client.exec(command, opened);
    } catch (error) {
      settle(unreachable(target, 'was closed', error));
    }
  });
}

function noExit(target: SshTarget, why: NoExit, options: CommandOptions): FailureError {
  if (why === 'timeout') return timedOut(target, options.timeoutMs);
  return why === 'flood' ? flooded(target, FLOOD_BYTES) : lost(target, 'its channel closed without an exit');
}

/** A network error by its code (ECONNREFUSED), which says the same on every system; other errors by ssh2's words. */
function networkWords(error: Error): string {
  return 'code' in error && typeof error.code === 'string'
    ? error.code
    : error.message.replaceAll(/[^\x20-\x7e]/g, ' ').slice(0, 200);
}
