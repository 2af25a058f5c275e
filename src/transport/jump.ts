import type { Duplex } from 'node:stream';
import { FailureError } from '../model/index.ts';
import { connect } from './connection.ts';
import { afterMs } from './deadline.ts';
import { dialTcp } from './dial.ts';
import { pathBroken, unreachable } from './failures.ts';
import { JUMP_KEEPALIVE, JUMP_PROBE_MS, LOGINS_A_JUMP } from './limits.ts';
import type { Pace } from './pace.ts';
import { createPace } from './pace.ts';
import type { Connection } from './session.ts';
import type { SshTarget } from './target.ts';

/**
 * The jump hosts of a fleet: one connection each, shared by every server behind it, so that a jump host sees one
 * login of neap's. Its failure is a failure of the path, told in the same words to whoever stands behind it.
 */
export interface Jumps {
  /** Makes sure that the jump host is there. Rejects with `path` or `host-key`; done at once by all who ask meanwhile. */
  readonly ready: (jump: SshTarget, behind: SshTarget) => Promise<void>;
  /** A stream to the server behind it. Rejects with `path`, or `unreachable` where the jump host cannot reach it. */
  readonly tunnel: (jump: SshTarget, behind: SshTarget, signal: AbortSignal) => Promise<Duplex>;
  /** Whether the jump host answers right now. */
  readonly answers: (jump: SshTarget) => Promise<boolean>;
  /** The pace of logins through it. */
  readonly pace: (jump: SshTarget) => Pace;
  readonly close: () => void;
}

interface Jump {
  readonly pace: Pace;
  connection: Promise<Connection> | null;
  probe: Promise<boolean> | null;
}

/** A pool of jump hosts, empty and without a connection until one is asked for. */
export function openJumps(): Jumps {
  const jumps = new Map<string, Jump>();
  const jumpOf = (target: SshTarget): Jump => {
    const known = jumps.get(keyOf(target));
    if (known !== undefined) return known;
    const jump: Jump = { pace: createPace(LOGINS_A_JUMP), connection: null, probe: null };
    jumps.set(keyOf(target), jump);
    return jump;
  };
  const connectionTo = async (target: SshTarget): Promise<Connection> => {
    const jump = jumpOf(target);
    const shared = jump.connection;
    if (shared !== null && (await shared).isOpen()) return shared;
    // Of all that find it lost, the first one opens it again.
    if (jump.connection === shared) {
      const fresh = connect(target, { keepalive: JUMP_KEEPALIVE, dial: (signal) => dialJump(pool, target, signal) });
      jump.connection = fresh;
      fresh.catch(() => {
        if (jump.connection === fresh) jump.connection = null;
      });
    }
    return jump.connection ?? connectionTo(target);
  };
  const reach = (target: SshTarget, behind: SshTarget): Promise<Connection> =>
    connectionTo(target).catch((error: unknown) => {
      throw onThePath(target, behind, error);
    });
  const pool: Jumps = {
    ready: async (target, behind) => void (await reach(target, behind)),
    tunnel: async (target, behind, signal) => tunnelThrough(target, await reach(target, behind), behind, signal),
    answers: (target) => {
      const jump = jumpOf(target);
      jump.probe ??= probe(connectionTo(target)).finally(() => (jump.probe = null));
      return jump.probe;
    },
    pace: (target) => jumpOf(target).pace,
    close: () => {
      for (const jump of jumps.values()) jump.connection?.then((connection) => connection.end()).catch(() => undefined);
      jumps.clear();
    },
  };
  return pool;
}

/** A server's SSH port by its jump host, or straight. */
export function dialServer(jumps: Jumps, target: SshTarget, signal: AbortSignal): Promise<Duplex> {
  return target.jump === null ? dialTcp(target, signal) : jumps.tunnel(target.jump, target, signal);
}

function dialJump(jumps: Jumps, target: SshTarget, signal: AbortSignal): Promise<Duplex> {
  return dialServer(jumps, target, signal);
}

async function tunnelThrough(
  jump: SshTarget,
  connection: Connection,
  behind: SshTarget,
  signal: AbortSignal,
): Promise<Duplex> {
  const opening = connection.forward(behind.host, behind.port);
  const aborted = new Promise<never>((_, reject) =>
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }),
  );
  try {
    return await Promise.race([opening, aborted]);
  } catch (error) {
    opening.then((late) => late.destroy()).catch(() => undefined);
    if (error instanceof FailureError) throw error;
    // RFC 4254, 5.1: 1 is "administratively prohibited", 2 "connect failed"; without a reason the jump host went away.
    const reason = error instanceof Error && 'reason' in error ? error.reason : undefined;
    if (reason === 2) throw unreachable(behind, `was not reached from the jump host ${jump.name}`, error);
    throw pathBroken(
      jump,
      behind,
      reason === 1 ? 'forbids forwarding to it (AllowTcpForwarding, PermitOpen)' : 'was lost',
    );
  }
}

/** Whatever keeps a jump host from being reached is one fault of the path, told with its own remedy. */
function onThePath(jump: SshTarget, behind: SshTarget, error: unknown): unknown {
  if (!(error instanceof FailureError) || error.failure.kind === 'path') return error;
  const { what, remedy } = error.failure;
  return pathBroken(jump, behind, `cannot be used: ${what}`, { remedy });
}

/** Any answer to a request to forward, also a refusal, shows that the jump host lives. Port 1 of its own loopback is nobody's. */
async function probe(connecting: Promise<Connection>): Promise<boolean> {
  let cancel = (): void => undefined;
  const silence = new Promise<boolean>((resolve) => (cancel = afterMs(JUMP_PROBE_MS, () => resolve(false))));
  const answer = connecting
    .then((connection) => connection.forward('127.0.0.1', 1))
    .then((stream) => {
      stream.destroy();
      return true;
    })
    .catch((error: unknown) => error instanceof Error && 'reason' in error);
  try {
    return await Promise.race([answer, silence]);
  } finally {
    cancel();
  }
}

function keyOf(target: SshTarget): string {
  const through = target.jump === null ? '' : `${keyOf(target.jump)} > `;
  return `${through}${target.user}@${target.host}:${target.port}`;
}
