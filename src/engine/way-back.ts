import { randomInt } from 'node:crypto';
import {
  FailureError,
  type Failure,
  type Fleet,
  type Plan,
  type PlanVerdict,
  type Runbook,
  type Server,
} from '../model/index.ts';
import {
  canonicalJson,
  deedsAfter,
  outline,
  readChange,
  stepIds,
  wayBack,
  type Deed,
  type Outline,
  type Standing,
  WAY_BACK_HOLDS_MS,
} from '../plan/index.ts';
import type { StepContext, StepKind } from '../ports/index.ts';
import { createMachine, deedsOf, type RunState, type Stamped } from '../run/index.ts';
import { groupsOf, takeOut } from '../steps/index.ts';
import { eachAtOnce } from './at-once.ts';
import { planClock } from './clock.ts';
import { expectedFiles } from './expected.ts';
import { loadFleet, loadRunbook, type Loaded } from './load.ts';
import { ownVersion, type Preview } from './planning.ts';
import { createReach, type Reach, type ReachCommand } from './reach/index.ts';
import { StalePlan } from './stale.ts';
import { standingOf } from './standing.ts';
import { surroundingsOf, type Surroundings } from './surroundings.ts';

/** So many servers are read at a time. */
const READ_AT_ONCE = 32;

/** Which run is taken back, and how much of it. */
export interface WayBackWish extends Surroundings {
  readonly run: string;
  readonly plan: Plan;
  /** The run's end: it is closed. */
  readonly state: RunState;
  readonly events: readonly Stamped[];
  /** Where the run's files are named from. */
  readonly cwd: string;
  /** Everything after this step; the step itself stays. */
  readonly to: string | null;
  readonly only: readonly string[] | null;
  readonly except: readonly { readonly server: string; readonly reason: string }[];
  readonly onRead?: (done: number, of: number) => void;
}

/**
 * A fresh plan of the way back of a run that is over: what its journal says that it did, held against what its servers
 * are now. Reads every server that is concerned and writes nothing (promise 1). Throws StalePlan when the runbook is
 * not the code that made the changes any more.
 */
export async function makeWayBack(wish: WayBackWish): Promise<Preview> {
  const { plan, run, state } = wish;
  if (plan.header.rollbackOf !== null) throw isWayBack(run, plan);
  const runbook = await loadRunbook(plan.header.runbook.path, wish.cwd);
  if (runbook.digest !== plan.header.runbook.digest) throw otherCode(run, runbook);
  const fleet = await loadFleet(plan.header.fleet.path, wish.cwd);
  const left = new Set(plan.header.except.map(({ server }) => server));
  const laid = outline(runbook.value, groupsOf(runbook.value.reach), plan.header.inputs, fleet.value, left, takeOut);
  const deeds = wanted(wish).map((deed) => inTodaysForm(deed, plan, laid));
  const commands: ReachCommand[] = [];
  const reach = createReach(fleet.value, { onCommand: (command) => commands.push(command) });
  try {
    const { nowMs } = planClock(fleet.value.clock);
    const standings = await readStandings(wish, deeds, laid, fleet, reach, nowMs);
    const fromMs = nowMs();
    const { findings, ...settings } = await surroundingsOf(wish, fleet.value, concerned(deeds, fleet.value), reach, {
      fromMs,
      toMs: fromMs + WAY_BACK_HOLDS_MS + plan.header.window.limitMs,
    });
    const made = wayBack({
      neap: await ownVersion(),
      plan,
      run,
      closed: { outcome: state.closed?.outcome ?? 'open', atMs: state.closed?.atMs ?? state.nowMs },
      deeds,
      kinds: laid.kinds,
      standing: (deed) => standings.get(deed) ?? { stands: 'after' },
      to: wish.to,
      only: wish.only,
      except: wish.except,
      fleet: { name: fleet.value.name, path: fleet.path, digest: fleet.digest, rate: fleet.value.clock?.rate ?? 1 },
      runbookPath: runbook.path,
      nowMs: Math.round(nowMs()),
      seed: randomInt(2 ** 31),
      findings,
      settings,
    });
    return { plan: made, commands, guards: [], asked: null };
  } finally {
    await reach.close();
  }
}

function concerned(deeds: readonly Deed[], { servers }: Fleet): Server[] {
  const names = new Set(deeds.map(({ server }) => server));
  return servers.filter(({ name }) => names.has(name));
}

/** What the run did and is asked to be taken back. Names that nothing is known by are refused. */
function wanted({ run, plan, state, events, to, only, except }: WayBackWish): Deed[] {
  const servers = plan.slices.flatMap((slice) => slice.servers.map(({ name }) => name));
  for (const [word, names] of [
    ['--only', only ?? []],
    ['--except', except.map(({ server }) => server)],
  ] as const) {
    const unknown = names.find((name) => !servers.includes(name));
    if (unknown !== undefined)
      throw refused(run, `${word} names ${unknown}, which was not in the run`, `It had ${servers.join(', ')}`);
  }
  const all = deedsOf(events, state, createMachine(plan).index);
  const after = to === null ? all : deedsAfter(all, plan, to);
  if (after === null) throw refused(run, `it has no step ${to}`, `Its steps are ${stepIds(plan).join(', ')}`);
  return after.filter(({ server }) => only?.includes(server) ?? true);
}

