import { connect as connectTcp } from 'node:net';
import type { Duplex } from 'node:stream';
import { unreachable } from './failures.ts';
import type { SshTarget } from './target.ts';

/** A TCP connection to a server's SSH port. Rejects with `unreachable`, or with the signal's reason when it aborts. */
export function dialTcp(target: SshTarget, signal: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp({ host: target.host, port: target.port, noDelay: true });
    const abort = (): void => {
      socket.destroy();
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', abort, { once: true });
    socket.once('error', (error: NodeJS.ErrnoException) =>
      reject(unreachable(target, `failed: ${error.code ?? error.message}`, error)),
    );
    socket.once('connect', () => {
      signal.removeEventListener('abort', abort);
      resolve(socket);
    });
  });
}
