import { userInfo } from 'node:os';
import { loadConfig, loadFleet, unfence as endRun } from '../../engine/index.ts';
import { nameServers } from '../../run/index.ts';
import { usage } from '../usage.ts';
import { fleetPath } from './plan.ts';

export interface UnfenceOptions {
  readonly fleet?: string;
  readonly reason?: string;
  readonly force?: boolean;
}

/** `neap fleet unfence`: ends a run that nobody has any more on its servers. 1 when a server could not be told. */
export async function unfence(run: string, options: UnfenceOptions): Promise<number> {
  const config = await loadConfig(process.cwd());
  const { value: fleet } = await loadFleet(fleetPath(config, options.fleet), config.cwd);
  if (options.reason === undefined || options.reason.trim() === '')
    throw usage('nobody can tell later why the run was ended', 'Give --reason "..."');
  const { released, missed, claim } = await endRun({
    run,
    fleet,
    setting: config.lease,
    stateDir: config.stateDir,
    by: userInfo().username,
    reason: options.reason,
    force: options.force === true,
  });
  const told =
    released.length === 0
      ? `No server's record names run ${run}.`
      : `${nameServers(released)}: free, and run ${run} may never write there again.`;
  process.stdout.write(`${told}${claim === null ? '' : ` Its claim (epoch ${claim.epoch}) is released.`}\n`);
  for (const { server, why } of missed) process.stdout.write(`${server}: could not be told: ${why}\n`);
  if (missed.length > 0) process.stdout.write(`Once they answer: neap fleet unfence ${run} --reason "..."\n`);
  return missed.length > 0 ? 1 : 0;
}
