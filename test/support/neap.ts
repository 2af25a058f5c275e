import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What a finished `neap` left. */
export interface NeapRan {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `cwd`: the folder that it is used from. */
export interface NeapOptions {
  readonly timeoutMs?: number;
  readonly cwd?: string;
}

/** Runs the command line as its user does: the launcher, in a process of its own, without a terminal. Killed after `timeoutMs`. */
export function neap(
  stateDir: string,
  words: readonly string[],
  { timeoutMs = 60_000, cwd }: NeapOptions = {},
): Promise<NeapRan> {
  const launcher = fileURLToPath(new URL('../../bin/neap', import.meta.url));
  return new Promise((resolve, reject) => {
    const child = spawn(launcher, words, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NEAP_STATE_DIR: stateDir },
      timeout: timeoutMs,
      ...(cwd === undefined ? {} : { cwd }),
      killSignal: 'SIGKILL',
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}
