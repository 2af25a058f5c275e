import { spawn } from 'node:child_process';
import type { Ran, Shell } from '../../src/ports/index.ts';

/** A shell of this machine: the same scripts, run by the same sh, without a network between. `broken`: nothing gets through. */
export function localShell(broken: () => boolean = () => false): Pick<Shell, 'run' | 'close'> {
  return {
    run: (command, { stdin }) =>
      new Promise((resolve, reject) => {
        if (broken()) {
          reject(new Error('no route to host'));
          return;
        }
        const child = spawn('sh', ['-c', command], { stdio: ['pipe', 'pipe', 'pipe'], timeout: 60_000 });
        const out = { stdout: '', stderr: '' };
        for (const name of ['stdout', 'stderr'] as const)
          child[name].setEncoding('utf8').on('data', (text: string) => (out[name] += text));
        child.stdin.on('error', () => undefined);
        child.stdin.end(stdin ?? '');
        child.once('error', reject);
        child.once('close', (code, signal) => resolve({ code, signal, ...out, truncated: false } satisfies Ran));
      }),
    close: () => undefined,
  };
}
