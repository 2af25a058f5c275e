import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** The files that the process holds: what it read when it started or was last told to reload, not what lies on disk. */
export class Configuration {
  readonly #paths: readonly string[];
  #held: readonly string[] = [];
  /** Counts the readings, so that one can be waited for. */
  generation = 0;

  constructor(paths: readonly string[]) {
    this.#paths = paths;
    this.load();
  }

  load(): void {
    this.#held = this.#paths.map((path) => `${digest(path)}  ${path}`);
    this.generation += 1;
  }

  /** One `sha256  path` a line. */
  held(): string {
    return this.#held.join('\n');
  }
}

function digest(path: string): string {
  try {
    return createHash('sha256').update(readFileSync(path)).digest('hex');
  } catch {
    return 'absent';
  }
}
