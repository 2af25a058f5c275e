import { hostname, userInfo } from 'node:os';
import { rm, writeFile } from 'node:fs/promises';
import { createJournal, openJournal, openRegistry } from '../journal/index.ts';
import { FailureError, type Fleet, type Plan, type Server } from '../model/index.ts';
import { outline, type Outline } from '../plan/index.ts';
import type { ExpectedFile, JournalRow } from '../ports/index.ts';
import {
  createMachine,
  trackOf,
  lineOf,
  type Machine,
  type RunEvent,
  type RunState,
  type Stamped,
} from '../run/index.ts';
import { groupsOf } from '../steps/index.ts';
import { FleetActor, type ActorInput } from './act.ts';
import { planClock, wallClockMs } from './clock.ts';
import { expectedFiles } from './expected.ts';
import { Host } from './host.ts';
import { knownSteps } from './kinds.ts';
import { loadFleet, loadRunbook, type Loaded } from './load.ts';
import { requestSchema } from './messages.ts';
import { sendPage } from './pager.ts';
import { ownVersion } from './planning.ts';
import { createReach } from './reach/index.ts';
import { readOrder, readPlan, type Order, type RunPlace } from './runs.ts';
import { serveViews, socketPath, type ViewServer } from './socket.ts';

/**
 * The one composition: everything that a run needs, put together for the local host. Resolves to the exit code.
 * `mode` resume goes on with a journal that another engine left.
 */
export async function runEngine(
  place: RunPlace,
  stateDir: string,
  mode: 'start' | 'resume',
  ready: () => void,
): Promise<number> {
  const loaded = await load(place, mode);
  const { order, plan, fleet } = loaded;
  const { header } = plan;
  const registry = await openRegistry(stateDir);
  const names = plan.slices.flatMap((slice) => slice.servers.map(({ name }) => `${header.fleet.name}/${name}`));
  const claim = await registry.claim(place.run, names, order.by, wallClockMs());
  if (!claim.granted) throw held(place.run, claim.conflicts);
  const own = mode === 'start' ? createJournal : openJournal;
  const journal = await own(place.journal, { run: place.run }).catch(async (error: unknown) => {
    // A run that never began holds nothing.
    if (mode === 'start') await registry.release(place.run);
    throw error;
  });
  const rows: JournalRow[] = [...(await journal.read(1))];
  const clock = planClock(fleet.value.clock);
  const reach = createReach(fleet.value);
  const machine = createMachine(plan);
  const views = await openViews(place, loaded, rows, () => host);
  const host: Host = new Host({
    machine,
    journal,
    clock,
    actor: () => actor,
    page: (text) => sendPage(order.page, text),
    unattended: order.unattended ? (fleet.value.unattendedApprover ?? null) : null,
    onRows: (written) => {
      rows.push(...written);
      views.broadcast({ say: 'rows', rows: written });
    },
    fence: async () => {
      if ((await registry.epoch(place.run)) !== claim.epoch) throw held(place.run, await registry.claims());
    },
  });
  const actor = actorFor(place, loaded, {
    reach,
    clock,
    stepAt: (track, at) => stepIdAt(host.state, machine, track, at),
    goesHome: () => host.state.mode === 'home',
  });
  host.replay(rows.map((row) => ({ atMs: row.atMs, event: row.event as unknown as RunEvent }) satisfies Stamped));
  await announce(place, loaded, host, rows.length === 0, views.path);
  ready();
  try {
    const { closed } = await host.run();
    await registry.release(place.run);
    return closed?.exitCode ?? 5;
  } finally {
    await journal.close();
    await views.close();
    await reach.close();
    await rm(place.engine, { force: true });
  }
}

/** Whoever attaches is told the plan and all rows so far, and may ask. */
function openViews(
  place: RunPlace,
  { order, plan, fleet }: LoadedRun,
  rows: readonly JournalRow[],
  host: () => Host,
): Promise<ViewServer> {
  return serveViews(socketPath(place.run), requestSchema, {
    open: (view) => {
      view.send({ say: 'hello', run: place.run, plan, clock: fleet.value.clock ?? null });
      view.send({ say: 'rows', rows });
    },
    line: (request, view) =>
      view.send({
        say: 'done',
        id: request.id,
        refused: host().request(request, nameOf(request.by, fleet.value.unattendedApprover)),
      }),
    lost: () => {
      if (!host().state.closed) host().tell({ type: 'viewed', by: order.by, what: 'lost' });
    },
  });
}

/** The first lines of a new run, and the line that an engine begins with; then others can find it. */
async function announce(
  place: RunPlace,
  { order, plan: { hash, header } }: LoadedRun,
  host: Host,
  isNew: boolean,
  socket: string,
): Promise<void> {
  const self = { pid: process.pid, host: hostname(), neap: header.neap };
  if (isNew) {
    host.tell({ type: 'opened', run: place.run, plan: hash, title: header.title, by: order.by, host: order.host });
    host.tell({ type: 'approved', plan: hash, by: order.by });
  }
  host.tell({ type: 'engine', ...self });
  await writeFile(place.engine, `${JSON.stringify({ ...self, socket })}\n`, { mode: 0o600 });
}

