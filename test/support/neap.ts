import { spawn } from 'node:child_process';
import { cp, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What a finished `neap` left. */
export interface NeapRan {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `cwd`: the folder that it is used from. `launcher`: that of another copy of neap. */
export interface NeapOptions {
  readonly timeoutMs?: number;
  readonly cwd?: string;
  readonly launcher?: string;
}

const OWN_LAUNCHER = fileURLToPath(new URL('../../bin/neap', import.meta.url));

/** Runs the command line as its user does: the launcher, in a process of its own, without a terminal. Killed after `timeoutMs`. */
export function neap(
  stateDir: string,
  words: readonly string[],
  { timeoutMs = 240_000, cwd, launcher = OWN_LAUNCHER }: NeapOptions = {},
): Promise<NeapRan> {
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

/** Puts a copy of neap that says it is another version into a folder that is there, and gives its launcher. */
export async function otherNeap(folder: string, version: string): Promise<string> {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  for (const part of ['bin', 'src', 'runbooks']) await cp(join(root, part), join(folder, part), { recursive: true });
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  const own = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as object;
  await writeFile(join(folder, 'package.json'), JSON.stringify({ ...own, version }));
  return join(folder, 'bin/neap');
}
