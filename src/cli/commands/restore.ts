import { loadConfig, restoreRun, type RunPlace } from '../../engine/index.ts';
import { duration } from '../../run/index.ts';

export interface RestoreOptions {
  readonly from?: string;
  readonly fleet?: string;
  readonly runbook?: string;
}

/** `neap resume --from`: builds the run from a mirror, and says what it has. */
export async function restore(run: string, from: string, options: RestoreOptions): Promise<RunPlace> {
  const config = await loadConfig(process.cwd());
  const { place, isNew, isClosed, events, lastAgeMs, torn, movedTo } = await restoreRun({
    config,
    from,
    run,
    fleet: options.fleet,
    runbook: options.runbook,
  });
  const lines = [
    isNew
      ? `Run ${place.run} was built from ${from}: ${events} events, their chain sound, the last one ${duration(lastAgeMs)} old.`
      : `Run ${place.run} is here already, with the same ${events} events; the last one is ${duration(lastAgeMs)} old.`,
    ...(torn ? ['A last line that was cut off was left out: nothing had waited for it.'] : []),
    ...(movedTo === null ? [] : [`A shorter journal of it that was here is kept in ${movedTo}`]),
    ...(isNew && !isClosed
      ? ['What the lost engine did after that is found out by looking at each server before acting.']
      : []),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  return place;
}
