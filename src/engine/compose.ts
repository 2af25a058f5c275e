import type { Actor } from '../ports/index.ts';
import { createMachine, watchedGuards, type Machine, type RunEvent } from '../run/index.ts';
import { anchoringFor, type Anchoring } from './anchoring.ts';
import { CalendarWatch } from './calendar-watch.ts';
import { pauseRealMs } from './clock.ts';
import { ConnectionRoom } from './connection-room.ts';
import { delayReader } from './delays.ts';
import { openEdge } from './edge.ts';
import { hideEngine } from './engine-file.ts';
import { Feed } from './feed.ts';
import { Guarding } from './guarding.ts';
import { counter, guardReader } from './guards.ts';
import { Host } from './host.ts';
import { JournalGone, ownJournal, sentenceOf, spaceOf, whatOf, type LastingJournal } from './lasting.ts';
import { fenceOrClose, openTenure } from './lease/begin.ts';
import type { TakeOver } from './lease/hold.ts';
import type { Tenure } from './lease/tenure.ts';
import { mayGoUnfenced } from './lease/unfenced.ts';
import { StaleEngine } from './lease/words.ts';
import { loadRun, type LoadedRun } from './loaded-run.ts';
import type { HomeWord } from './messages.ts';
import { RunMirror } from './mirror.ts';
import { announce, replay, turnForHome } from './opening.ts';
import { sendPage } from './pager.ts';
import { QuarantineBook } from './quarantine-book.ts';
import { Pacing } from './pacing.ts';
import { createReach, type Reach } from './reach/index.ts';
import { RehearsalBook } from './rehearsal-book.ts';
import { runActor } from './run-actor.ts';
import type { RunPlace } from './runs.ts';
import { openSessions } from './sessions.ts';
import { READ_REST_MS, socketPath, type ViewServer } from './socket.ts';
import { steadyClock, type SteadyClock } from './steady-clock.ts';
import { openViews } from './views.ts';

/** What one engine is started for. */
export interface Errand {
  readonly place: RunPlace;
  readonly stateDir: string;
  /** `resume` goes on with a journal that another engine left. */
  readonly mode: 'start' | 'resume';
  readonly takeOver: TakeOver;
  /** With `resume`: the run goes home, and nothing more is risked. */
  readonly home: HomeWord | null;
  /** Is told how many servers are claimed, and null when the engine stands. */
  readonly ready: (fenced: number | null) => void;
}

/** What an engine consists of. */
interface Parts extends LoadedRun, Followers {
  readonly clock: SteadyClock;
  readonly calendars: CalendarWatch;
  readonly tenure: Tenure;
  readonly journal: LastingJournal;
  readonly reach: Reach;
  readonly views: ViewServer;
  readonly host: Host;
  /** What happened before the host could be told: calendars that were read, a clock that was set. Asked for once; from then on the host is told at once. */
  readonly early: () => readonly RunEvent[];
}

/** Who is told of every row once it is on disk. */
interface Followers {
  readonly feed: Feed;
  readonly mirror: RunMirror;
  readonly anchoring: Anchoring;
  readonly guarding: Guarding;
  readonly pacing: Pacing;
  readonly book: QuarantineBook;
  readonly rehearsals: RehearsalBook;
}

/**
 * The one composition: everything that a run needs, put together for the local host, and the run to its end. Resolves
 * to the exit code. Rejects with NotOurs where the run or its servers are somebody else's, and with StalePlan where
 * plan and code are not of one making.
 */
export async function runEngine(errand: Errand): Promise<number> {
  const parts = await assemble(errand);
  let lastWord: object | null = null;
  try {
    return await sail(errand, parts);
  } catch (error) {
    if (error instanceof StaleEngine || error instanceof JournalGone)
      lastWord = { say: 'stopped', why: sentenceOf(error) };
    if (error instanceof JournalGone)
      await sendPage(parts.order.page, `Run ${errand.place.run} needs a person. ${sentenceOf(error)}`);
    throw error;
  } finally {
    await tidyUp(errand.place, parts, lastWord);
  }
}

/** Makes the parts and ties them together. A new run's servers are claimed here, and its journal is made. */
async function assemble({ place, stateDir, mode, home }: Errand): Promise<Parts> {
  const loaded = await loadRun(place, home === null ? mode : 'home');
  const { order, plan, fleet } = loaded;
  const tell = (event: RunEvent): void => host.tell(event);
  // A clock that is set before there is a host to tell is told of behind its first lines.
  let early: RunEvent[] | null = [];
  const clock = steadyClock(fleet.value.clock, (event) => (early === null ? tell(event) : void early.push(event)));
  const calendars = new CalendarWatch({ header: plan.header, order, clock, tell });
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
  const run = { run: place.run, loaded, machine, reach, clock, tenure, journal };
  const page = fleet.value.edge;
  const edge =
    page === undefined ? null : openEdge(page, guardReader(plan.header.runbook.path, reach.redactor), () => undefined);
  const ask = (): Promise<void> => tenure.guard.ask();
  const room = new ConnectionRoom({
    limits: fleet.value.dependencies ?? {},
    count: counter(plan.header.runbook.path, reach.redactor),
    clock,
  });
  const actor = runActor({
    ...run,
    edge,
    ask,
    room,
    state: () => host.state,
    mayAct: (...deed) => mayGoUnfenced(tenure, ...deed),
  });
  const followers = { feed, ...followersOf(run, stateDir, tell) };
  const host: Host = hostOf(run, followers, actor);
  const told = (): readonly RunEvent[] => {
    const all = [...(early ?? []), ...frozen];
    early = null;
    return all;
  };
  return { ...loaded, ...followers, clock, calendars, tenure, journal, reach, views, host, early: told };
}

