import { userInfo } from 'node:os';
import { rm, writeFile } from 'node:fs/promises';
import type { Mirror } from '../journal/index.ts';
import type { Fleet, Plan, Server } from '../model/index.ts';
import { outline, type Outline } from '../plan/index.ts';
import type { ExpectedFile, Journal } from '../ports/index.ts';
import {
  createMachine,
  trackOf,
  lineOf,
  watchedGuards,
  type Machine,
  type RunEvent,
  type RunState,
  type Stamped,
} from '../run/index.ts';
import { groupsOf, takeOut } from '../steps/index.ts';
import { FleetActor, type ActorInput } from './act.ts';
import { anchoringFor } from './anchoring.ts';
import { CalendarWatch } from './calendar-watch.ts';
import { pauseRealMs, planClock } from './clock.ts';
import { expectedFiles } from './expected.ts';
import { Guarding } from './guarding.ts';
import { guardReader } from './guards.ts';
import { Feed } from './feed.ts';
import { Host } from './host.ts';
import { knownSteps } from './kinds.ts';
import { JournalGone, ownJournal, sentenceOf, spaceOf, whatOf, type LastingJournal } from './lasting.ts';
import { fenceOrClose, openTenure } from './lease/begin.ts';
import type { EngineEvent, TakeOver } from './lease/hold.ts';
import type { Tenure } from './lease/tenure.ts';
import { mayGoUnfenced } from './lease/unfenced.ts';
import { StaleEngine } from './lease/words.ts';
import { loadFleet, loadRunbook, type Loaded } from './load.ts';
import { requestSchema } from './messages.ts';
import { MIRROR_CLOSE_MS, openRunMirror } from './mirror.ts';
import { sendPage } from './pager.ts';
import { ownVersion } from './planning.ts';
import { QuarantineBook } from './quarantine-book.ts';
import { createReach } from './reach/index.ts';
import { readOrder, readPlan, type Order, type RunPlace } from './runs.ts';
import { READ_REST_MS, serveViews, socketPath, type ViewServer } from './socket.ts';
import { refuseOld, staleness, stalePlan, strangeKind } from './stale.ts';
import { steadyClock } from './steady-clock.ts';

/** Rows that are folded at a time. */
const REPLAY_ROWS = 5_000;

/**
 * The one composition: everything that a run needs, put together for the local host. Resolves to the exit code.
 * `mode` resume goes on with a journal that another engine left. `ready` is told how many servers are claimed, and
 * null when the engine stands. Rejects with NotOurs where the run or its servers are somebody else's.
 */
