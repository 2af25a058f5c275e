import type { Effect } from './effects.ts';
import type { RunEvent } from './events.ts';
import { fatalExpiries, type Expiry } from './fatal.ts';
import { flyingOf, landed } from './flying.ts';
import { currentOf, lineOf, trackOf, type PlanIndex } from './lines.ts';
import type { Page } from './pages.ts';
import { rehearsedFuse } from './rehearsed-fuse.ts';
import type { Fuse, RunState } from './state.ts';
import { clockTime } from './words.ts';

/** So many servers are read again at a time: those that expire first, and some of the others in turn. */
const FIRST_MAX = 48;
const OTHERS_MAX = 16;

/** The kind of step that proves that a dependency answers from every server. */
const PROOF = 'answers';

/** Two readings of one expiry never agree to the millisecond: closer than this they are one. */
const SAME_MS = 1_000;

/** The gate behind which an outage is under way that its fuse has to outlast; null: none is. */
export interface Burning {
  readonly fuse: Fuse;
  readonly gate: string;
  readonly marginMs: number;
}

/**
 * Whether the fuse burns: somebody said that the work may start, and it was not shown yet that the dependency answers
 * from every server; or it was, and somebody waits for it again. Halted or on the way home it burns on.
 */
export function burningOf(state: RunState, index: PlanIndex): Burning | null {
  const main = trackOf(state, 'main');
  if (state.fuse === null || state.closed || !main || isAtRest(state)) return null;
  const line = lineOf(index, main);
  let burning: Burning | null = null;
  for (const [at, step] of main.steps.slice(0, main.cursor).entries()) {
    const planned = line[step.plan];
    if (step.step === 'gate' && step.phase === 'passed' && planned?.step === 'gate' && planned.fuse !== null)
      burning = { fuse: state.fuse, gate: planned.id, marginMs: planned.fuse.marginMs };
    else if (
      planned?.step === 'act' &&
      planned.kind.name === PROOF &&
      main.steps[at]?.step === 'act' &&
      !isAwaited(state)
    )
      burning = null;
  }
  return burning;
}

/** Nothing is left to do but to let go of what is held: a run that only waits for that has no outage any more. */
export function isAtRest({ tracks, mode }: RunState): boolean {
  const atRest = tracks.every(({ status }) => status === 'finished' || status === 'stopped');
  return atRest && (mode === 'forward' || tracks.some(({ kind }) => kind === 'home'));
}

/** Somebody is held because a dependency does not answer. */
function isAwaited({ tracks }: RunState): boolean {
  return tracks.some((track) => {
    if (track.status !== 'running' && track.status !== 'draining') return false;
    const act = currentOf(track);
    if (act?.step !== 'act') return false;
    // Waves ahead have not begun, and those behind that are not listed have nobody left who waits.
    return [...act.behind, act.wave].some((at) =>
      Object.values(act.waves[at]?.targets ?? {}).some(
        ({ phase, failure }) => phase === 'held' && failure?.kind === 'needs',
      ),
    );
  });
}

/** The next reading of the clocks, and when it is due. */
export function countsDue(
  state: RunState,
  index: PlanIndex,
): { readonly effects: readonly Effect[]; readonly wakeAtMs: number | null } {
  const { countdown } = index.plan.header;
  const counts = state.counting?.counts ?? 0;
  if (countdown === undefined || burningOf(state, index) === null || flyingOf(state.flying, `count/${counts}`))
    return { effects: [], wakeAtMs: null };
  const dueMs = (state.counting?.lastAtMs ?? -Infinity) + countdown.everyMs;
  if (dueMs > state.nowMs) return { effects: [], wakeAtMs: dueMs };
  const servers = wanted(fatalExpiries(state, index), counts);
  if (servers.length === 0) return { effects: [], wakeAtMs: null };
  return { effects: [{ effect: 'count', id: `count/${counts + 1}`, servers }], wakeAtMs: null };
}

/** Those that expire first, and the others in turn. */
function wanted(expiries: readonly Expiry[], round: number): string[] {
  const names = expiries.map(({ server }) => server);
  const others = names.slice(FIRST_MAX);
  const from = others.length === 0 ? 0 : (round * OTHERS_MAX) % others.length;
  const inTurn = [...others.slice(from), ...others.slice(0, from)].slice(0, OTHERS_MAX);
  return [...names.slice(0, FIRST_MAX), ...inTurn];
}

export function beginCount(state: RunState, atMs: number): RunState {
  const { counts, read, unread, edge } = state.counting ?? { counts: 0, read: 0, unread: [], edge: null };
  return { ...state, counting: { counts: counts + 1, lastAtMs: atMs, read, unread, edge } };
}

/**
 * The fuse as it was read again. Whoever could not be read keeps what was known of it: a clock that was refreshed at an
 * instant lives on from there, seen or not.
 */
export function takeCount(
  state: RunState,
  event: Extract<RunEvent, { type: 'counted' }>,
  atMs: number,
  index: PlanIndex,
): RunState {
  const effect = flyingOf(state.flying, event.id);
  const rest = { ...state, flying: landed(state.flying, event.id) };
  if (effect?.effect !== 'count' || state.counting === null) return rest;
  const seen = effect.servers.filter((server) => !event.unread.includes(server));
  const counting = {
    ...state.counting,
    lastAtMs: atMs,
    read: seen.length,
    unread: event.unread,
    edge: event.edge ?? state.counting.edge,
  };
  const counted = { ...rest, counting };
  if (state.fuse === null || burningOf(state, index) === null) return counted;
  const read = new Set(seen);
  const [known] = fatalExpiries(state, index).filter(({ server }) => !read.has(server));
  const first = [event.first, known ?? null, rehearsedFuse(state, index)]
    .filter((each) => each !== null)
    .toSorted((a, b) => a.expiresAtMs - b.expiresAtMs)[0];
  return first === undefined || isSame(state.fuse, first, atMs)
    ? counted
    : { ...counted, fuse: { server: first.server, clock: first.clock, expiresAtMs: first.expiresAtMs } };
}

/** The same expiry, or one that is over as the other was. */
function isSame(fuse: Fuse, first: Fuse, atMs: number): boolean {
  const over = fuse.expiresAtMs <= atMs && first.expiresAtMs <= atMs;
  const same = fuse.server === first.server && fuse.clock === first.clock;
  return over || (same && Math.abs(fuse.expiresAtMs - first.expiresAtMs) < SAME_MS);
}

/** From here on an outage that goes on is a danger. */
export function marginAtMs({ fuse, marginMs }: Burning): number {
  return fuse.expiresAtMs - marginMs;
}

/** One page when no more than the margin is left. */
export function marginPages(state: RunState, index: PlanIndex): Page[] {
  const burning = burningOf(state, index);
  const main = trackOf(state, 'main');
  if (burning === null || index.plan.header.countdown === undefined || state.nowMs < marginAtMs(burning)) return [];
  const { fuse, gate } = burning;
  const { shed } = index.plan.header.countdown;
  const then =
    shed === null
      ? 'The plan declares nothing to shed load by: be ready to answer at the edge by hand.'
      : `At ${clockTime(fuse.expiresAtMs - shed.actMs)} neap turns the balancer's page on, unless the database answers before.`;
  return [
    {
      key: `fuse-margin/${gate}/${main?.renewals ?? 0}`,
      text: `Run ${state.run}: the outage has come within its margin: ${fuse.clock} on ${fuse.server} expires at ${clockTime(fuse.expiresAtMs)}. ${then} See: neap status ${state.run}`,
    },
  ];
}
