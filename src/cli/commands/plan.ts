import { resolve } from 'node:path';
import type { Plan } from '../../model/index.ts';
import {
  listQuarantine,
  loadConfig,
  loadFleet,
  loadRunbook,
  makePlan,
  parseInputs,
  writePlan,
  type Config,
  type Preview,
  type Surroundings,
} from '../../engine/index.ts';
import { usage } from '../usage.ts';
import { planText } from '../views/plan.ts';
import { parseWindow, type WindowOptions } from './window.ts';

export interface PlanOptions extends WindowOptions {
  readonly fleet?: string;
  readonly input: readonly string[];
  readonly except: readonly string[];
  readonly out?: string;
  readonly json?: boolean;
}

/** `neap plan`: previews a runbook on a fleet. 0: it could be run; 4: it is refused. */
export async function plan(runbook: string, options: PlanOptions): Promise<number> {
  const config = await loadConfig(process.cwd());
  const { plan: made, commands, guards } = await preview(config, runbook, options);
  if (options.out !== undefined) await writePlan(resolve(config.cwd, options.out), made);
  if (options.json) process.stdout.write(`${JSON.stringify({ ...made, commands, guardsNow: guards }, null, 2)}\n`);
  else
    process.stdout.write(
      planText(made, {
        columns: process.stdout.columns ?? 100,
        color: process.stdout.isTTY,
        commands,
        guards,
        out: options.out ?? null,
      }),
    );
  return isRefused(made) ? 4 : 0;
}

/** Loads, observes and compiles, with progress on a terminal's standard error. */
export async function preview(
  config: Config,
  runbook: string,
  options: Omit<PlanOptions, 'out' | 'json'>,
): Promise<Preview> {
  const loaded = await loadRunbook(runbook, config.cwd);
  const fleet = await loadFleet(fleetPath(config, options.fleet), config.cwd);
  return makePlan({
    runbook: loaded,
    fleet,
    inputs: parseInputs(loaded.value, options.input),
    except: options.except.map(parseExcept),
    window: parseWindow(config, options),
    ...surroundings(config),
    quarantined: await listQuarantine(config.stateDir, fleet.value.name),
    earlier: config.stateDir,
    onRead: progress(),
  });
}

/** What the configuration says of every plan that is made under it. */
export function surroundings(config: Config): Surroundings {
  return {
    calendars: { freezes: config.freezes, zone: config.zone ?? 'UTC' },
    mirror: config.journal.mirror === undefined ? null : { to: config.journal.mirror, stateDir: config.stateDir },
    lease: { setting: config.lease, stateDir: config.stateDir },
  };
}

/** How far reading has come, on a terminal's standard error. */
export function progress(): (done: number, of: number) => void {
  const show = process.stderr.isTTY;
  return (done, of) => {
    if (show) process.stderr.write(done === of ? '\r\x1b[K' : `\rreading servers ${done}/${of}`);
  };
}

/** What a person can decide against before a run is begun: a freeze, and a fuse that does not cover the outage. */
export type Overridable = 'freeze' | 'fuse';

/** Whether the plan cannot be run. What a person decided against refuses nothing. */
export function isRefused({ header }: Plan, overridden: readonly Overridable[] = []): boolean {
  return header.findings.some(
    ({ severity, code }) => severity === 'refusal' && !overridden.some((each) => each === classOf(code)),
  );
}

/** What a rehearsal says against a plan is about its fuse: it is decided against in that class, and in no lesser one. */
function classOf(code: string): string {
  return code === 'rehearsal' ? 'fuse' : code;
}

export function fleetPath(config: Config, given: string | undefined): string {
  const path = given === undefined ? config.fleet : resolve(config.cwd, given);
  if (path === null)
    throw usage('no fleet is named', 'Give --fleet FILE, or set fleet in neap.config.ts (neap init writes one)');
  return path;
}

/** `SERVER=why`: who is left out is left out by name and reason. */
export function parseExcept(word: string): { server: string; reason: string } {
  const at = word.indexOf('=');
  const server = word.slice(0, at);
  const reason = word.slice(at + 1).trim();
  if (at < 1 || reason === '')
    throw usage(`--except ${word} has no reason`, 'Write: --except api-07="disk replaced, back on Monday"');
  return { server, reason };
}
