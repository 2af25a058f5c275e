import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { configSchema, FailureError, planSchema, type Plan } from '../model/index.ts';
import { tampered, type PlanText } from '../plan/index.ts';

/** Who asked for a run, and with what: beside its plan and journal. */
const orderSchema = z.strictObject({
  run: z.string(),
  by: z.string(),
  host: z.string(),
  cwd: z.string(),
  /** Opens gates by itself as the approver that a lab's fleet names. */
  unattended: z.boolean(),
  page: z.array(z.string()).nullable(),
  /** What the run must answer for: the operating system's name of who asked, the key that neap logs in with, a ticket. */
  user: z.string().default('unknown'),
  key: z.string().nullable().default(null),
  ticket: z.string().nullable().default(null),
  lease: configSchema.shape.lease,
  journal: configSchema.shape.journal,
  /** Calendars that are read again when the run is begun and gone on with, and the zone of what they say without one. */
  freezes: configSchema.shape.freezes,
  zone: z.string().default('UTC'),
  /** What a person decided against before the run was begun. */
  overrides: z.array(z.strictObject({ class: z.enum(['freeze', 'fuse']), reason: z.string() })).default([]),
  /** Of a run whose journal was built from a mirror: up to which event, and where fleet and runbook lie on this machine. */
  restored: z
    .strictObject({ mirror: z.string(), lastSeq: z.number().int(), fleet: z.string(), runbook: z.string() })
    .optional(),
});
export type Order = z.output<typeof orderSchema>;

/** An order as text. */
export function parseOrder(text: string): Order | null {
  const parsed = orderSchema.safeParse(jsonOf(text));
  return parsed.success ? parsed.data : null;
}

/** Where everything of one run lies. */
export interface RunPlace {
  readonly run: string;
  readonly dir: string;
  readonly plan: string;
  readonly order: string;
  readonly journal: string;
  readonly log: string;
  readonly engine: string;
}

export function placeOf(stateDir: string, run: string): RunPlace {
  const dir = join(stateDir, 'runs', run);
  return {
    run,
    dir,
    plan: join(dir, 'plan.json'),
    order: join(dir, 'order.json'),
    journal: join(dir, 'journal.db'),
    log: join(dir, 'engine.log'),
    engine: join(dir, 'engine.json'),
  };
}

/**
 * Makes a run's folder with its plan and order; its journal is the engine's to make. `planText` is the plan as it
 * lay in its file: its hash is over that, without what today's schemas fill in.
 */
export async function prepareRun(
  stateDir: string,
  plan: Plan,
  order: Omit<z.input<typeof orderSchema>, 'run'>,
  planText: string = JSON.stringify(plan),
): Promise<RunPlace> {
  const day = new Date(plan.header.madeAtMs).toISOString().slice(0, 10);
  const run = `${day}-${randomBytes(3).toString('hex')}`;
  const place = placeOf(stateDir, run);
  await mkdir(place.dir, { recursive: true, mode: 0o700 });
  await writeFile(place.plan, `${planText.trimEnd()}\n`, { mode: 0o600 });
  await writeFile(place.order, `${JSON.stringify({ run, ...order }, null, 2)}\n`, { mode: 0o600 });
  return place;
}

export async function readOrder(place: RunPlace): Promise<Order> {
  return orderSchema.parse(JSON.parse(await readFile(place.order, 'utf8')));
}

/** Reads a plan file and holds it against its own hash. */
export async function readPlan(path: string): Promise<Plan> {
  return (await readPlanFile(path)).plan;
}

/** The same, with its text as it lies there. */
export async function readPlanFile(path: string): Promise<{ readonly plan: Plan; readonly text: string }> {
  const text = await readFile(path, 'utf8').catch(() => null);
  if (text === null) throw unusable(path, 'it cannot be read', 'Give the path of a plan that `neap plan --out` wrote');
  const json = jsonOf(text);
  const parsed = planSchema.safeParse(json);
  if (!parsed.success)
    throw unusable(
      path,
      `it is no plan of this version of neap (${z.prettifyError(parsed.error).split('\n')[0]})`,
      'Make it anew: neap plan RUNBOOK --out plan.json',
    );
  const why = tampered(json as PlanText);
  if (why !== null)
    throw unusable(path, `it was changed after it was made: ${why}`, 'Make it anew, and have that approved');
  return { plan: parsed.data, text };
}

/** Writes a plan for later, readable by its owner only. */
export async function writePlan(path: string, plan: Plan): Promise<void> {
  const beside = `${path}.new`;
  try {
    await writeFile(beside, `${JSON.stringify(plan, null, 2)}\n`, { mode: 0o600 });
    await chmod(beside, 0o600);
    await rename(beside, path);
  } catch (error) {
    const what = `the plan cannot be written: ${error instanceof Error ? error.message : String(error)}`;
    throw new FailureError(
      {
        kind: 'condition',
        what,
        where: path,
        state: 'Nothing was changed on any server',
        remedy: 'Name a file in a folder that exists and that you may write to',
      },
      { cause: error },
    );
  }
}

/** The runs of a state folder, newest last. One whose engine was refused before it had a journal is no run. */
export function listRuns(stateDir: string): string[] {
  const dir = join(stateDir, 'runs');
  if (!existsSync(dir)) return [];
  return (
    readdirSync(dir)
      // One that is being built from a mirror begins with a dot.
      .filter((run) => !run.startsWith('.') && existsSync(placeOf(stateDir, run).journal))
      .toSorted((a, b) => statSync(placeOf(stateDir, a).order).mtimeMs - statSync(placeOf(stateDir, b).order).mtimeMs)
  );
}

/** The run that was meant: by name, by its beginning, or the newest. */
export function findRun(stateDir: string, wanted: string | undefined): RunPlace {
  const runs = listRuns(stateDir);
  const found =
    wanted === undefined
      ? runs.at(-1)
      : (runs.find((run) => run === wanted) ??
        single(runs.filter((run) => run.startsWith(wanted) || run.endsWith(wanted))));
  if (found !== undefined) return placeOf(stateDir, found);
  throw new FailureError({
    kind: 'condition',
    what: wanted === undefined ? 'there is no run yet' : `there is no run ${wanted}`,
    where: join(stateDir, 'runs'),
    state: 'Nothing was changed',
    remedy: runs.length > 0 ? `The newest are: ${runs.slice(-3).join(', ')}` : 'Start one: neap run RUNBOOK',
  });
}

function single<T>(all: readonly T[]): T | undefined {
  return all.length === 1 ? all[0] : undefined;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function unusable(path: string, why: string, remedy: string): FailureError {
  return new FailureError({
    kind: 'condition',
    what: `the plan is not usable: ${why}`,
    where: path,
    state: 'Nothing was started',
    remedy,
  });
}
