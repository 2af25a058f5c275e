import { spawn } from 'node:child_process';
import type { Failure } from '../model/index.ts';

/** A pager command gets so long, in real milliseconds: it never blocks a run. */
const PAGE_MS = 20_000;

/** Sends one page by a local command, its text on standard input. Resolves to a failure, never rejects: a dead pager stops nothing. */
export function sendPage(command: readonly string[] | null, text: string): Promise<Failure | null> {
  const [program, ...words] = command ?? [];
  if (program === undefined) return Promise.resolve(null);
  return new Promise((resolve) => {
    const child = spawn(program, words, { stdio: ['pipe', 'ignore', 'ignore'], timeout: PAGE_MS });
    child.on('error', (error) => resolve(failed(program, error.message)));
    child.on('close', (code) => resolve(code === 0 ? null : failed(program, `it ended with ${code ?? 'a signal'}`)));
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
