import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, connect, type Socket } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { z } from 'zod';
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
  close(): Promise<void>;
}

/** Where a run's socket lies: short enough for a socket address, in a folder that only this user may enter. */
export function socketPath(run: string): string {
  const folder = join(process.env['XDG_RUNTIME_DIR'] || tmpdir(), `neap-${userInfo().uid}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  return join(folder, `${run}.sock`);
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
    close: async () => {
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

/** Connects to a run's engine. Rejects when there is none. */
export function connectEngine<S extends z.ZodType>(
  path: string,
  schema: S,
  line: (message: z.output<S>) => void,
): Promise<EngineConnection> {
  return new Promise((resolve, reject) => {
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
