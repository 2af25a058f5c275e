import { engineOf, type RunPlace } from '../../engine/index.ts';
import type { RunState, Stamped } from '../../run/index.ts';
import { attach, readRun, type Session } from '../session.ts';
import { Begun } from './terminal/begun.ts';
import { Desk, type End } from './terminal/desk.ts';
import { closedText, detachedText, ENGINE_GONE, goneText } from './terminal/ending.ts';
import { frameOf } from './terminal/frame.ts';
import { Notices } from './terminal/notices.ts';
import { columns, rows } from './terminal/screen.ts';
import { Tree } from './terminal/tree.ts';

/**
 * The tree of a run on a terminal, with prompts for its gates. It only reads events and sends requests: leaving it,
 * or losing the terminal, leaves the run as it is. Resolves to the run's exit code, to 0 when the person left a run
 * that goes on, to 5 when its engine is gone.
 */
export async function watchOnTerminal(place: RunPlace): Promise<number> {
  const notices = new Notices();
  const begun = new Begun();
  let desk: Desk | null = null;
  const session = await attach(place, (event: Stamped, state: RunState) => {
    begun.note(event);
    notices.see(event, state);
    desk?.look();
  });
  if (!session) return atRest(place);
  desk = new Desk(
    session,
    (text) => notices.add(text, session.clock.nowMs()),
    () => paint(),
  );
  const tree: Tree = new Tree(() => paint());
  const seen: Seen = { desk, notices, begun };
  const paint = (): void => show(tree, session, seen, rows());
  const end = await watch(session, tree, seen);
  session.close();
  return leave(place, session.state(), end, session.stopped());
}

interface Seen {
  readonly desk: Desk;
  readonly notices: Notices;
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

function show(tree: Tree, session: Session, { desk, notices, begun }: Seen, height: number): void {
  const { place, machine, clock } = session;
  const state = session.state();
  const nowMs = state.closed?.atMs ?? clock.nowMs();
  const { rows: shown, foot } = frameOf(state, machine, {
    run: place.run,
    nowMs,
    columns: columns(),
    height: height - desk.promptLines,
    begun,
    notices: notices.lines,
    question: desk.question,
    keys: desk.keys,
  });
  tree.show(shown, foot);
}

async function leave(place: RunPlace, state: RunState, end: End, stopped: string | null = null): Promise<number> {
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
  process.stdout.write(goneText(place, (await engineOf(place)) !== null, stopped));
  return ENGINE_GONE;
}

/** A run without an engine: closed, or left by it. */
async function atRest(place: RunPlace): Promise<number> {
  const { state } = await readRun(place);
  if (!state?.closed) return leave(place, state ?? ({ closed: null } as RunState), 'ended');
  return leave(place, state, 'ended');
}
