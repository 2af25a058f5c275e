import { userInfo } from 'node:os';
import { engineOf, findRun, loadConfig, startEngine, type HomeWord, type RunPlace } from '../../engine/index.ts';
import { gateOf, refusesTo } from '../../run/index.ts';
import { attach as attachTo, readRun, type Session } from '../session.ts';
import { usage } from '../usage.ts';
import { restore, type RestoreOptions } from './restore.ts';
import { statusJson, statusText } from '../views/status.ts';
import { engineGone, watch } from '../watch.ts';

/** `neap attach`: a view of a run that goes on by itself. */
export async function attach(run: string | undefined, { wait }: { readonly wait: boolean }): Promise<number> {
  return watch(await placeFor(run), { wait });
}

/** `neap status`: how a run stands, from its engine or from its journal. 0 when it is closed well or under way. */
export async function status(run: string | undefined, { json }: { readonly json?: boolean }): Promise<number> {
  const place = await placeFor(run);
  const session = await attachTo(place, () => undefined);
  const seen = session
    ? { plan: session.plan, machine: session.machine, state: session.state(), live: true }
    : { ...(await readRun(place)), live: false };
  session?.close();
  if (seen.state === null)
    throw usage(`run ${place.run} was never opened`, `Its engine did not start; see ${place.log}`);
  process.stdout.write(
    json
      ? `${JSON.stringify(statusJson(place, seen.state, seen.machine, seen.live), null, 2)}\n`
      : statusText(place, seen.state, seen.machine, seen.live),
  );
  return seen.state.closed?.exitCode ?? (seen.live ? 0 : 5);
}

export interface ApproveOptions {
  readonly as?: string;
  readonly reason?: string;
  readonly takeBack?: boolean;
}

/** `neap approve`: answers a gate from another terminal, or ahead; or takes back what was answered ahead. */
export async function approve(
  run: string,
  gate: string,
  answer: string | undefined,
  { as, reason, takeBack = false }: ApproveOptions,
): Promise<number> {
  if ((answer === undefined) !== takeBack)
    throw usage(
      takeBack ? 'an answer is given and taken back at once' : `gate ${gate} is given no answer`,
      `Write: neap approve ${run} ${gate} yes, or neap approve ${run} ${gate} --take-back`,
    );
  const session = await liveSession(await placeFor(run));
  const by = as ?? userInfo().username;
  const given = { answer, givenAtMs: session.clock.nowMs(), ...(reason === undefined ? {} : { reason }) };
  const open = session.state().tracks.flatMap((track) => gateOf(track, session.machine.index) ?? []);
  const refused = await session.ask(takeBack ? { ask: 'take-back', gate, by } : { ask: 'answer', gate, by, ...given });
  session.close();
  const ids = open.map(({ id }) => id);
  if (refused !== null)
    throw usage(refused, ids.length > 0 ? `Open now: ${ids.join(', ')}` : `See: neap status ${session.place.run}`);
  const isAhead = !open.some(({ id, step }) => id === gate || step.id === gate);
  const words = takeBack ? 'what was answered ahead is taken back' : isAhead ? `${answer}, when it is asked` : answer;
  process.stdout.write(`Gate ${gate} of run ${session.place.run}: ${words}\n`);
  return 0;
}

/** What a person says of the engine that has the run. */
export interface TakeOverOptions {
  readonly takeOver?: boolean;
  readonly override?: string;
}

export interface AbortOptions extends TakeOverOptions {
  readonly reason?: string;
  readonly detach?: boolean;
  readonly to?: string;
}

export interface ResumeOptions extends RestoreOptions, TakeOverOptions {
  readonly wait: boolean;
  readonly detach?: boolean;
}

/**
 * `neap resume`: goes on with a run that is halted, or whose engine is gone, with a new one; with `from`, as a mirror has
 * it.
 */