interface LoadedRun {
  readonly order: Order;
  readonly plan: Plan;
  readonly fleet: Loaded<Fleet>;
  readonly outline: Outline;
}

/** The plan, and the code and fleet that it was made with: anything else is another plan. */
async function load(place: RunPlace, mode: 'start' | 'resume'): Promise<LoadedRun> {
  const order = await readOrder(place);
  const plan = await readPlan(place.plan);
  const { header } = plan;
  const fleet = await loadFleet(header.fleet.path, order.cwd);
  const runbook = await loadRunbook(header.runbook.path, order.cwd);
  await refuseStale(place.run, plan, fleet.digest, runbook.digest);
  if (mode === 'start') refuseOld(place.run, header.notAfterMs, planClock(fleet.value.clock).nowMs());
  const except = new Set(header.except.map(({ server }) => server));
  return {
    order,
    plan,
    fleet,
    outline: outline(runbook.value, groupsOf(runbook.value.reach), header.inputs, fleet.value, except),
  };
}

function actorFor(
  place: RunPlace,
  { plan, fleet, outline: laid }: LoadedRun,
  parts: Pick<ActorInput, 'reach' | 'clock' | 'goesHome'> & { readonly stepAt: (track: string, at: number) => string },
): FleetActor {
  const expectedBy = new Map<string, Promise<ExpectedFile[]>>();
  const expected = (server: Server): Promise<readonly ExpectedFile[]> => {
    const captured = plan.slices.find((slice) => server.name in slice.captured)?.captured[server.name] ?? {};
    const known = expectedBy.get(server.name) ?? expectedFiles(server, fleet.path, captured);
    expectedBy.set(server.name, known);
    return known;
  };
  const servers = new Map<string, Server>(fleet.value.servers.map((server) => [server.name, server]));
  const { reach, clock, goesHome, stepAt } = parts;
  return new FleetActor({
    run: place.run,
    kinds: knownSteps(plan, laid, stepAt),
    servers,
    reach,
    clock,
    expected,
    goesHome,
  });
}

/** Which of the plan's steps a track's n-th is: a way home and a contingency have lines of their own. */
function stepIdAt(state: RunState, machine: Machine, track: string, at: number): string {
  const found = trackOf(state, track);
  return (found && lineOf(machine.index, found)[found.steps[at]?.plan ?? -1]?.id) ?? '';
}

/** Other code than the plan was made with is another plan (exit 6). */
export class StalePlan extends FailureError {}

async function refuseStale(run: string, plan: Plan, fleet: string, runbook: string): Promise<void> {
  const { header } = plan;
  const version = await ownVersion();
  const why =
    header.neap !== version
      ? `it was made by neap ${header.neap}, and this is ${version}`
      : header.fleet.digest !== fleet
        ? `the fleet ${header.fleet.path} was changed since`
        : header.runbook.digest !== runbook
          ? `the runbook ${header.runbook.path} was changed since`
          : null;
  if (why === null) return;
  throw new StalePlan({
    kind: 'condition',
    what: `the plan is stale: ${why}`,
    where: run,
    state: 'Nothing was started',
    remedy: 'Make it anew: neap plan RUNBOOK, look at it, and run that',
  });
}

function refuseOld(run: string, notAfterMs: number, nowMs: number): void {
  if (nowMs <= notAfterMs) return;
  throw new StalePlan({
    kind: 'condition',
    what: 'the plan is stale: it was to be run within a week of being made',
    where: run,
    state: 'Nothing was started',
    remedy: 'Make it anew: neap plan RUNBOOK, look at it, and run that',
  });
}

function held(
  run: string,
  conflicts: readonly { run: string; server: string; by: string; sinceMs: number }[],
): FailureError {
  const other = conflicts.find((each) => each.run !== run) ?? conflicts[0];
  const others = conflicts.filter((each) => each.run === other?.run).map((each) => each.server);
  const what = other
    ? `${others.length > 3 ? `${others.length} of its servers` : others.join(', ')} belong to run ${other.run}, by ${other.by} since ${new Date(other.sinceMs).toISOString()}`
    : 'another engine has taken it over';
  return new FailureError({
    kind: 'condition',
    what,
    where: `run ${run}`,
    state: 'Nothing more is done here',
    remedy: other ? `See it: neap status ${other.run}` : `See it: neap status ${run}`,
  });
}

/** The name under which a view's word is written. The lab's own approver is no person's name anywhere else. */
function nameOf(by: string, unattendedApprover: string | undefined): string {
  return by === unattendedApprover ? by : `${by}@${userInfo().username}`.replace(/^(.+)@\1$/, '$1');
}
