import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, connect, type Socket } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { z } from 'zod';
import { FailureError } from '../model/index.ts';
import { pauseRealMs } from './clock.ts';

/** One line of the socket at most: a plan of thousands of servers fits, a runaway peer does not. */
const LINE_MAX_BYTES = 256 * 1024 * 1024;

/** What may wait for a view that does not read: a stopped terminal costs the engine no more than this. */
const UNREAD_MAX_BYTES = 4 * 1024 * 1024;

/** How long views may take to read the rest when the engine ends, in real milliseconds. */
export const READ_REST_MS = 5_000;

/** A view's connection, on the engine's side. */
export interface View {
  send(message: unknown): void;
  /** It does not read as fast as it is told. */
  isFull(): boolean;
  /** Resolves when it has read most of what it was told, or is gone. */
  drained(): Promise<void>;
}

export interface ViewServer {
  readonly path: string;
  /** Gives views some time to read what they were told. */
  close(last?: object | null): Promise<void>;
}

/**
 * Where a run's socket lies: short enough for a socket address, in a folder that only this user may enter. Throws
 * FailureError where somebody else made that folder, or put a link in its place: a socket in there could be theirs.
 */
export function socketPath(run: string): string {
  const folder = join(process.env['XDG_RUNTIME_DIR'] || tmpdir(), `neap-${userInfo().uid}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  refuseStrangeFolder(folder);
  return join(folder, `${run}.sock`);
}

/** Whoever may write to the folder could put a socket of their own there and be told what engine and views say. */
function refuseStrangeFolder(folder: string): void {
  const facts = lstatSync(folder, { throwIfNoEntry: false });
  const user = process.getuid?.();
  const why =
    facts === undefined
      ? 'it is not there'
      : facts.isSymbolicLink()
        ? 'it is a symbolic link'
        : !facts.isDirectory()
          ? 'it is no directory'
          : user !== undefined && facts.uid !== user
            ? `it belongs to user ${facts.uid}, not to you (${user})`
            : user !== undefined && (facts.mode & 0o077) !== 0
              ? `others may enter it (mode 0${(facts.mode & 0o777).toString(8)})`
              : null;
  if (why === null) return;
  throw new FailureError({
    kind: 'condition',
    what: `the folder of the engines' sockets cannot be trusted: ${why}`,
    where: folder,
    state: 'Nobody was spoken to',
    remedy: 'Find out who made it, and remove it; or set XDG_RUNTIME_DIR to a directory of your own (mode 0700)',
  });
}

/** Listens for views. A line that is not what the schema says ends that connection, and nothing else. */
export async function serveViews<S extends z.ZodType>(
  path: string,
  schema: S,
  handle: {
    readonly open: (view: View) => void;
    readonly line: (message: z.output<S>, view: View) => void;
    readonly lost: (view: View) => void;
  },
): Promise<ViewServer> {
  rmSync(path, { force: true });
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const view = viewOn(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      sockets.delete(socket);
      handle.lost(view);
    });
    eachLine(socket, schema, (message) => handle.line(message, view));
    handle.open(view);
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve));
  chmodSync(path, 0o600);
  return {
    path,
    close: async (last = null) => {
      if (last !== null) for (const socket of sockets) socket.write(`${JSON.stringify(last)}\n`);
      const read = Promise.all([...sockets].map((socket) => new Promise<void>((resolve) => socket.end(resolve))));
      await Promise.race([read, pauseRealMs(READ_REST_MS)]);
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      rmSync(path, { force: true });
    },
  };
}

function viewOn(socket: Socket): View {
  return {
    send: (message) => void socket.write(`${JSON.stringify(message)}\n`),
    isFull: () => socket.writableLength > UNREAD_MAX_BYTES,
    drained: () =>
      new Promise((resolve) => {
        if (socket.destroyed || socket.writableLength <= UNREAD_MAX_BYTES) return resolve();
        const done = (): void => {
          socket.off('drain', done).off('close', done);
          resolve();
        };
        socket.on('drain', done).on('close', done);
      }),
  };
}

export interface EngineConnection {
  send(message: unknown): void;
  /** Resolves when the connection has ended, whoever ended it. */
  readonly ended: Promise<void>;
  close(): void;
}

/** Connects to a run's engine. Rejects when there is none, and with FailureError where its folder is not this user's own. */
export function connectEngine<S extends z.ZodType>(
  path: string,
  schema: S,
  line: (message: z.output<S>) => void,
): Promise<EngineConnection> {
  return new Promise((resolve, reject) => {
    refuseStrangeFolder(dirname(path));
    const socket = connect(path);
    const ended = new Promise<void>((end) => socket.once('close', () => end()));
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      socket.on('error', () => socket.destroy());
      eachLine(socket, schema, line);
      resolve({
        send: (message) => void socket.write(`${JSON.stringify(message)}\n`),
        ended,
        close: () => socket.end(),
      });
    });
  });
}

function eachLine<S extends z.ZodType>(socket: Socket, schema: S, line: (message: z.output<S>) => void): void {
  let bytes = 0;
  socket.on('data', (chunk: Buffer) => {
    bytes = chunk.includes(10) ? 0 : bytes + chunk.length;
    if (bytes > LINE_MAX_BYTES) socket.destroy();
  });
  const lines = createInterface({ input: socket, crlfDelay: Infinity });
  // Its own errors are the socket's, which has a handler.
  lines.on('error', () => socket.destroy());
  lines.on('line', (text) => {
    const parsed = schema.safeParse(jsonOrNull(text));
    if (parsed.success) line(parsed.data);
    else socket.destroy();
  });
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
