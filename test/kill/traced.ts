import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { connectEngine, engineOf, messageSchema, type RunPlace } from '../../src/engine/index.ts';
import { launchArguments } from '../../src/launch/index.ts';

/** What strace does to one system call of the files that it watches. */
export interface Injection {
  readonly call: string;
  /** Without it nothing is injected, only counted. */
  readonly what?: string;
  /** `when=` of strace(1): which of the calls, by the thread that makes them. */
  readonly when?: string;
}

export interface TracedOptions {
  readonly stateDir: string;
  readonly mode: 'start' | 'resume';
  /** Only calls on these files count. */
  readonly files: readonly string[];
  readonly injection: Injection | null;
  /** Killed so long after its start, in real milliseconds. */
  readonly killAfterMs: number | null;
  /** Where strace writes what it saw. */
  readonly trace: string;
}

/** How an engine ended. */
export interface TracedEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The hash of every row that a view was told of, by number: these were acknowledged. */
  readonly told: ReadonlyMap<number, string>;
}

/** An engine that takes longer is killed: no voyage here needs half of it. */
const ENGINE_MS = 90_000;

/** Runs a prepared run's engine in this session, under strace if asked for, with a view attached, to its end. */
export async function runTraced(
  place: RunPlace,
  { stateDir, mode, files, injection, killAfterMs, trace }: TracedOptions,
): Promise<TracedEnd> {
  const entry = new URL('../../src/engine/main.ts', import.meta.url);
  const engine = [process.execPath, ...launchArguments(entry), stateDir, place.run, mode, 'null'];
  const [program = '', ...words] = injection === null ? engine : [...straceWords(files, injection, trace), ...engine];
  const log = openSync(place.log, 'a', 0o600);
  const child = spawn(program, words, { stdio: ['ignore', log, log], detached: true });
  closeSync(log);
  // The whole group: a tracer that is killed alone lets go of its engine, which goes on.
  const kill = (): void => void (child.pid !== undefined && process.kill(-child.pid, 'SIGKILL'));
  const killing = setTimeout(kill, killAfterMs ?? ENGINE_MS);
  const told = new Map<number, string>();
  let isOver = false;
  const ended = new Promise<Pick<TracedEnd, 'code' | 'signal'>>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      isOver = true;
      clearTimeout(killing);
      resolve({ code, signal });
    });
  });
  await Promise.race([view(place, told, () => isOver), ended]);
  return { ...(await ended), told };
}

function straceWords(files: readonly string[], { call, what, when }: Injection, trace: string): string[] {
  const inject = what === undefined ? [] : ['-e', `inject=${call}:${what}${when === undefined ? '' : `:when=${when}`}`];
  return [
    'strace',
    '-f',
    '-qq',
    '-o',
    trace,
    ...files.flatMap((file) => ['-P', file]),
    '-e',
    `trace=${call}`,
    ...inject,
  ];
}

/** Attaches as soon as there is something to attach to, and notes every row it is told of. */
async function view(place: RunPlace, told: Map<number, string>, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const engine = await engineOf(place).catch(() => null);
    const connection = engine && (await connectEngine(engine.socket, messageSchema, note).catch(() => null));
    if (connection) return connection.ended;
    await wait(10);
  }
  function note(message: unknown): void {
    const { say, rows } = message as { say: string; rows: readonly { seq: number; hash: string }[] };
    if (say === 'rows') for (const { seq, hash } of rows) told.set(seq, hash);
  }
}

/** The runbook of these voyages. */
export const ROUND_TRIP = fileURLToPath(new URL('./round-trip.ts', import.meta.url));
