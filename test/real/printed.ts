import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

/** The lines that a child prints on its standard output, each of which can be waited for. */
export class Printed {
  readonly #lines: string[] = [];
  readonly #waiting = new Set<() => void>();
  #ended: string | null = null;

  constructor(child: ChildProcess) {
    if (child.stdout === null) throw new Error('the child has no standard output to read');
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.#lines.push(line);
      this.#look();
    });
    child.once('error', (error) => this.#end(error.message));
    child.once('exit', (code, signal) => this.#end(`it ended with ${String(code ?? signal)}`));
  }

  /** The first line that matches, printed before or after the call. Rejects when the child ends or takes longer. */
  line(wanted: RegExp, timeoutMs: number): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const look = () => {
      const found = this.#lines.find((line) => wanted.test(line));
      if (found !== undefined) resolve(found);
      else if (this.#ended !== null) reject(new Error(`no ${String(wanted)} from the child: ${this.#ended}`));
    };
    const limit = setTimeout(() => {
      reject(new Error(`no ${String(wanted)} from the child within ${String(timeoutMs)} ms`));
    }, timeoutMs);
    this.#waiting.add(look);
    look();
    return promise.finally(() => {
      clearTimeout(limit);
      this.#waiting.delete(look);
    });
  }

  #look(): void {
    for (const look of this.#waiting) look();
  }

  #end(why: string): void {
    this.#ended = why;
    this.#look();
  }
}
