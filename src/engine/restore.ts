import { existsSync } from 'node:fs';
import { mkdir, open, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import {
  isRunName,
  JournalFailure,
  readJournal,
  readMirrorRows,
  restoreJournal,
  type MirrorStore,
} from '../journal/index.ts';
import { FailureError, type Fleet, type Plan, type Runbook } from '../model/index.ts';
import type { JournalRow } from '../ports/index.ts';
import { planClock, wallClockMs } from './clock.ts';
import type { Config } from './config.ts';
import { loadFleet, loadRunbook, type Loaded } from './load.ts';
import { mirrorStore } from './mirror.ts';
import { parseOrder, placeOf, readPlan, type Order, type RunPlace } from './runs.ts';

export interface RestoreWish {
  readonly config: Config;
  /** `dir:/path` or `ssh:HOST:/path`. */
  readonly from: string;
  /** The run's name, or its beginning or end. */
  readonly run: string;
  /** Where fleet and runbook lie on this machine; by default where the plan says. */
  readonly fleet?: string | undefined;
  readonly runbook?: string | undefined;
}

/** A run whose folder was built from a mirror, or was there already with the same journal. */
export interface Restored {
  readonly place: RunPlace;
  readonly isNew: boolean;
  /** It came to its end: nothing is left to be done. */
  readonly isClosed: boolean;
  readonly events: number;
  /** How long ago the last event was, in plan milliseconds. */
  readonly lastAgeMs: number;
  /** A last line that was cut off was left out. */
  readonly torn: boolean;
  /** Where a shorter journal of this run was moved to. */
  readonly movedTo: string | null;
}

/**
 * Builds a run's folder and journal from a mirror, so that this machine can go on with it: the plan must be whole, the
 * chain sound, fleet and runbook the ones that the plan was made with. Writes nothing over a journal that is longer or
 * another one. Throws FailureError.
 */
export async function restoreRun(wish: RestoreWish): Promise<Restored> {
  const { config, from } = wish;
  const given = wish.fleet === undefined ? null : await loadFleet(wish.fleet, config.cwd);
  const store = mirrorStore(from, given?.value.sshConfig);
  try {
    const run = await nameThere(store, wish.run);
    const { rows, torn } = await rowsThere(store, run);
    const found = { run, rows, from, config };
    const building = placeOf(config.stateDir, `.${run}.restoring`);
    await rm(building.dir, { recursive: true, force: true });
    await mkdir(building.dir, { recursive: true, mode: 0o700 });
    try {
      await writeFile(building.plan, await fileThere(store, run, 'plan.json'), { mode: 0o600 });
      const plan = await readPlan(building.plan);
      const order = orderThere(store, run, await fileThere(store, run, 'order.json'));
      checkOpening(rows, run, plan, store);
      const fleet = given ?? (await loadFleet(firstThere([plan.header.fleet.path, config.fleet]), config.cwd));
      const runbook = await runbookHere(wish, plan);
      checkDigests(plan, fleet, runbook, run);
      const lastAgeMs = planClock(fleet.value.clock).nowMs() - (rows.at(-1)?.atMs ?? 0);
      const isClosed = rows.at(-1)?.event['type'] === 'closed';
      const summary = { place: placeOf(config.stateDir, run), isClosed, events: rows.length, lastAgeMs, torn };
      const there = await journalHere(found);
      if (there === 'same') return { ...summary, isNew: false, movedTo: null };
      const kept = { ...order, run, cwd: config.cwd, page: config.page === null ? null : [...config.page.command] };
      const restored = { mirror: from, lastSeq: rows.length, fleet: fleet.path, runbook: runbook.path };
      const text = JSON.stringify({ ...kept, journal: config.journal, restored }, null, 2);
      await writeFile(building.order, `${text}\n`, { mode: 0o600 });
      await restoreJournal(building.journal, rows, { run });
      const movedTo = there === 'shorter' ? await moveAside(summary.place) : null;
      await rename(building.dir, summary.place.dir);
      await flush(dirname(summary.place.dir));
      return { ...summary, isNew: true, movedTo };
    } finally {
      await rm(building.dir, { recursive: true, force: true });
    }
  } finally {
    store.close();
  }
}

async function nameThere(store: MirrorStore, wanted: string): Promise<string> {
  const all = await store.runs().catch((error: unknown) => {
    throw error instanceof FailureError ? error : unusable(store, 'it', `cannot be read: ${wordsOf(error)}`);
  });
  const named = all.filter(isRunName);
  const like = named.filter((run) => run.startsWith(wanted) || run.endsWith(wanted));
  const run = named.find((each) => each === wanted) ?? (like.length === 1 ? like[0] : undefined);
  if (run === undefined) {
    const newest = named.toSorted().slice(-3).join(', ');
    throw unusable(store, 'it', `has no run ${wanted}${newest === '' ? '' : `; among others it has ${newest}`}`);
  }
  return run;
}

async function fileThere(store: MirrorStore, run: string, file: 'plan.json' | 'order.json'): Promise<string> {
  const text = await store.read(run, file);
  if (text === null) throw unusable(store, `run ${run}`, `has no ${file} there: it was lost before it was copied`);
  return text;
}

async function rowsThere(
  store: MirrorStore,
  run: string,
): Promise<{ readonly rows: readonly JournalRow[]; readonly torn: boolean }> {
  const read = readMirrorRows((await store.read(run, 'rows.ndjson')) ?? '');
  if (!read.ok) throw unusable(store, `run ${run}`, `is damaged there from event ${read.seq} on: ${read.why}`);
  if (read.rows.length === 0) throw unusable(store, `run ${run}`, 'has no event there: nothing tells what was done');
  return read;
}

function orderThere(store: MirrorStore, run: string, text: string): Order {
  const order = parseOrder(text);
  if (order === null) throw unusable(store, `run ${run}`, 'has an order.json that is none of this version of neap');
  return order;
}

function checkOpening(rows: readonly JournalRow[], run: string, plan: Plan, store: MirrorStore): void {
  const opened = rows[0]?.event;
  if (opened?.['type'] !== 'opened' || opened['run'] !== run || opened['plan'] !== plan.hash)
    throw unusable(store, `run ${run}`, 'has events there that belong to another run or plan');
}

/** The plan's own path; else one that ships under the same name. */
async function runbookHere({ config, runbook }: RestoreWish, plan: Plan): Promise<Loaded<Runbook>> {
  const { path } = plan.header.runbook;
  const here = runbook ?? (existsSync(path) ? path : basename(path).replace(/\.[jt]s$/, ''));
  return loadRunbook(here, config.cwd);
}

function firstThere(paths: readonly (string | null)[]): string {
  const named = paths.filter((path) => path !== null);
  return named.find((path) => existsSync(path)) ?? named[0] ?? '';
}

function checkDigests({ header }: Plan, fleet: Loaded<Fleet>, runbook: Loaded<Runbook>, run: string): void {
  for (const [what, planned, here] of [
    ['fleet', header.fleet.digest, fleet],
    ['runbook', header.runbook.digest, runbook],
  ] as const) {
    if (planned === here.digest) continue;
    throw new FailureError({
      kind: 'condition',
      what: `the ${what} ${here.path} is not the one that the plan was made with`,
      where: `run ${run}`,
      state: 'Nothing was written, and nothing done on any server',
      remedy: `Bring the ${what} of that time here (it lay at ${header[what].path}), and name it: --${what} FILE`,
    });
  }
}

type Here = 'none' | 'same' | 'shorter';

/** A journal of this run that is here already is kept, unless the mirror's goes on where it ends. */
async function journalHere(found: {
  readonly run: string;
  readonly rows: readonly JournalRow[];
  readonly from: string;
  readonly config: Config;
}): Promise<Here> {
  const { run, rows, from, config } = found;
  const place = placeOf(config.stateDir, run);
  if (!existsSync(place.dir)) return 'none';
  const own = existsSync(place.journal) ? await readHere(place) : [];
  const agree = own.every((row, at) => rows[at] === undefined || rows[at].hash === row.hash);
  if (agree && own.length === rows.length) return 'same';
  if (agree && own.length < rows.length) return 'shorter';
  const last = own.at(-1);
  throw new FailureError({
    kind: 'condition',
    what: agree
      ? `the journal here is ${own.length - rows.length} events longer than what ${from} has`
      : `the journal here is another one than what ${from} has`,
    where: place.dir,
    state: `It was left as it is; its last event is number ${last?.seq ?? 0}`,
    remedy: agree
      ? `Go on with the one here: neap resume ${run}`
      : `Look at both: neap audit verify ${run}. To go on with the mirror's, move the folder away first`,
  });
}

async function readHere(place: RunPlace): Promise<readonly JournalRow[]> {
  try {
    return await readJournal(place.journal, { run: place.run });
  } catch (error) {
    if (!(error instanceof JournalFailure) || error.reason !== 'damaged') throw error;
    throw new FailureError(
      { ...error.failure, remedy: `To go on with the mirror's, move ${place.dir} away first, and keep it` },
      { cause: error },
    );
  }
}

async function moveAside(place: RunPlace): Promise<string> {
  const to = join(dirname(place.dir), `.${place.run}.before-${wallClockMs()}`);
  await rename(place.dir, to);
  return to;
}

async function flush(directory: string): Promise<void> {
  const handle = await open(resolve(directory), 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function unusable(store: MirrorStore, what: string, why: string): FailureError {
  return new FailureError({
    kind: 'condition',
    what: `${what} ${why}`,
    where: store.name,
    state: 'Nothing was written here, and nothing done on any server',
    remedy: 'Name another mirror of this run. Without one: look at every server, and make a new plan (neap plan)',
  });
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