/** What the host and its followers are made of. */
interface Core {
  readonly run: string;
  readonly loaded: LoadedRun;
  readonly machine: Machine;
  readonly reach: Reach;
  readonly clock: SteadyClock;
  readonly tenure: Tenure;
  readonly journal: LastingJournal;
}

function followersOf(
  { run, loaded: { order, plan, fleet }, machine, reach, clock }: Core,
  stateDir: string,
  tell: (event: RunEvent) => void,
): Omit<Followers, 'feed'> {
  return {
    mirror: new RunMirror(),
    anchoring: anchoringFor(order, reach, tell),
    guarding: new Guarding({
      clock,
      read: guardReader(plan.header.runbook.path, reach.redactor),
      watched: (state) => watchedGuards(state, machine.index),
      tell,
    }),
    pacing: new Pacing({ clock, index: machine.index, delayOf: delayReader(fleet.value, reach), tell }),
    book: new QuarantineBook({
      stateDir,
      run,
      plan,
      index: machine.index,
      failed: (error) => void sendPage(order.page, unrecorded(run, error)),
    }),
    rehearsals: new RehearsalBook({
      stateDir,
      run,
      fleet: plan.header.fleet.name,
      failed: (error) => void sendPage(order.page, unkept(run, error)),
    }),
  };
}

function hostOf({ loaded, machine, clock, tenure, journal }: Core, followers: Followers, actor: Actor): Host {
  const { order, fleet, neap } = loaded;
  const { feed, mirror, anchoring, guarding, pacing, book, rehearsals } = followers;
  const host: Host = new Host({
    machine,
    journal,
    clock,
    actor: () => actor,
    page: (text) => sendPage(order.page, anchoring.onPage(text)),
    unattended: order.unattended ? (fleet.value.unattendedApprover ?? null) : null,
    onRows: (written) => {
      feed.publish(written);
      mirror.offer(written);
      anchoring.follow(written);
      guarding.follow(host.state);
      pacing.follow(
        host.state,
        written.map(({ event }) => event as unknown as RunEvent),
      );
      book.follow(host.state);
      rehearsals.follow(written);
    },
    fence: () => tenure.assure(),
    reopen: async (cause) => {
      const surplus = await journal.reopen(cause);
      const after = whatOf(cause);
      return {
        surplus,
        engine: { type: 'engine', ...tenure.self, neap, after, ...spaceOf(journal) },
      };
    },
    mirrored: (seq) => mirror.holds(seq),
  });
  return host;
}

/** Takes the run in hand, sails to its end and lets go of what it held. Resolves to the exit code. */
async function sail({ place, mode, takeOver, home, ready }: Errand, parts: Parts): Promise<number> {
  const { order, clock, tenure, journal, reach, views, mirror, anchoring, book, rehearsals, host } = parts;
  const tell = (event: RunEvent): void => host.tell(event);
  const engines = await replay(journal, host);
  const isNew = engines.length === 0;
  if (host.isOpen && host.state.rehearsed !== undefined) await rehearsals.catchUp(journal);
  if (!isNew) clock.goOn(host.state.skewMs, host.state.nowMs);
  // Nothing is written anywhere before the run is this engine's.
  const overrode = mode === 'resume' ? await tenure.resume(engines, takeOver) : null;
  await mirror.open({ ...parts, place, state: isNew ? null : host.state, tell });
  if (!isNew) anchoring.begin({ seq: journal.lastSeq, hash: journal.head }, host.state.anchorLost !== null);
  tenure.keep(reach, tell, (why) => host.stop(why));
  await announce(place, parts, views.path);
  if (home !== null) turnForHome(place.run, host, home, parts.fleet.value);
  if (overrode !== null) tell({ type: 'overrode', class: 'lease', ...overrode, by: order.by });
  for (const event of parts.early()) tell(event);
  await host.record();
  await openSessions(parts.fleet.value.servers, parts.plan.header.steps, reach.secrets);
  tell(await fenceOrClose(tenure, reach, mode, host, ready));
  ready(null);
  const { closed } = await host.run();
  await Promise.all([book.settled(), rehearsals.settled()]);
  for (const { server, why } of await tenure.end(reach))
    process.stderr.write(`The run's record stays on ${server}, which could not be told that it is over: ${why}\n`);
  return closed?.exitCode ?? 5;
}

/** Nothing is begun any more: what runs beside the run is ended, and whoever watches is told the rest. */
async function tidyUp(place: RunPlace, parts: Parts, lastWord: object | null): Promise<void> {
  const { tenure, calendars, guarding, pacing, mirror, feed, journal, views, anchoring, reach } = parts;
  tenure.leave();
  calendars.close();
  guarding.close();
  pacing.close();
  await mirror.close();
  await Promise.race([feed.settled(), pauseRealMs(READ_REST_MS)]);
  // What it holds is on disk; one that failed has nothing more to say than it said.
  await journal.close().catch(() => undefined);
  await views.close(lastWord);
  // Nobody waits for this any more, and it has limits of its own.
  await anchoring.settled();
  await reach.close();
  await hideEngine(place);
}

function unrecorded(run: string, error: unknown): string {
  const why = error instanceof Error ? error.message : String(error);
  return `Run ${run}: whom it keeps in quarantine could not be recorded (${why}). Later plans may take them in: neap status ${run} names them`;
}

function unkept(run: string, error: unknown): string {
  const why = error instanceof Error ? error.message : String(error);
  return `Run ${run}: what it rehearsed could not be recorded (${why}). Later plans do not know of it: rehearse it again`;
}
