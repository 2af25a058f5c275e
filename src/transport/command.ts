import type { ClientChannel } from 'ssh2';
import type { Ran } from '../ports/index.ts';
import { afterMs } from './deadline.ts';
import { EXIT_GRACE_MS, FLOOD_BYTES } from './limits.ts';

/** Why a command has no exit of its own. */
export type NoExit = 'timeout' | 'flood' | 'lost';

export interface CommandOptions {
  /** From the request to the exit. */
  readonly timeoutMs: number;
  readonly stdin: string | undefined;
  readonly outputBytes: number;
}

/**
 * Follows one command on its channel to its exit. Settles once, whatever the channel does: a channel never closes
 * when its connection dies of a keepalive, and stays open when a child of the command still holds its output.
 * `stop` ends the waiting from outside: the deadline and the connection are the caller's to watch.
 */
export function followCommand(
  channel: ClientChannel,
  options: CommandOptions,
  settled: (outcome: Ran | NoExit) => void,
): { readonly stop: (why: NoExit) => void } {
  const stdout = collect(options.outputBytes);
  const stderr = collect(options.outputBytes);
  let exit: { code: number | null; signal: string | null } | null = null;
  let over = false;
  let cancelGrace = (): void => undefined;

  const finish = (outcome: NoExit | 'exit'): void => {
    if (over) return;
    over = true;
    cancelGrace();
    channel.close();
    if (outcome !== 'exit' || exit === null) return settled(outcome === 'exit' ? 'lost' : outcome);
    settled({
      ...exit,
      stdout: stdout.text(),
      stderr: stderr.text(),
      truncated: stdout.truncated() || stderr.truncated(),
    });
  };
  const take = (into: Collected) => (chunk: Buffer) => {
    if (over) return;
    into.add(chunk);
    if (stdout.seenBytes() + stderr.seenBytes() > FLOOD_BYTES) finish('flood');
  };

  channel.on('data', take(stdout));
  channel.stderr.on('data', take(stderr));
  channel.on('exit', (code: number | null, signal?: string) => {
    exit = { code, signal: signal ?? null };
    cancelGrace = afterMs(EXIT_GRACE_MS, () => finish('exit'));
  });
  channel.on('close', () => finish('exit'));
  // Its input ends at once, and after that ssh2 sends no signals: a command that is given up on may run on.
  // A command may also end without having read its input: its exit tells, the broken pipe does not.
  channel.on('error', () => undefined);
  channel.end(options.stdin ?? '');
  return { stop: finish };
}

interface Collected {
  readonly add: (chunk: Buffer) => void;
  readonly text: () => string;
  readonly truncated: () => boolean;
  readonly seenBytes: () => number;
}

function collect(limitBytes: number): Collected {
  const chunks: Buffer[] = [];
  let kept = 0;
  let seen = 0;
  return {
    add: (chunk) => {
      seen += chunk.length;
      const part = chunk.subarray(0, limitBytes - kept);
      kept += part.length;
      if (part.length > 0) chunks.push(part);
    },
    text: () => Buffer.concat(chunks).toString('utf8'),
    truncated: () => seen > kept,
    seenBytes: () => seen,
  };
}
