import type { Duplex } from 'node:stream';
import type { ClientChannel, ClientErrorExtensions } from 'ssh2';
import type ssh2 from 'ssh2';
import type { FailureError } from '../model/index.ts';
import type { Ran } from '../ports/index.ts';
import type { CommandOptions, NoExit } from './command.ts';
import { followCommand } from './command.ts';
import { afterMs } from './deadline.ts';
import { commandRefused, flooded, lost, timedOut, unreachable } from './failures.ts';
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

/** A session over a client that is about to log in; of use from its `ready` on. */
export function sessionOver(target: SshTarget, client: ssh2.Client): Connection {
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
export function networkWords(error: Error): string {
  return 'code' in error && typeof error.code === 'string'
    ? error.code
    : error.message.replaceAll(/[^\x20-\x7e]/g, ' ').slice(0, 200);
}
