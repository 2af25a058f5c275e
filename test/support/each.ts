import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { NeapRan } from './neap.ts';

/** For all of them together, in real milliseconds. */
const TOGETHER_MS = 200_000;

/**
 * Runs many command lines, one after another in one process: for what ends by itself and is about words, not processes.
 * What a runbook or a fleet file says is remembered from one to the next, as a module is.
 */
export function neapEach(stateDir: string, lines: readonly (readonly string[])[]): Promise<readonly NeapRan[]> {
  const [register, each] = ['../../bin/register.js', 'children/each.ts'].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  );
  return new Promise((resolve, reject) => {
    const child = execFile(
      process.execPath,
      ['--import', register!, each!],
      {
        env: { ...process.env, NEAP_STATE_DIR: stateDir },
        timeout: TOGETHER_MS,
        killSignal: 'SIGKILL',
        maxBuffer: 16 * 1024 * 1024,
      },
      (error, stdout, stderr) => {
        if (error) reject(new Error(`${error.message} ${stderr}`));
        else resolve(JSON.parse(stdout) as NeapRan[]);
      },
    );
    child.stdin?.end(JSON.stringify(lines));
  });
}
