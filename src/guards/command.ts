import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { GuardRead } from '../model/index.ts';
import type { GuardReading } from '../run/index.ts';
import type { GuardParts } from './index.ts';
import { FLOOD_BYTES, KEPT_BYTES } from './limits.ts';

const SORTS: Readonly<Record<number, GuardReading['sort']>> = { 0: 'good', 1: 'warn', 2: 'bad' };

/**
 * Runs the command, word by word and without a shell, and goes by its exit code. What it printed first is shown. It is
 * ended, with all that it started, when its time is over or it floods.
 */
export function readCommand(
  { run: [program = '', ...words], timeoutMs }: Extract<GuardRead, { guard: 'command' }>,
  { cwd }: GuardParts,
): Promise<GuardReading> {
  return new Promise((resolve) => {
    const late = AbortSignal.timeout(timeoutMs);
    let child: ChildProcessByStdio<null, Readable, Readable>;
    try {
      child = spawn(program, words, { cwd, shell: false, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    } catch (error) {
      resolve(noData(program, error instanceof Error ? error.message : String(error)));
      return;
    }
    const told = { out: '', err: '', bytes: 0 };
    let reading: GuardReading | null = null;
    const end = (otherwise: GuardReading): void => {
      if (reading === null) endGroup(child.pid);
      child.stdout.destroy();
      child.stderr.destroy();
      resolve(reading ?? otherwise);
    };
    for (const stream of ['out', 'err'] as const)
      (stream === 'out' ? child.stdout : child.stderr).setEncoding('utf8').on('data', (text: string) => {
        told.bytes += text.length;
        told[stream] = (told[stream] + text).slice(0, KEPT_BYTES);
        if (told.bytes > FLOOD_BYTES) end(noData(program, `it printed more than ${FLOOD_BYTES} bytes`));
      });
    child.on('error', (error) => end(noData(program, error.message)));
    child.on('exit', (code, signal) => {
      reading = readingOf(program, code, signal, told);
      // What it left running holds its output open: nobody waits for that.
      endGroup(child.pid);
    });
    child.on('close', (code, signal) => {
      reading = readingOf(program, code, signal, told);
      end(reading);
    });
    late.addEventListener('abort', () => end(noData(program, `it did not end within ${timeoutMs} ms`)));
  });
}

function readingOf(
  program: string,
  code: number | null,
  signal: string | null,
  { out, err }: { readonly out: string; readonly err: string },
): GuardReading {
  const [line = ''] = `${out.trim()}\n${err.trim()}`.trim().split('\n');
  const end = code === null ? `ended by ${signal}` : `exit ${code}`;
  const sort = code === null ? undefined : SORTS[code];
  const seen = line === '' ? `${program}: ${end}` : `${line} (${end})`;
  return { sort: sort ?? 'no-data', seen };
}

function noData(program: string, why: string): GuardReading {
  return { sort: 'no-data', seen: `${program}: ${why}` };
}

/** The command leads a group of its own. */
function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // All of it has ended already.
  }
}
