import { resolve } from 'node:path';
import {
  durationOf,
  listQuarantine,
  loadConfig,
  loadFleet,
  loadRunbook,
  makePlan,
  parseInputs,
  productionRate,
  writePlan,
  type RunPlace,
} from '../../engine/index.ts';
import { rehearsalRuleSchema, type Fleet, type Runbook, type Server } from '../../model/index.ts';
import { rehearsalMs } from '../../plan/index.ts';
import { readRun } from '../session.ts';
import { usage } from '../usage.ts';
import { planText } from '../views/plan.ts';
import { conclusionText } from '../views/rehearsed.ts';
import { fleetPath, isRefused, progress, surroundings } from './plan.ts';
import { carryOut, type RunOptions } from './run.ts';

export interface RehearseOptions extends Pick<
  RunOptions,
  'fleet' | 'yes' | 'unattended' | 'detach' | 'wait' | 'ticket'
> {
  readonly cut: string;
  readonly on: string;
  readonly outage: string;
  readonly margin: string;
  readonly traffic?: string;
  readonly runbook: string;
  readonly out?: string;
}

/**
 * `neap rehearse`: an ordinary plan for one server that measures its fuse, for one longest time to live and a timeout,
 * or for the planned outage and its margin, whichever is longer. What it showed is kept in the run's journal.
 */
export async function rehearse(options: RehearseOptions): Promise<number> {
  const config = await loadConfig(process.cwd());
  const runbook = await loadRunbook(options.runbook, config.cwd);
  const fleet = await loadFleet(fleetPath(config, options.fleet), config.cwd);
  const server = canaryOf(fleet.value, runbook.value, options);
  const wanted = { outageMs: span('outage', options.outage), marginMs: span('margin', options.margin) };
  const forMs = rehearsalMs(server.service, options.cut, wanted);
  const traffic = shareOf(options.traffic, fleet.value);
  const measured = await productionRate(fleet, server);
  const rate = measured === null ? [] : [`productionPerSecond=${measured}`];
  const { plan, commands, guards } = await makePlan({
    runbook,
    fleet,
    inputs: parseInputs(runbook.value, [`cut=${options.cut}`, `forMs=${forMs}`, `traffic=${traffic}`, ...rate]),
    except: [],
    only: [server.name],
    quarantined: await listQuarantine(config.stateDir, fleet.value.name),
    ...surroundings(config),
    onRead: progress(),
  });
  if (options.out !== undefined) {
    await writePlan(resolve(config.cwd, options.out), plan);
    const view = { columns: process.stdout.columns ?? 100, color: process.stdout.isTTY, commands, guards };
    process.stdout.write(planText(plan, { ...view, out: options.out }));
    return isRefused(plan) ? 4 : 0;
  }
  let place: RunPlace | null = null;
  const code = await carryOut(config, { plan }, options, (begun) => (place = begun));
  if (place !== null && options.detach !== true) await conclude(place);
  return code;
}

/** What the run's journal says of it, once it is over. */
async function conclude(place: RunPlace): Promise<void> {
  const { state } = await readRun(place);
  if (state?.closed) process.stdout.write(`${conclusionText(state.rehearsed ?? [])}\n`);
}

function canaryOf(fleet: Fleet, runbook: Runbook, { on, cut, runbook: path }: RehearseOptions): Server {
  const server = fleet.servers.find(({ name }) => name === on);
  if (!server) throw usage(`the fleet has no server ${on}`, 'Correct --on; `neap fleet check` lists the servers');
  if (!(server.group in runbook.reach))
    throw usage(
      `${on} is of group ${server.group}, and runbook ${path} does not speak of that`,
      `Copy that runbook (neap init), name ${server.group} in its reach, and give it with --runbook`,
    );
  const { dependencies } = server.service;
  const names = Object.keys(dependencies);
  const dependency = Object.hasOwn(dependencies, cut) ? dependencies[cut] : undefined;
  if (!dependency)
    throw usage(
      `${on} has no dependency ${cut}`,
      names.length === 0 ? 'Declare it in the fleet file, under dependencies' : `It has: ${names.join(', ')}`,
    );
  const lacking = (['cut', 'restore', 'path'] as const).find((call) => dependency[call] === undefined);
  if (lacking !== undefined)
    throw usage(
      `the fleet does not say how the path from ${on} to the ${cut} is cut: ${lacking} is missing`,
      `Add service.dependencies.${cut}.${lacking} for ${on} to the fleet; the cut must remove itself after {seconds}`,
    );
  return server;
}

function span(option: string, text: string): number {
  const ms = durationOf(text);
  if (ms === null) throw usage(`--${option} ${text} is no duration`, `Write: --${option} 120s, or 5m`);
  return ms;
}

function shareOf(given: string | undefined, { rehearsal }: Fleet): number {
  if (given === undefined) return rehearsalRuleSchema.parse(rehearsal ?? {}).traffic;
  const share = Number(given);
  if (given.trim() === '' || !(share > 0 && share <= 1))
    throw usage(`--traffic ${given} is no share`, "Give a share of one server's production rate: --traffic 0.05");
  return share;
}
