import { FailureError, type Finding, type Fleet } from '../model/index.ts';
import type { Redactor } from '../transport/index.ts';
import { counter } from './guards.ts';

/** What was read of the connections that shared dependencies have now. */
export interface ConnectionsNow {
  readonly counts: ReadonlyMap<string, number>;
  readonly findings: readonly Finding[];
}

/** Reads each once, for a preview. One that cannot be read is warned of: then what is declared counts alone. */
export async function connectionsNow(fleet: Fleet, runbookPath: string, redactor: Redactor): Promise<ConnectionsNow> {
  const count = counter(runbookPath, redactor);
  const counts = new Map<string, number>();
  const findings: Finding[] = [];
  await Promise.all(
    Object.entries(fleet.dependencies ?? {}).map(async ([name, { connections }]) => {
      if (!connections?.now) return;
      try {
        counts.set(name, await count(connections.now, `connections of ${name}`));
      } catch (error) {
        if (!(error instanceof FailureError)) throw error;
        findings.push({
          severity: 'warning',
          code: 'connections',
          what: `the connections of ${name} cannot be read (${error.failure.what}): they are reckoned from declared pools alone`,
          cures: [
            `Mend dependencies.${name}.connections.now in the fleet file; while it is so, a run takes nothing that opens connections`,
          ],
        });
      }
    }),
  );
  return { counts, findings };
}
