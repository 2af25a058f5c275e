import type { CountRead, GuardRead } from '../model/index.ts';
import type { GuardReader, HttpAnswer } from '../ports/index.ts';
import { readCommand } from './command.ts';
import { countNow } from './count.ts';
import { SEEN_CHARACTERS } from './limits.ts';
import { readProbe } from './probe.ts';
import { doubtOf, readPrometheus } from './prometheus.ts';

/** What reading guards needs of the world. */
export interface GuardParts {
  /** One GET; rejects with a FailureError where there is no answer. Time in real milliseconds. */
  readonly get: (url: string, options: { readonly where: string; readonly timeoutMs: number }) => Promise<HttpAnswer>;
  /** Where a command is run: a folder. */
  readonly cwd: string;
  /** The wall clock, which samples are stamped with. */
  readonly wallClockMs: () => number;
  /** Makes foreign words harmless, and takes secrets out of them (promise 11). */
  readonly clean: (text: string, atMost: number) => string;
  /** What a dotted path picks out of a JSON text; null where there is no such value. */
  readonly pick: (text: string, path: string) => string | null;
}

/** Reads guards: an HTTP probe, a command of this machine, a query of Prometheus. Nothing is written anywhere. */
export function createGuardReader(parts: GuardParts): GuardReader {
  return async (read) => {
    const { sort, seen } = await readOne(read, parts);
    // One line in a log, whatever it was.
    return { sort, seen: parts.clean(seen, SEEN_CHARACTERS).replaceAll(/\s+/g, ' ').trim() || 'nothing' };
  };
}

/** Asks for numbers: over HTTP, by a command of this machine, of Prometheus. Rejects with a FailureError. */
export function createCounter(parts: GuardParts): (read: CountRead, where: string) => Promise<number> {
  return (read, where) => countNow(read, where, parts);
}

/** What of a guard cannot be relied on, whatever it reads; null: nothing is known. */
export function guardDoubt(read: GuardRead, parts: GuardParts): Promise<string | null> {
  return read.guard === 'prometheus' ? doubtOf(read, parts) : Promise.resolve(null);
}

function readOne(read: Parameters<GuardReader>[0], parts: GuardParts): ReturnType<GuardReader> {
  switch (read.guard) {
    case 'probe':
      return readProbe(read, parts);
    case 'command':
      return readCommand(read, parts);
    case 'prometheus':
      return readPrometheus(read, parts);
  }
}