/** A change that an older version of its kind wrote is what today's version makes of it. Throws where nobody knows. */
function inTodaysForm(deed: Deed, { header }: Plan, { kinds }: Outline): Deed {
  const kind = kinds.get(deed.step);
  const step = [...header.steps, ...header.contingencies.flatMap(({ steps }) => steps)].find(
    ({ id }) => id === deed.step,
  );
  // What is not taken back need not be understood.
  if (!kind || step?.step !== 'act' || kind.irreversible !== undefined) return deed;
  const where = `${deed.server}, step ${step.id} (${step.title})`;
  return { ...deed, change: readChange(kind, step.kind.version, deed.change, where) };
}

/** How every server stands towards each deed, in the order of the deeds; one that does not answer is not asked again. */
async function readStandings(
  { run, plan, except, onRead }: WayBackWish,
  deeds: readonly Deed[],
  laid: Outline,
  fleet: Loaded<Fleet>,
  reach: Reach,
  nowMs: () => number,
): Promise<ReadonlyMap<Deed, Standing>> {
  const standings = new Map<Deed, Standing>();
  const out = new Set(except.map(({ server }) => server));
  const byServer = [...Map.groupBy(deeds, ({ server }) => server)].filter(([server]) => !out.has(server));
  let read = 0;
  await eachAtOnce(byServer, READ_AT_ONCE, async ([name, done]) => {
    const server = fleet.value.servers.find((each) => each.name === name);
    const captured = plan.slices.find((slice) => name in slice.captured)?.captured[name] ?? {};
    let dead: Failure | null = server ? null : gone(name, fleet.path);
    const expected = server ? await expectedFiles(server, fleet.path, captured) : [];
    for (const deed of done) {
      if (server && dead === null) {
        const context: StepContext = {
          expected,
          nowMs: nowMs(),
          sinceMs: nowMs(),
          priorBootId: null,
          keep: `neap-${run}`,
        };
        const standing = await tell(deed, laid, plan, server, reach, context);
        if (standing !== null) standings.set(deed, standing);
        if (standing?.stands === 'unread') dead = standing.failure;
      } else if (dead !== null) standings.set(deed, { stands: 'unread', failure: dead });
    }
    read += 1;
    onRead?.(read, byServer.length);
  });
  return standings;
}

/** Null: it has no way back, so how it stands is of no use. */
async function tell(
  { step: id, change }: Deed,
  laid: Outline,
  plan: Plan,
  server: Server,
  reach: Reach,
  context: StepContext,
): Promise<Standing | null> {
  const kind = laid.kinds.get(id) as StepKind | undefined;
  const step = [...plan.header.steps, ...plan.header.contingencies.flatMap(({ steps }) => steps)].find(
    (each) => each.id === id,
  );
  if (!kind || step?.step !== 'act' || kind.irreversible !== undefined) return null;
  if ((kind.noWayBack?.(change as never) ?? null) !== null) return null;
  const read = reach.reader(server);
  const input = kind.input.parse(step.input) as never;
  try {
    const { pinned } = await kind.observe(server, input, read, context);
    const verdict = kind.decide(kind.pinned.parse(pinned) as never, input);
    const standing = await standingOf(kind, server, verdict, change, read, context);
    // The same change can be needed from another state: where the plan said what it saw, that must be seen again.
    const planned = verdictIn(plan, id, server.name);
    const seenThen = planned?.verdict === 'change' && canonicalJson(planned.change) === canonicalJson(change);
    if (standing.stands !== 'before' || verdict.verdict !== 'change' || !seenThen) return standing;
    return canonicalJson([...verdict.diff]) === canonicalJson(planned.diff)
      ? standing
      : { stands: 'other', seen: verdict.diff };
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    return { stands: 'unread', failure: error.failure };
  }
}

function verdictIn({ slices }: Plan, step: string, server: string): PlanVerdict | undefined {
  return slices.find(({ servers }) => servers.some(({ name }) => name === server))?.verdicts[step]?.[server];
}

function gone(server: string, fleetPath: string): Failure {
  return {
    kind: 'condition',
    what: `the fleet ${fleetPath} has it no longer`,
    where: server,
    state: 'Nothing was changed on it',
    remedy: 'Put it back into the fleet',
  };
}

function isWayBack(run: string, { header }: Plan): FailureError {
  return refused(
    run,
    `it is itself the way back of run ${header.rollbackOf?.run ?? ''}`,
    `To make those changes again, run their runbook: neap run ${header.runbook.path}`,
  );
}

function otherCode(run: string, { path, digest }: Loaded<Runbook>): StalePlan {
  return new StalePlan({
    kind: 'condition',
    what: `the runbook ${path} was changed since (now ${digest.slice(0, 12)}): its steps are not the code that made the changes`,
    where: `run ${run}`,
    state: 'Nothing was contacted',
    remedy: `Put the runbook back as it was then, out of your version control, and try again; what was done to whom is in: neap report ${run} --html report.html`,
  });
}

function refused(run: string, what: string, remedy: string): FailureError {
  return new FailureError({
    kind: 'condition',
    what: `run ${run} cannot be taken back so: ${what}`,
    where: `run ${run}`,
    state: 'Nothing was contacted',
    remedy,
  });
}