export async function resume(run: string, options: ResumeOptions): Promise<number> {
  const { wait, detach, from } = options;
  const place = from === undefined ? await placeFor(run) : await restore(run, from, options);
  if (!(await revive(place, options))) process.stdout.write(`Run ${place.run} has its engine: watching it.\n`);
  const session = await attachTo(place, () => undefined);
  if (session?.state().halted) {
    await session.ask({ ask: 'unhalt', by: userInfo().username });
    process.stdout.write(`Run ${place.run} is halted no more.\n`);
  }
  session?.close();
  return detach ? 0 : watch(place, { wait });
}

/** `neap halt`: no new work from now on; what is under way is brought to its end, and everything is watched as before. */
export async function halt(run: string): Promise<number> {
  const session = await liveSession(await placeFor(run));
  const refused = await session.ask({ ask: 'halt', by: userInfo().username });
  session.close();
  if (refused !== null) throw usage(refused, `See: neap status ${run}`);
  process.stdout.write(
    `Run ${run} is halted: no new work is begun, and it is watched as before.\nGo on: neap resume ${run}. Go home: neap abort ${run}\n`,
  );
  return 0;
}

/**
 * `neap abort`: no more risk, and back what was taken, as far as the needs allow. `to`: only what came after that step. A
 * run whose engine is gone is given one that goes home from its first decision on.
 */
export async function abort(run: string, options: AbortOptions): Promise<number> {
  const { reason, detach, to } = options;
  const place = await placeFor(run);
  const word = { by: userInfo().username, reason: reason ?? 'asked for', ...(to === undefined ? {} : { to }) };
  if (!(await engineOf(place))) await mayTurn(place, word);
  if (!(await revive(place, options, word))) {
    const session = await liveSession(place);
    const refused = await session.ask({ ask: 'abort', ...word });
    session.close();
    if (refused !== null) throw usage(refused, `See: neap status ${place.run}`);
  }
  return detach ? 0 : watch(place, { wait: true });
}

/** The run that is meant: the newest where none is named. */
export async function placeFor(run: string | undefined): Promise<RunPlace> {
  return findRun((await loadConfig(process.cwd())).stateDir, run);
}

/** Before an engine is started to take a run home: whether there is anything to take, and so far. */
async function mayTurn(place: RunPlace, { to }: HomeWord): Promise<void> {
  const { state, machine } = await readRun(place);
  if (state?.closed)
    throw usage(
      `run ${place.run} is closed already: ${withoutStop(state.closed.summary)}`,
      'What it left is in its report; a new change is a new plan',
    );
  if (to === undefined) return;
  const refused = state === null ? 'it has not begun' : refusesTo(state, machine.index, to);
  if (refused !== null) throw usage(refused, `Take all of it home: neap abort ${place.run}`);
}

/** Starts an engine where none is, with the word to go home if there is one. False: there is an engine. */
async function revive(
  place: RunPlace,
  { takeOver, override }: TakeOverOptions,
  home: HomeWord | null = null,
): Promise<boolean> {
  if (override !== undefined && (takeOver !== true || override.trim() === ''))
    throw usage('--override says why a run is taken over', 'Write: --take-over --override "why its engine is gone"');
  if (await engineOf(place)) return false;
  const { state } = await readRun(place);
  if (state?.closed)
    throw usage(
      `run ${place.run} is closed: ${withoutStop(state.closed.summary)}`,
      `See: neap report ${place.run} --html report.html`,
    );
  const said = { takeOver: takeOver === true, override: override ?? null };
  await startEngine(place, (await loadConfig(process.cwd())).stateDir, 'resume', said, home);
  return true;
}

/** A view of a run's engine; throws where it has none. */
export async function liveSession(place: RunPlace): Promise<Session> {
  const session = await attachTo(place, () => undefined);
  if (session) return session;
  const { state } = await readRun(place);
  if (state?.closed)
    throw usage(
      `run ${place.run} is closed: ${withoutStop(state.closed.summary)}`,
      `See: neap report ${place.run} --html report.html`,
    );
  engineGone(place);
  throw usage(`run ${place.run} has no engine`, `Go on with it: neap resume ${place.run}`);
}

/** For the middle of a sentence. */
function withoutStop(summary: string): string {
  return summary.replace(/\.$/, '');
}
