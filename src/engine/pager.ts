import { spawn } from 'node:child_process';
import type { Failure } from '../model/index.ts';

/** A pager command gets so long, in real milliseconds: it never blocks a run. */
const PAGE_MS = 20_000;

/** Sends one page by a local command, its text on standard input. Resolves to a failure, never rejects: a dead pager stops nothing. */
export async function sendPage(command: readonly string[] | null, text: string): Promise<Failure | null> {
  const [program] = command ?? [];
  const why = command === null ? null : await sayTo(command, text, PAGE_MS);
  return program === undefined || why === null ? null : failed(program, why);
}

/** Runs a local command with a text on its standard input. Null: it took it; else why not. Never rejects. */
export function sayTo(
  [program = '', ...words]: readonly string[],
  text: string,
  limitMs: number,
): Promise<string | null> {
  if (program === '') return Promise.resolve('no program is named');
  return new Promise((resolve) => {
    const child = spawn(program, words, {
      stdio: ['pipe', 'ignore', 'ignore'],
      timeout: limitMs,
      killSignal: 'SIGKILL',
    });
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code) => resolve(code === 0 ? null : `it ended with ${code ?? 'a signal'}`));
    child.stdin.on('error', () => undefined);
    child.stdin.end(`${text}\n`);
  });
}

function failed(program: string, why: string): Failure {
  return {
    kind: 'command',
    what: `the page was not sent: ${why}`,
    where: program,
    state: 'The run goes on; the page stands in its journal',
    remedy: 'Tell the people by other means, and mend page.command in neap.config.ts',
  };
}
