import { dirname } from 'node:path';
import { createCounter, createGuardReader, guardDoubt, type GuardParts } from '../guards/index.ts';
import type { Finding, Guard } from '../model/index.ts';
import type { GuardReader } from '../ports/index.ts';
import type { GuardReading } from '../run/index.ts';
import { httpGet, sanitise, type Redactor } from '../transport/index.ts';
import { wallClockMs } from './clock.ts';
import { pickField } from './reach/field.ts';

/** A guard, and what it says at this moment. */
export interface GuardNow {
  readonly guard: Guard;
  readonly reading: GuardReading;
  /** What of it cannot be relied on. */
  readonly doubt: string | null;
}

/** Reads guards as a plan says: commands are run in its runbook's folder, and what is seen is shown without secrets. */
export function guardReader(runbookPath: string, redactor: Redactor): GuardReader {
  return createGuardReader(partsOf(runbookPath, redactor));
}

/** Asks for numbers as a plan says, in the same manner. */
export function counter(runbookPath: string, redactor: Redactor): ReturnType<typeof createCounter> {
  return createCounter(partsOf(runbookPath, redactor));
}

function partsOf(runbookPath: string, redactor: Redactor): GuardParts {
  return {
    get: httpGet,
    cwd: dirname(runbookPath),
    wallClockMs,
    clean: (text, atMost) => sanitise(redactor.redact(text), atMost),
    pick: pickField,
  };
}

/** Reads each guard once, for a preview. */
export function readNow(guards: readonly Guard[], runbookPath: string, redactor: Redactor): Promise<GuardNow[]> {
  const parts = partsOf(runbookPath, redactor);
  const read = createGuardReader(parts);
  return Promise.all(
    guards.map(async (guard) => ({
      guard,
      reading: await read(guard.read),
      doubt: await guardDoubt(guard.read, parts),
    })),
  );
}

/** A guard that cannot be read guards nothing, and the run would stand still; one that is bad now may be well by then. */
export function guardFindings(now: readonly GuardNow[]): Finding[] {
  return [...now.flatMap(standingFindings), ...now.flatMap(doubtFindings)];
}

function doubtFindings({ guard: { id, title }, doubt }: GuardNow): Finding[] {
  if (doubt === null) return [];
  const cures = ['Ask for a plain series, or a range within staleMs, or a newer Prometheus'];
  return [{ severity: 'warning', code: 'guard', what: `guard ${id} "${title}": ${doubt}`, cures }];
}

function standingFindings({ guard: { id, title, read, onTrip }, reading: { sort, seen } }: GuardNow): Finding[] {
  const name = `guard ${id} "${title}"`;
  const found = { code: 'guard' } as const;
  switch (sort) {
    case 'good':
      return [];
    case 'no-data': {
      const what = `${name} has no data: ${seen}. The run would take nothing while that is so`;
      const alwaysThere = 'Query a value that is always there, and leave the comparison to tripAbove or tripBelow';
      const cures = ['Make it readable from this machine, and plan again'];
      if (read.guard === 'prometheus' && seen.includes('no sample')) cures.push(alwaysThere);
      return [{ ...found, severity: 'refusal', what, cures }];
    }
    case 'warn':
      return [{ ...found, severity: 'warning', what: `${name} warns now (${seen})`, cures: ['Look at it before'] }];
    case 'bad': {
      const then = onTrip === 'stop' ? 'take nothing until it is clear' : 'not get far';
      const what = `${name} is bad now (${seen}): the run would ${then}`;
      return [{ ...found, severity: 'warning', what, cures: ['Start the run when it is clear'] }];
    }
  }
}
