import { resolve } from 'node:path';
import {
  engineOf,
  findRun,
  loadConfig,
  makeWayBack,
  readOrder,
  ticketFor,
  writePlan,
  type Config,
  type Preview,
  type RunPlace,
} from '../../engine/index.ts';
import { readRun } from '../session.ts';
import { usage } from '../usage.ts';
import { planText } from '../views/plan.ts';
import { watch } from '../watch.ts';
import { abort } from './control.ts';
import { isRefused, parseExcept, progress, surroundings } from './plan.ts';
import { overridden, prepareAndStart } from './run.ts';

export interface RollbackOptions {
  readonly to?: string;
  readonly only?: string;
  readonly except: readonly string[];
  readonly out?: string;
  readonly json?: boolean;
  readonly yes?: boolean;
  readonly unattended?: boolean;
  readonly wait: boolean;
  readonly detach?: boolean;
  readonly reason?: string;
  /** Of the way back; without it, that of the run which is taken back. */
  readonly ticket?: string;
  /** What is decided against beforehand, with `reason`: a freeze. */
  readonly override?: string;
}

/**
 * `neap rollback`: an open run goes home, as far as it is asked to; of a run that is over, the way back is a fresh
 * plan, shown first and run as a run of its own.
 */
export async function rollback(run: string, options: RollbackOptions): Promise<number> {
  const config = await loadConfig(process.cwd());
  const place = findRun(config.stateDir, run);
  const over = (await engineOf(place)) ? null : await overRun(place);
  if (over === null) return ofOpenRun(place, options);
  const only = options.only === undefined ? null : options.only.split(',').filter((name) => name !== '');
  if (only?.length === 0)
    throw usage('--only names no server', 'An empty selection is an error, never "all": --only api-07,api-08');
  const order = await readOrder(place);
  const ticket = options.ticket ?? order.ticket ?? undefined;
  // Before anything is contacted.
  ticketFor(config, ticket);
  overridden(options);
  const made = await makeWayBack({
    run: place.run,
    plan: over.plan,
    state: over.state,
    events: over.events,
    cwd: order.cwd,
    to: options.to ?? null,
    only,
    except: options.except.map(parseExcept),
    ...surroundings(config),
    onRead: progress(),
  });
  return shownAndRun(config, place, made, { ...options, ...(ticket === undefined ? {} : { ticket }) });
}

async function overRun(place: RunPlace) {
  const { plan, state, events } = await readRun(place);
  return state?.closed ? { plan, state, events } : null;
}

/** What lies ahead was approved for all of its servers, so they go home together. */
async function ofOpenRun(place: RunPlace, options: RollbackOptions): Promise<number> {
  const given = (['only', 'out', 'json', 'yes', 'unattended', 'override'] as const).find(
    (word) => options[word] !== undefined,
  );
  const word = given ?? (options.except.length > 0 ? 'except' : undefined);
  if (word !== undefined)
    throw usage(
      `run ${place.run} is under way, and --${word} is for a run that is over: its servers go home together`,
      `Take it home: neap rollback ${place.run}. Or let it end, and then: neap rollback ${place.run} --only SERVER`,
    );
  const { reason, detach, to } = options;
  return abort(place.run, {
    ...(reason === undefined ? {} : { reason }),
    ...(detach === undefined ? {} : { detach }),
    ...(to === undefined ? {} : { to }),
  });
}

/** The preview first, always; then a person's yes, or the word that stands for it. */
async function shownAndRun(
  config: Config,
  { run }: RunPlace,
  { plan, commands }: Preview,
  options: RollbackOptions,
): Promise<number> {
  const out = options.out === undefined ? null : resolve(config.cwd, options.out);
  if (out !== null) await writePlan(out, plan);
  const interactive = process.stdin.isTTY && process.stdout.isTTY;
  const view = {
    columns: process.stdout.columns ?? 100,
    color: process.stdout.isTTY,
    commands,
    out: options.out ?? null,
  };
  process.stdout.write(options.json ? `${JSON.stringify({ ...plan, commands }, null, 2)}\n` : planText(plan, view));
  if (isRefused(plan, overridden(options))) return 4;
  if (plan.header.steps.length === 0 || out !== null || options.json) return 0;
  if (!options.yes && !options.unattended && !(interactive && (await said(plan.hash)))) {
    process.stdout.write(
      `Nothing was started. Take it back: neap rollback ${run} --yes; or have it looked at first: --out plan.json\n`,
    );
    return 4;
  }
  const place = await prepareAndStart(config, plan, options);
  if (options.detach) {
    process.stdout.write(`Run ${place.run} goes on by itself. Watch it: neap attach ${place.run}\n`);
    return 0;
  }
  return watch(place, options);
}

async function said(hash: string): Promise<boolean> {
  try {
    const { confirm } = await import('@inquirer/prompts');
    return await confirm({ message: `Approve plan ${hash.slice(0, 12)} and run it?`, default: false });
  } catch {
    // Ctrl-C at the prompt: nothing was started.
    return false;
  }
}
