import {
  answerable,
  loadConfig,
  prepareRun,
  readPlanFile,
  startEngine,
  ticketFor,
  type Config,
  type RunPlace,
} from '../../engine/index.ts';
import type { Plan } from '../../model/index.ts';
import { usage } from '../usage.ts';
import { planText } from '../views/plan.ts';
import { watch } from '../watch.ts';
import { isRefused, preview, type Overridable, type PlanOptions } from './plan.ts';
import { saysWindow } from './window.ts';

export interface RunOptions extends Omit<PlanOptions, 'out' | 'json'> {
  readonly unattended?: boolean;
  readonly wait: boolean;
  readonly yes?: boolean;
  readonly detach?: boolean;
  readonly ticket?: string;
  /** What is decided against beforehand, with `reason`: a freeze, the fuse. */
  readonly override?: string;
  readonly reason?: string;
}

/** `neap run`: runs exactly one plan, from a file or made now, and watches it. */
export async function run(planOrRunbook: string, options: RunOptions): Promise<number> {
  const config = await loadConfig(process.cwd());
  // Before anything is contacted.
  ticketFor(config, options.ticket);
  overridden(options);
  const isPlan = planOrRunbook.endsWith('.json');
  const made: { readonly plan: Plan; readonly text?: string } = isPlan
    ? await readPlanFile(planOrRunbook)
    : await preview(config, planOrRunbook, options);
  if (
    isPlan &&
    (options.input.length > 0 || options.except.length > 0 || options.fleet !== undefined || saysWindow(options))
  ) {
    throw usage(
      'a plan that was made holds its inputs, fleet, exceptions and window already',
      'Leave out --input, --except, --fleet and the times, or give a runbook in place of the plan',
    );
  }
  return carryOut(config, made, options);
}

/** Shows a plan that is refused; else has it approved, starts its run and watches it. */
export async function carryOut(
  config: Config,
  made: { readonly plan: Plan; readonly text?: string },
  options: Pick<RunOptions, 'yes' | 'unattended' | 'detach' | 'wait' | 'ticket' | 'override' | 'reason'>,
  begun: (place: RunPlace) => void = () => undefined,
): Promise<number> {
  const { plan } = made;
  if (isRefused(plan, overridden(options))) {
    process.stdout.write(
      planText(plan, { columns: process.stdout.columns ?? 100, color: process.stdout.isTTY, commands: [], out: null }),
    );
    return 4;
  }
  if (!(await confirmed(plan, options))) return 4;
  const place = await prepareAndStart(config, plan, {
    ...options,
    ...(made.text === undefined ? {} : { planText: made.text }),
  });
  begun(place);
  if (options.detach) {
    process.stdout.write(`Run ${place.run} goes on by itself. Watch it: neap attach ${place.run}\n`);
    return 0;
  }
  return watch(place, options);
}

/** What is decided against before the run is begun, by name and with a reason. */
export function overridden({ override, reason }: Pick<RunOptions, 'override' | 'reason'>): readonly Overridable[] {
  if (override === undefined) return [];
  const classes = [...new Set(override.split(','))].map((word) => {
    const known = OVERRIDABLE.find((each) => each === word);
    if (known === undefined)
      throw usage(
        `--override ${word} is not known before a run is begun`,
        `It is one of: ${OVERRIDABLE.join(', ')}; or both, with a comma`,
      );
    return known;
  });
  if ((reason ?? '').trim() === '')
    throw usage('--override without a reason', 'Say why, in --reason: it stands in the journal');
  return classes;
}

const OVERRIDABLE: readonly Overridable[] = ['freeze', 'fuse'];

/** A person at a terminal says yes to the plan that is shown; without one, asking for the run is the yes. */
async function confirmed(
  plan: Plan,
  options: Pick<RunOptions, 'yes' | 'unattended' | 'override' | 'reason'>,
): Promise<boolean> {
  const interactive = process.stdin.isTTY && process.stdout.isTTY;
  if (!interactive || options.yes || options.unattended) return true;
  process.stdout.write(
    planText(plan, {
      columns: process.stdout.columns ?? 100,
      color: true,
      commands: [],
      out: null,
      overridden: overridden(options),
    }),
  );
  const { confirm } = await import('@inquirer/prompts');
  try {
    return await confirm({ message: `Approve plan ${plan.hash.slice(0, 12)} and run it?`, default: false });
  } catch {
    // Ctrl-C at the prompt: nothing was started.
    return false;
  }
}

/** Prepares a run's folder and starts its engine. `planText`: the plan's file, which is kept as it lay there. */
export async function prepareAndStart(
  config: Config,
  plan: Plan,
  options: Pick<RunOptions, 'unattended' | 'ticket' | 'override' | 'reason'> & { readonly planText?: string },
): Promise<RunPlace> {
  const ticket = ticketFor(config, options.ticket);
  const order = {
    ...(await answerable(plan, config.cwd, ticket)),
    cwd: config.cwd,
    unattended: options.unattended === true,
    page: config.page === null ? null : [...config.page.command],
    lease: config.lease,
    journal: config.journal,
    freezes: config.freezes,
    zone: config.zone ?? 'UTC',
    overrides: overridden(options).map((word) => ({ class: word, reason: options.reason?.trim() ?? '' })),
  };
  const place = await prepareRun(config.stateDir, plan, order, options.planText);
  await startEngine(place, config.stateDir, 'start');
  return place;
}
