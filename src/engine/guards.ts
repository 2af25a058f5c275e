import { dirname } from 'node:path';
import { createGuardReader } from '../guards/index.ts';
import type { Finding, Guard } from '../model/index.ts';
import type { GuardReader } from '../ports/index.ts';
import type { GuardReading } from '../run/index.ts';
import { httpGet, sanitise, type Redactor } from '../transport/index.ts';
import { wallClockMs } from './clock.ts';

/** A guard, and what it says at this moment. */
export interface GuardNow {
  readonly guard: Guard;
  readonly reading: GuardReading;
}

/** Reads guards as a plan says: commands are run in its runbook's folder, and what is seen is shown without secrets. */
export function guardReader(runbookPath: string, redactor: Redactor): GuardReader {
  return createGuardReader({
    get: httpGet,
    cwd: dirname(runbookPath),
    wallClockMs,
    clean: (text, atMost) => sanitise(redactor.redact(text), atMost),
  });
}

/** Reads each guard once, for a preview. */
export function readNow(guards: readonly Guard[], read: GuardReader): Promise<GuardNow[]> {
  return Promise.all(guards.map(async (guard) => ({ guard, reading: await read(guard.read) })));
}

/** A guard that cannot be read guards nothing, and the run would stand still; one that is bad now may be well by then. */
export function guardFindings(now: readonly GuardNow[]): Finding[] {
  return now.flatMap(({ guard: { id, title, read, onTrip }, reading: { sort, seen } }): Finding[] => {
    if (sort === 'good') return [];
    const name = `guard ${id} "${title}"`;
    if (sort === 'no-data')
      return [
        {
          severity: 'refusal',
          code: 'guard',
          what: `${name} has no data: ${seen}. The run would take nothing while that is so`,
          cures: [
            'Make it readable from this machine, and plan again',
            ...(read.guard === 'prometheus'
              ? ['Query a value that is always there, and leave the comparison to tripAbove or tripBelow']
              : []),
          ],
        },
      ];
    const then =
      sort === 'warn' ? '' : `: the run would ${onTrip === 'stop' ? 'take nothing until it is clear' : 'not get far'}`;
    return [
      {
        severity: 'warning',
        code: 'guard',
        what: `${name} ${sort === 'bad' ? 'is bad' : 'warns'} now (${seen})${then}`,
        cures: ['Start the run when it is clear'],
      },
    ];
  });
}
