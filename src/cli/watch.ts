import { pauseRealMs, type RunPlace } from '../engine/index.ts';
import { attach, readRun, type OnEvent, type Session } from './session.ts';
import { LogView } from './views/log.ts';
import { nextCommand } from './views/status.ts';
import { approveCommand, gateOf, type RunState, type Stamped } from '../run/index.ts';

export interface WatchOptions {
  /** Wait at gates for somebody's `neap approve`; otherwise end with 3 as soon as one is open. */
  readonly wait: boolean;
}

/** Watches a run until it is closed, on a terminal with a tree and prompts, elsewhere as a log. Its exit code, or 3 at a gate. */
export async function watch(place: RunPlace, options: WatchOptions): Promise<number> {
  const interactive = process.stdin.isTTY && process.stdout.isTTY;
  if (interactive) {
    const { watchOnTerminal } = await import('./views/terminal.ts');
    return watchOnTerminal(place);
  }
  return watchAsLog(place, options);
}

async function watchAsLog(place: RunPlace, { wait }: WatchOptions): Promise<number> {
  const early: [Stamped, RunState][] = [];
  let view: LogView | null = null;
  const onEvent: OnEvent = (event, state) => {
    if (view) view.show(event, state);
    else early.push([event, state]);
  };
  const session = await attach(place, onEvent);
  if (!session) return reportClosed(place);
  view = new LogView(session.machine, (line) => process.stdout.write(`${line}\n`));
  for (const [event, state] of early) view.show(event, state);
  if (!wait) await settledOrGate(session);
  if (!wait && !session.state().closed && openGates(session).length > 0) {
    session.close();
    for (const { id, answers } of openGates(session))
      process.stdout.write(`Waiting at gate ${id}: ${approveCommand(place.run, id, answers)}\n`);
    return 3;
  }
  await session.ended;
  const { closed } = session.state();
  if (!closed) return engineGone(place, session.stopped());
  if (closed.exitCode !== 0) process.stdout.write(`${nextCommand(place, session.state(), session.machine, false)}\n`);
  return closed.exitCode;
}

function openGates({ state, machine }: Session): { readonly id: string; readonly answers: readonly string[] }[] {
  return state()
    .tracks.map((track) => gateOf(track, machine.index))
    .flatMap((gate) =>
      gate?.state.phase === 'asked' ? [{ id: gate.id, answers: Object.keys(gate.step.answers) }] : [],
    );
}

async function settledOrGate(session: Session): Promise<void> {
  let over = false;
  void session.ended.then(() => (over = true));
  while (!over && openGates(session).length === 0) await pauseRealMs(100);
}

/** What a run came to whose engine is not there. */
async function reportClosed(place: RunPlace): Promise<number> {
  const { state, machine } = await readRun(place);
  if (state?.closed) {
    process.stdout.write(`${state.closed.summary}\n${nextCommand(place, state, machine, false)}\n`);
    return state.closed.exitCode;
  }
  return engineGone(place);
}

export function engineGone({ run }: RunPlace, stopped: string | null = null): number {
  process.stderr.write(
    stopped === null
      ? `The engine of run ${run} is gone; what it left is in its journal. Go on with it: neap resume ${run}\n`
      : `The engine stopped. ${stopped}\n`,
  );
  return 5;
}