export async function runEngine(
  place: RunPlace,
  stateDir: string,
  mode: 'start' | 'resume',
  takeOver: TakeOver,
  ready: (fenced: number | null) => void,
): Promise<number> {
  const loaded = await load(place, mode);
  const { order, plan, fleet } = loaded;
  const { header } = plan;
  // A clock that is set before there is a host to tell is told of behind its first lines.
  const early: RunEvent[] = [];
  let noticed = (event: RunEvent): void => void early.push(event);
  const clock = steadyClock(fleet.value.clock, (event) => noticed(event));
  const calendars = new CalendarWatch({ header, order, clock, tell: (event) => host.tell(event) });
  const frozen = await (mode === 'start' ? calendars.begin() : calendars.goOn());
  // Refused before anything is claimed.
  socketPath(place.run);
  const tenure = await openTenure(place, loaded, stateDir);
  if (mode === 'start') await tenure.begin();
  const journal = await ownJournal(place, plan, mode).catch(async (error: unknown) => {
    // A run that never began holds nothing.
    await tenure.end(null);
    tenure.leave();
    throw error;
  });
  const reach = createReach(fleet.value, { guard: tenure.guard });
  const machine = createMachine(plan);
  const feed = new Feed((fromSeq, count) => journal.read(fromSeq, count), journal.lastSeq);
  const views = await openViews(place, loaded, feed, () => host);
  const host: Host = new Host({
    machine,
    journal,
    clock,
    actor: () => actor,
    page: (text) => sendPage(order.page, anchoring.onPage(text)),
    unattended: order.unattended ? (fleet.value.unattendedApprover ?? null) : null,
    onRows: (written) => {
      feed.publish(written);
      mirror?.offer(written);
      anchoring.follow(written);
      guarding.follow(host.state);
      book.follow(host.state);
    },
    fence: () => tenure.assure(),
    reopen: async (cause) => {
      const surplus = await journal.reopen(cause);
      const after = whatOf(cause);
      return { surplus, engine: { type: 'engine', ...tenure.self, neap: header.neap, after, ...spaceOf(journal) } };
    },
    mirrored: (seq) => mirror?.holds(seq) ?? Promise.resolve(false),
  });
  const anchoring = anchoringFor(order, reach, (event) => host.tell(event));
  const book = new QuarantineBook({
    stateDir,
    run: place.run,
    plan,
    index: machine.index,
    failed: (error) => void sendPage(order.page, unrecorded(place.run, error)),
  });
  const guarding = new Guarding({
    clock,
    read: guardReader(header.runbook.path, reach.redactor),
    watched: (state) => watchedGuards(state, machine.index),
    tell: (event) => host.tell(event),
  });
  const actor = actorFor(place, loaded, {
    reach,
    clock,
    stepAt: (track, at) => stepIdAt(host.state, machine, track, at),
    goesHome: () => host.state.mode === 'home',
    mayAct: (server, kind) => mayGoUnfenced(tenure, server, kind),
  });
  let mirror: Mirror | null = null;
  let lastWord: object | null = null;
  try {
    const engines = await replay(journal, host);
    if (engines.length > 0) clock.goOn(host.state.skewMs, host.state.nowMs);
    // Nothing is written anywhere before the run is this engine's.
    const overrode = mode === 'resume' ? await tenure.resume(engines, takeOver) : null;
    mirror = await openRunMirror({
      ...loaded,
      place,
      journal,
      state: engines.length === 0 ? null : host.state,
      tell: (event) => host.tell(event),
    });
    if (engines.length > 0)
      anchoring.begin({ seq: journal.lastSeq, hash: journal.head }, host.state.anchorLost !== null);
    tenure.keep(
      reach,
      (event) => host.tell(event),
      (why) => host.stop(why),
    );
    await announce(place, loaded, host, tenure, journal, views.path);
    if (overrode !== null) host.tell({ type: 'overrode', class: 'lease', ...overrode, by: order.by });
    noticed = (event) => host.tell(event);
    for (const event of [...early, ...frozen]) host.tell(event);
    await host.record();
    host.tell(await fenceOrClose(tenure, reach, mode, host, ready));
    ready(null);
    const { closed } = await host.run();
    await book.settled();
    for (const { server, why } of await tenure.end(reach))
      process.stderr.write(`The run's record stays on ${server}, which could not be told that it is over: ${why}\n`);
    return closed?.exitCode ?? 5;
  } catch (error) {
    if (error instanceof StaleEngine || error instanceof JournalGone)
      lastWord = { say: 'stopped', why: sentenceOf(error) };
    if (error instanceof JournalGone)
      await sendPage(order.page, `Run ${place.run} needs a person. ${sentenceOf(error)}`);
    throw error;
  } finally {
    tenure.leave();
    calendars.close();
    guarding.close();
    await mirror?.close(MIRROR_CLOSE_MS);
    await Promise.race([feed.settled(), pauseRealMs(READ_REST_MS)]);
    // What it holds is on disk; one that failed has nothing more to say than it said.
    await journal.close().catch(() => undefined);
    await views.close(lastWord);
    // Nobody waits for this any more, and it has limits of its own.
    await anchoring.settled();
    await reach.close();
    await rm(place.engine, { force: true });
  }
}

/** Folds what earlier engines wrote, page by page: a journal can be longer than what should lie in memory. Gives how each of them began. */
async function replay(journal: Journal, host: Host): Promise<EngineEvent[]> {
  const engines: EngineEvent[] = [];
  for (let next = 1; ;) {
    const rows = await journal.read(next, REPLAY_ROWS);
    const last = rows.at(-1);
    if (last === undefined) return engines;
    const events = rows.map((row): Stamped => ({ atMs: row.atMs, event: row.event as unknown as RunEvent }));
    for (const { event } of events) if (event.type === 'engine') engines.push(event);
    host.replay(events);
    next = last.seq + 1;
  }
}

/** Whoever attaches is told the plan and all rows so far, and may ask. */
function openViews(
  place: RunPlace,
  { order, plan, fleet }: LoadedRun,
  feed: Feed,
  host: () => Host,
): Promise<ViewServer> {
  return serveViews(socketPath(place.run), requestSchema, {
    open: (view) => {
      view.send({ say: 'hello', run: place.run, plan, clock: fleet.value.clock ?? null });
      feed.attach(view);
    },
    line: (request, view) =>
      view.send({
        say: 'done',
        id: request.id,
        refused: host().request(request, nameOf(request.by, fleet.value.unattendedApprover)),
      }),
    lost: (view) => {
      feed.detach(view);
      if (!host().state.closed) host().tell({ type: 'viewed', by: order.by, what: 'lost' });
    },
  });
}

