import { FailureError } from '../model/index.ts';
import type { Ran, RunOptions, Shell } from '../ports/index.ts';
import { connect } from './connection.ts';
import { afterMs } from './deadline.ts';
import { pathBroken, sudoRefused } from './failures.ts';
import { fencedCommand, throwIfFenced } from './fence.ts';
import type { Jumps } from './jump.ts';
import { dialServer } from './jump.ts';
import { COMMANDS_A_CONNECTION, KEEPALIVE, OUTPUT_BYTES } from './limits.ts';
import type { Pace } from './pace.ts';
import { createPace } from './pace.ts';
import { sanitise } from './sanitise.ts';
import { BEGAN, sudoCommand } from './sudo.ts';
import type { Connection } from './session.ts';
import type { SshTarget } from './target.ts';

export interface ShellOptions {
  readonly jumps: Jumps;
  /** The pace of connecting over the whole fleet. */
  readonly pace: Pace;
  readonly keepalive?: { readonly intervalMs: number; readonly misses: number };
  readonly outputBytes?: number;
}

/**
 * A server's shell. Nothing is opened until the first command; then one connection stays for the whole run and is
 * opened again by the first command that finds it lost. Nothing is ever sent twice.
 */
export function openShell(target: SshTarget, options: ShellOptions): Shell {
  const session = sessionKeeper(target, options);
  const commands = createPace(COMMANDS_A_CONNECTION);
  const outputBytes = options.outputBytes ?? OUTPUT_BYTES;

  const run = (command: string, { timeoutMs, stdin, become, fence }: RunOptions): Promise<Ran> =>
    commands(async () => {
      try {
        const connection = await session.open();
        const sent = become === true ? sudoCommand(command) : command;
        // The fence is the outermost: it is kept by the login, or by a sudo of its own, whoever the command runs as.
        const ran = await connection.exec(fence === undefined ? sent : fencedCommand(fence, sent, become === true), {
          timeoutMs,
          stdin,
          outputBytes,
        });
        if (fence !== undefined) throwIfFenced(target.name, ran);
        return become === true ? begun(target, ran) : ran;
      } catch (error) {
        throw await blame(target, options.jumps, error);
      }
    });
  return {
    run,
    answers: async (timeoutMs) => {
      const deadline = new AbortController();
      const cancel = afterMs(timeoutMs, () => deadline.abort(new Error('silent')));
      try {
        return session.isOpen()
          ? await run('true', { timeoutMs }).then(() => true, saysNo)
          : await greets(target, options.jumps, deadline.signal);
      } finally {
        cancel();
      }
    },
    close: session.close,
  };
}

interface SessionKeeper {
  /** Whether there is a session; one that is being opened is none. */
  readonly isOpen: () => boolean;
  readonly open: () => Promise<Connection>;
  readonly close: () => void;
}

function sessionKeeper(target: SshTarget, options: ShellOptions): SessionKeeper {
  let current: Promise<Connection> | null = null;
  let latest: Connection | null = null;
  let closed = false;
  const login = async (): Promise<Connection> => {
    // Asked before the pace: a jump host that is away must not make every server behind it wait for a turn.
    if (target.jump !== null) await options.jumps.ready(target.jump, target);
    const gate: Pace = target.jump === null ? (work) => work() : options.jumps.pace(target.jump);
    const connection = await options.pace(() =>
      gate(() =>
        connect(target, {
          keepalive: options.keepalive ?? KEEPALIVE,
          dial: (signal) => dialServer(options.jumps, target, signal),
        }),
      ),
    );
    if (closed) connection.end();
    latest = connection;
    return connection;
  };
  const open = async (): Promise<Connection> => {
    const shared = current;
    if (shared !== null && (await shared).isOpen()) return shared;
    if (current === shared) {
      const fresh = login();
      current = fresh;
      fresh.catch(() => {
        if (current === fresh) current = null;
      });
    }
    return current ?? open();
  };
  return {
    isOpen: () => latest?.isOpen() === true,
    open,
    close: () => {
      closed = true;
      current?.then((connection) => connection.end()).catch(() => undefined);
    },
  };
}

/**
 * Whether it greets as SSH servers do (RFC 4253, 4.2). Without a login and outside the pace of connecting, so that a
 * healthy server is not taken for a silent one while many dead ones are waited for.
 */
async function greets(target: SshTarget, jumps: Jumps, signal: AbortSignal): Promise<boolean> {
  const dialling = dialServer(jumps, target, signal);
  try {
    const stream = await dialling;
    const greeting = new Promise<boolean>((resolve) => {
      stream.once('data', (chunk: Buffer) => resolve(chunk.toString('latin1').startsWith('SSH-')));
      stream.once('close', () => resolve(false));
      stream.once('error', () => resolve(false));
      signal.addEventListener('abort', () => resolve(false), { once: true });
    });
    return await greeting.finally(() => stream.destroy());
  } catch {
    return false;
  }
}

/** A server that refuses us is there: only silence is silence. */
function saysNo(error: unknown): boolean {
  return error instanceof FailureError && ['denied', 'host-key', 'output'].includes(error.failure.kind);
}

/** Under sudo the command's own marker tells whether it began; without it sudo's answer is all there is. */
function begun(target: SshTarget, ran: Ran): Ran {
  const at = ran.stderr.indexOf(BEGAN);
  if (at < 0) throw sudoRefused(target, ran.code, sanitise(ran.stderr.trim(), 200));
  return { ...ran, stderr: ran.stderr.slice(0, at) + ran.stderr.slice(at + BEGAN.length) };
}

/** Silence behind a jump host that is silent itself is the path's fault, not the server's. */
async function blame(target: SshTarget, jumps: Jumps, error: unknown): Promise<unknown> {
  const { jump } = target;
  if (jump === null || !(error instanceof FailureError)) return error;
  if (!['unreachable', 'timeout', 'lost'].includes(error.failure.kind) || (await jumps.answers(jump))) return error;
  return pathBroken(jump, target, 'no longer answers', { state: error.failure.state });
}
