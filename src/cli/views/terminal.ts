import { engineOf, type RunPlace } from '../../engine/index.ts';
import type { RunState, Stamped } from '../../run/index.ts';
import { attach, readRun, type Session } from '../session.ts';
import { Begun } from './terminal/begun.ts';
import { Desk, type End } from './terminal/desk.ts';
import { closedText, detachedText, ENGINE_GONE, goneText } from './terminal/ending.ts';
import { fit, leastLines } from './terminal/fit.ts';
import { footLines } from './terminal/foot.ts';
import { noticeOf } from './terminal/notices.ts';
import { groupsOf } from './terminal/rows.ts';
import { columns, rows } from './terminal/screen.ts';
import { Tree } from './terminal/tree.ts';

/** So many of the latest notices are kept, if there is room for them. */
const NOTICES_MAX = 6;
/** The free line at the bottom, and the one between the tree and what stands below it. */
const SPACING = 2;

/**
 * The tree of a run on a terminal, with prompts for its gates. It only reads events and sends requests: leaving it,
 * or losing the terminal, leaves the run as it is. Resolves to the run's exit code, to 0 when the person left a run
 * that goes on, to 5 when its engine is gone.
 */
export async function watchOnTerminal(place: RunPlace): Promise<number> {
  const notices: string[] = [];
  const notify = (text: string): void => {
    notices.push(text);
    notices.splice(0, notices.length - NOTICES_MAX);
  };
  const begun = new Begun();
  let before: RunState | null = null;
  let desk: Desk | null = null;
  const session = await attach(place, (event: Stamped, state: RunState) => {
    begun.note(event);
    const notice = noticeOf(event, before);
    before = state;
    if (notice !== null) notify(notice);
    desk?.look();
  });
  if (!session) return atRest(place);
  desk = new Desk(session, notify, () => paint());
  const tree: Tree = new Tree(() => paint());
  const seen: Seen = { desk, notices, begun };
  const paint = (): void => show(tree, session, seen, rows());
  const end = await watch(session, tree, seen);
  session.close();
  return leave(place, session.state(), end);
}

interface Seen {
  readonly desk: Desk;
  readonly notices: readonly string[];
  readonly begun: Begun;
}

async function watch(session: Session, tree: Tree, seen: Seen): Promise<End> {
  const { desk } = seen;
  const detach = (): void => desk.end('detached');
  const lost = (): void => desk.end('lost');
  const interrupt = (): void => desk.interrupt();
  process.on('SIGTERM', detach).on('SIGHUP', lost).on('SIGINT', interrupt);
  // Stays: what is written to a terminal that is gone fails late.
  process.stdout.on('error', lost);
  let end: End = 'ended';
  void session.ended.then(() => desk.end('ended'));
  await tree.run(async (task) => {
    show(tree, session, seen, rows());
    end = await desk.work(task);
    // What stays is the whole tree, however low the screen is.
    show(tree, session, seen, Infinity);
  });
  process.off('SIGTERM', detach).off('SIGHUP', lost).off('SIGINT', interrupt);
  return end;
}

/** One frame: the foot takes what it needs, the tree gets the rest. */
function show(tree: Tree, session: Session, { desk, notices, begun }: Seen, height: number): void {
  const { place, machine, clock } = session;
  const state = session.state();
  const nowMs = state.closed?.atMs ?? clock.nowMs();
  const room = height - desk.promptLines - SPACING;
  const input = { run: place.run, nowMs, columns: columns() - 4, notices, question: desk.question, keys: desk.keys };
  const groups = groupsOf(state, machine, begun, nowMs, columns() - 4);
  const foot = height === Infinity ? [] : footLines(state, machine, input, room - leastLines(groups));
  tree.show(fit(groups, room - foot.length), foot);
}

async function leave(place: RunPlace, state: RunState, end: End): Promise<number> {
  // Whoever lost the terminal reads nothing any more; the run goes on.
  if (end === 'lost') return 0;
  if (end === 'ended' && state.closed) {
    process.stdout.write(closedText(place, state, columns()));
    return state.closed.exitCode;
  }
  if (end === 'detached') {
    process.stdout.write(detachedText(place));
    return 0;
  }
  process.stdout.write(goneText(place, (await engineOf(place)) !== null));
  return ENGINE_GONE;
}

/** A run without an engine: closed, or left by it. */
async function atRest(place: RunPlace): Promise<number> {
  const { state } = await readRun(place);
  if (!state?.closed) return leave(place, state ?? ({ closed: null } as RunState), 'ended');
  return leave(place, state, 'ended');
}
