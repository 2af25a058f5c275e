import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { NeapRan } from './neap.ts';

/** A `neap` that goes on while it is watched. */
export interface Watched {
  readonly pid: number;
  /** Resolves when it has shown something: a view shows nothing before it is attached. Rejects when it ends without. */
  readonly said: Promise<void>;
  readonly ended: Promise<Pick<NeapRan, 'code' | 'stdout'>>;
}

/** Starts it without a terminal; `session`: in a session of its own, as a terminal's, so that what ends that ends all in it. */
export function neapWatched(stateDir: string, words: readonly string[], session = false): Watched {
  const child = spawn(fileURLToPath(new URL('../../bin/neap', import.meta.url)), words, {
    detached: session,
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, NEAP_STATE_DIR: stateDir },
  });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout }));
  const said = async (): Promise<void> => {
    await Promise.race([once(child.stdout, 'data'), ended]);
    if (stdout === '') throw new Error(`neap ${words.join(' ')} ended and showed nothing`);
  };
  return { pid: child.pid!, said: said(), ended };
}
