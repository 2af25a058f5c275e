import { loadConfig, listQuarantine, loadFleet, loadRunbook, makePlan, parseInputs } from '../../engine/index.ts';
import { usage } from '../usage.ts';
import { fleetPath, progress } from './plan.ts';
import { carryOut, type RunOptions } from './run.ts';

export interface RejoinOptions extends Pick<
  RunOptions,
  'fleet' | 'input' | 'yes' | 'unattended' | 'detach' | 'wait' | 'ticket'
> {
  readonly runbook: string;
}

/** `neap fleet rejoin`: proves these servers and gives them traffic, by an ordinary plan that is for them only. */
export async function rejoin(servers: readonly string[], options: RejoinOptions): Promise<number> {
  const config = await loadConfig(process.cwd());
  const runbook = await loadRunbook(options.runbook, config.cwd);
  const fleet = await loadFleet(fleetPath(config, options.fleet), config.cwd);
  for (const wanted of servers) {
    const server = fleet.value.servers.find(({ name }) => name === wanted);
    if (!server)
      throw usage(
        `the fleet has no server ${wanted}`,
        'Correct the name; `neap fleet quarantine` lists who is kept out',
      );
    if (!(server.group in runbook.value.reach))
      throw usage(
        `${wanted} is of group ${server.group}, and runbook ${options.runbook} does not speak of that`,
        `Copy that runbook (neap init), name ${server.group} in its reach, and give it with --runbook`,
      );
  }
  const mirror = config.journal.mirror === undefined ? null : { to: config.journal.mirror, stateDir: config.stateDir };
  const { plan } = await makePlan({
    runbook,
    fleet,
    inputs: parseInputs(runbook.value, options.input),
    except: [],
    only: servers,
    mirror,
    onRead: progress(),
  });
  return carryOut(config, { plan }, options);
}

/** `neap fleet quarantine`: who is kept out until proven, since when, by which run and why. */
export async function quarantine(options: { readonly fleet?: string; readonly json?: boolean }): Promise<number> {
  const config = await loadConfig(process.cwd());
  const named = options.fleet ?? config.fleet;
  const fleet = named === null ? null : (await loadFleet(fleetPath(config, options.fleet), config.cwd)).value.name;
  const entries = await listQuarantine(config.stateDir, fleet);
  if (options.json) {
    process.stdout.write(`${JSON.stringify(entries, null, 2)}\n`);
    return 0;
  }
  for (const { fleet: of, server, run, sinceMs, why, out } of entries) {
    const where = fleet === null ? ` of ${of}` : '';
    const still = out ? '' : '; it was not seen out of the balancer';
    process.stdout.write(
      `${server}${where}: since ${new Date(sinceMs).toISOString()}, run ${run}: ${oneLine(why)}${still}\n`,
    );
  }
  process.stdout.write(
    entries.length === 0
      ? 'Nobody is in quarantine, as far as this state folder knows.\n'
      : `Bring them back, proven: neap fleet rejoin ${entries.map(({ server }) => server).join(' ')}\n`,
  );
  return 0;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}
