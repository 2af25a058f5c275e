import { readFile } from 'node:fs/promises';
import type { Duplex } from 'node:stream';
import type { ClientErrorExtensions } from 'ssh2';
import ssh2 from 'ssh2';
import type { FailureError } from '../model/index.ts';
import { afterMs } from './deadline.ts';
import { hostKeyRefused, loginDenied, unreachable } from './failures.ts';
import { authHandler, loginsOf } from './identity.ts';
import type { HostKey, HostKeyAlgorithm, KnownKeys } from './known-hosts.ts';
import { hostKeyAlgorithms, keyType, knownKeys, knownName } from './known-hosts.ts';
import { DROPPED_WAITS_MS } from './limits.ts';
import type { Connection } from './session.ts';
import { networkWords, sessionOver } from './session.ts';
import type { SshTarget } from './target.ts';

export interface ConnectOptions {
  readonly keepalive: { readonly intervalMs: number; readonly misses: number };
  /** The way to the server's SSH port. Has to heed the signal, which ends with the connect deadline. */
  readonly dial: (signal: AbortSignal) => Promise<Duplex>;
}

/**
 * Opens a session with strict host keys. Rejects with `unreachable`, `host-key` or `denied` within the target's
 * connect limit, or with what `dial` rejected with. A server that hangs up without a greeting is tried again, twice:
 * that is how sshd turns logins away when it has too many at once (MaxStartups), and nothing was sent by then.
 */
export async function connect(target: SshTarget, options: ConnectOptions): Promise<Connection> {
  const deadline = new AbortController();
  const late = unreachable(target, `did not answer within ${target.connectTimeoutMs} ms`);
  const cancel = afterMs(target.connectTimeoutMs, () => deadline.abort(late));
  try {
    const known = await readKnownKeys(target);
    let offered = hostKeyAlgorithms(known.keys);
    for (const waitMs of [...DROPPED_WAITS_MS, null]) {
      let outcome = await attempt(target, options, known, offered, deadline.signal);
      if (outcome === 'nothing in common') {
        // It has none of the keys that are known for it. Asked for any, it shows which one it has, for the message.
        offered = hostKeyAlgorithms([]);
        outcome = await attempt(target, options, known, offered, deadline.signal);
      }
      if (outcome === 'nothing in common') throw unreachable(target, 'has no algorithm in common with it');
      if (outcome !== 'dropped') return outcome;
      if (waitMs !== null) await new Promise<void>((resolve) => afterMs(waitMs, resolve));
    }
    throw unreachable(target, 'was closed before it greeted');
  } finally {
    cancel();
  }
}

/** What an attempt may come to besides a session or a failure. */
type Undecided = 'nothing in common' | 'dropped';

async function readKnownKeys(target: SshTarget): Promise<KnownKeys> {
  const texts = await Promise.all(target.knownHostsFiles.map((file) => readFile(file, 'utf8').catch(() => '')));
  return knownKeys(texts.join('\n'), target.hostKeyName ?? knownName(target.host, target.port));
}

async function attempt(
  target: SshTarget,
  options: ConnectOptions,
  known: KnownKeys,
  offered: readonly HostKeyAlgorithm[],
  signal: AbortSignal,
): Promise<Connection | Undecided> {
  signal.throwIfAborted();
  const { logins, tried } = await loginsOf(target);
  const socket = await options.dial(signal);
  return handshake(target, socket, {
    known,
    offered,
    tried,
    auth: authHandler(logins),
    keepalive: options.keepalive,
    signal,
  });
}

interface Handshake {
  readonly known: KnownKeys;
  readonly offered: readonly HostKeyAlgorithm[];
  readonly tried: readonly string[];
  readonly auth: ReturnType<typeof authHandler>;
  readonly keepalive: ConnectOptions['keepalive'];
  readonly signal: AbortSignal;
}

function handshake(target: SshTarget, socket: Duplex, shake: Handshake): Promise<Connection | Undecided> {
  const client = new ssh2.Client();
  let refusedKey: FailureError | null = null;
  let sawKey = false;
  let greeted = false;
  let stage: 'greeting' | 'login' = 'greeting';
  const session = sessionOver(target, client);
  return new Promise((resolve, reject) => {
    const give = (outcome: FailureError | Undecided): void => {
      socket.destroy();
      if (typeof outcome === 'string') resolve(outcome);
      else reject(outcome);
    };
    shake.signal.addEventListener('abort', () => give(shake.signal.reason as FailureError), { once: true });
    client.on('handshake', () => (stage = 'login'));
    client.on('ready', () => resolve(session));
    client.on('close', () => give(greeted ? unreachable(target, 'was closed during the login') : 'dropped'));
    client.on('error', (error: Error & ClientErrorExtensions) => {
      if (error.level === 'agent') return; // The agent is away; ssh2 goes on with the next login.
      if (refusedKey !== null) give(refusedKey);
      else if (error.level === 'client-authentication') give(loginDenied(target, shake.tried));
      else if (error.level === 'handshake' && !sawKey) give('nothing in common');
      else if (stage === 'login' && 'code' in error && typeof error.code === 'number')
        give(loginDenied(target, shake.tried));
      else give(greeted ? unreachable(target, `failed: ${networkWords(error)}`, error) : 'dropped');
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
    // Only now: ssh2 has paused the stream until it reads itself, so that this listener takes nothing away from it.
    socket.once('data', (chunk: Buffer) => (greeted = chunk.includes('SSH-')));
  });
}

function judgeHostKey(target: SshTarget, known: KnownKeys, shown: HostKey): FailureError | null {
  if (known.revoked.some((key) => key.blob.equals(shown.blob))) return hostKeyRefused(target, shown, known.keys, true);
  if (known.keys.some((key) => key.blob.equals(shown.blob))) return null;
  return hostKeyRefused(target, shown, known.keys, false);
}