/** The first lines of a new run, and the line that an engine begins with; then others can find it. */
async function announce(
  place: RunPlace,
  { order, plan: { hash, header } }: LoadedRun,
  host: Host,
  tenure: Tenure,
  journal: LastingJournal,
  socket: string,
): Promise<void> {
  const self = { ...tenure.self, neap: header.neap };
  if (journal.lastSeq === 0) {
    const { by, host: machine, user, key, ticket } = order;
    const who = { by, host: machine, user, key, ticket };
    host.tell({ type: 'opened', run: place.run, plan: hash, title: header.title, ...who });
    host.tell({ type: 'approved', plan: hash, by: order.by });
  }
  const { restored } = order;
  const from = restored?.lastSeq === journal.lastSeq ? { from: restored.mirror } : {};
  host.tell({ type: 'engine', ...self, ...from, ...spaceOf(journal) });
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
  const fleet = await loadFleet(order.restored?.fleet ?? header.fleet.path, order.cwd);
  const runbook = await loadRunbook(order.restored?.runbook ?? header.runbook.path, order.cwd);
  const stale = staleness(order, plan, { neap: await ownVersion(), fleet: fleet.digest, runbook: runbook.digest });
  if (stale !== null) throw stalePlan(place.run, stale, mode);
  if (mode === 'start') refuseOld(place.run, header.notAfterMs, planClock(fleet.value.clock).nowMs());
  const except = leftOutOf(plan, fleet.value);
  const groups = groupsOf(runbook.value.reach);
  const laid = outline(runbook.value, groups, header.inputs, fleet.value, except, takeOut);
  const otherKind = strangeKind(plan, laid);
  if (otherKind !== null) throw stalePlan(place.run, otherKind, mode);
  return { order, plan, fleet, outline: laid };
}

/** Whoever the plan does not have: left out by name, or the plan is for a few servers only. */
function leftOutOf({ header, slices }: Plan, fleet: Fleet): Set<string> {
  if (header.rollbackOf !== null) return new Set(header.rollbackOf.except);
  const has = new Set(slices.flatMap((slice) => slice.servers.map(({ name }) => name)));
  return new Set(fleet.servers.flatMap(({ name }) => (has.has(name) ? [] : [name])));
}

function unrecorded(run: string, error: unknown): string {
  const why = error instanceof Error ? error.message : String(error);
  return `Run ${run}: whom it keeps in quarantine could not be recorded (${why}). Later plans may take them in: neap status ${run} names them`;
}

function actorFor(
  place: RunPlace,
  { plan, fleet, outline: laid }: LoadedRun,
  parts: Pick<ActorInput, 'reach' | 'clock' | 'goesHome' | 'mayAct'> & {
    readonly stepAt: (track: string, at: number) => string;
  },
): FleetActor {
  const expectedBy = new Map<string, Promise<ExpectedFile[]>>();
  const expected = (server: Server): Promise<readonly ExpectedFile[]> => {
    const captured = plan.slices.find((slice) => server.name in slice.captured)?.captured[server.name] ?? {};
    const known = expectedBy.get(server.name) ?? expectedFiles(server, fleet.path, captured);
    expectedBy.set(server.name, known);
    return known;
  };
  const servers = new Map<string, Server>(fleet.value.servers.map((server) => [server.name, server]));
  const { reach, clock, goesHome, mayAct, stepAt } = parts;
  return new FleetActor({
    run: place.run,
    kinds: knownSteps(plan, laid, stepAt),
    servers,
    reach,
    clock,
    expected,
    goesHome,
    mayAct,
  });
}

/** Which of the plan's steps a track's n-th is: a way home and a contingency have lines of their own. */
function stepIdAt(state: RunState, machine: Machine, track: string, at: number): string {
  const found = trackOf(state, track);
  return (found && lineOf(machine.index, found)[found.steps[at]?.plan ?? -1]?.id) ?? '';
}

/** The name under which a view's word is written. The lab's own approver is no person's name anywhere else. */
function nameOf(by: string, unattendedApprover: string | undefined): string {
  return by === unattendedApprover ? by : `${by}@${userInfo().username}`.replace(/^(.+)@\1$/, '$1');
}
