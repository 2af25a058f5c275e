import { hostname, userInfo } from 'node:os';
import { loadConfig, prepareRun, readPlan, startEngine, type Config, type RunPlace } from '../../engine/index.ts';
import type { Plan } from '../../model/index.ts';
import { usage } from '../usage.ts';
import { planText } from '../views/plan.ts';
import { watch } from '../watch.ts';
import { isRefused, preview, type PlanOptions } from './plan.ts';

export interface RunOptions extends Omit<PlanOptions, 'out' | 'json'> {
  readonly unattended?: boolean;
  readonly wait: boolean;
  readonly yes?: boolean;
  readonly detach?: boolean;
}

/** `neap run`: runs exactly one plan, from a file or made now, and watches it. */
export async function run(planOrRunbook: string, options: RunOptions): Promise<number> {
  const config = await loadConfig(process.cwd());
  const isPlan = planOrRunbook.endsWith('.json');
  const plan = isPlan ? await readPlan(planOrRunbook) : (await preview(config, planOrRunbook, options)).plan;
  if (isPlan && (options.input.length > 0 || options.except.length > 0 || options.fleet !== undefined)) {
    throw usage(
      'a plan that was made holds its inputs, fleet and exceptions already',
      'Leave out --input, --except and --fleet, or give a runbook in place of the plan',
    );
  }
  if (isRefused(plan)) {
    process.stdout.write(
      planText(plan, { columns: process.stdout.columns ?? 100, color: process.stdout.isTTY, commands: [], out: null }),
    );
    return 4;
  }
  if (!(await confirmed(plan, options))) return 4;
  const place = await prepareAndStart(config, plan, options);
  if (options.detach) {
    process.stdout.write(`Run ${place.run} goes on by itself. Watch it: neap attach ${place.run}\n`);
    return 0;
  }
  return watch(place, options);
}

/** A person at a terminal says yes to the plan that is shown; without one, asking for the run is the yes. */
async function confirmed(plan: Plan, options: RunOptions): Promise<boolean> {
  const interactive = process.stdin.isTTY && process.stdout.isTTY;
  if (!interactive || options.yes || options.unattended) return true;
  process.stdout.write(
    planText(plan, { columns: process.stdout.columns ?? 100, color: true, commands: [], out: null }),
  );
  const { confirm } = await import('@inquirer/prompts');
  try {
    return await confirm({ message: `Approve plan ${plan.hash.slice(0, 12)} and run it?`, default: false });
  } catch {
    // Ctrl-C at the prompt: nothing was started.
    return false;
  }
}

export async function prepareAndStart(
  config: Config,
  plan: Plan,
  options: { readonly unattended?: boolean },
): Promise<RunPlace> {
  const place = await prepareRun(config.stateDir, plan, {
    by: userInfo().username,
    host: hostname(),
    cwd: config.cwd,
    unattended: options.unattended === true,
    page: config.page === null ? null : [...config.page.command],
    user: userInfo().username,
    key: null,
    ticket: null,
    lease: config.lease,
    journal: config.journal,
  });
  await startEngine(place, config.stateDir, 'start');
  return place;
}
