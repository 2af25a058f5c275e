import type { Effect } from './effects.ts';
import type { RunEvent } from './events.ts';
import { burningOf, isAtRest } from './countdown.ts';
import { isAnyFlying, landed } from './flying.ts';
import { ASK_AGAIN_MS, HELD_MAX_MS, SHED_AGAIN_MS, SHED_ATTEMPTS_MAX } from './limits.ts';
import type { PlanIndex } from './lines.ts';
import type { Page } from './pages.ts';
import type { RunState, ShedState } from './state.ts';
import { clockTime, duration } from './words.ts';

/** From so many servers at the most a dependency must answer before load comes back. */
const ASKED_MAX = 64;

/** When load is shed at the latest: so long before the first fatal expiry as shedding takes. Null: nothing burns, or nothing is declared. */
export function shedAtMs(state: RunState, index: PlanIndex): number | null {
  const shed = index.plan.header.countdown?.shed ?? null;
  const burning = shed === null ? null : burningOf(state, index);
  return shed === null || burning === null ? null : burning.fuse.expiresAtMs - shed.actMs;
}

/**
 * Turns the balancer's page on when the fuse is about to be over, whatever else stops the run: it gives safety and takes
 * nothing that an outage leaves anyway. And off again when nothing burns any more.
 */
export function shedsDue(
  state: RunState,
  index: PlanIndex,
): { readonly effects: readonly Effect[]; readonly wakeAtMs: number | null } {
  const { shed, nowMs } = state;
  const none = { effects: [], wakeAtMs: null };
  const atMs = shedAtMs(state, index);
  const isOn = shed?.wanted === 'on' && shed.phase !== 'retry';
  if (shed?.phase === 'acting') return none;
  if (atMs !== null && !isOn) {
    const dueMs = shed?.wanted === 'on' ? Math.max(atMs, shed.tryAtMs) : atMs;
    return dueMs > nowMs ? { effects: [], wakeAtMs: dueMs } : { effects: [turn(state, true, index)], wakeAtMs: null };
  }
  if (!holdsPage(state) || atMs !== null || !isOver(state)) return none;
  if (shed?.wanted === 'off' && shed.tryAtMs > nowMs) return { effects: [], wakeAtMs: shed.tryAtMs };
  return { effects: [turn(state, false, index)], wakeAtMs: null };
}

function turn(state: RunState, on: boolean, index: PlanIndex): Effect {
  const wanted = on ? 'on' : 'off';
  const id = `shed/${(state.shed?.turns ?? 0) + 1}/${wanted}`;
  return { effect: 'shed', id, on, servers: on ? [] : asked(state, index) };
}

/** Whoever is in the run, or back in it: spread over the line, since one part of a fleet may see what another does not. */
function asked({ out }: RunState, { plan }: PlanIndex): string[] {
  const all = plan.slices
    .flatMap(({ servers }) => servers.map(({ name }) => name))
    .filter((server) => !out[server] || out[server].recovered);
  const every = Math.max(1, all.length / ASKED_MAX);
  return Array.from({ length: Math.min(all.length, ASKED_MAX) }, (_, at) => all[Math.floor(at * every)] ?? '');
}

/** The outage is over: the line has shown that the dependency answers, or has nothing left to do but this. */
function isOver(state: RunState): boolean {
  return state.fuse === null || (isAtRest(state) && !isAnyFlying(state.flying));
}

/** Whether the page is on, or may be, and is this run's to turn off. */
export function holdsPage({ shed }: RunState): boolean {
  if (shed === null || !shed.ours) return false;
  return shed.wanted === 'on' || (shed.phase !== 'done' && shed.phase !== 'given-up');
}

/** Whether the page is on for good: neap could not turn it off. */
export function pageIsLeft({ shed }: RunState): boolean {
  return shed !== null && shed.ours && shed.wanted === 'off' && shed.phase === 'given-up';
}

export function beginShed(state: RunState, { on }: Extract<Effect, { effect: 'shed' }>, atMs: number): RunState {
  const was = state.shed;
  const wanted = on ? 'on' : 'off';
  const again = was !== null && was.wanted === wanted && was.phase !== 'done';
  const shed: ShedState = {
    wanted,
    phase: 'acting',
    attempts: again ? was.attempts + 1 : 1,
    sinceMs: again ? was.sinceMs : atMs,
    doneAtMs: null,
    tryAtMs: atMs,
    // What was on before the run meant to turn it on is somebody else's.
    ours: again || !on ? (was?.ours ?? true) : state.counting?.edge !== 'on',
    failure: again ? was.failure : null,
    times: (was?.times ?? 0) + (on && !again ? 1 : 0),
    turns: (was?.turns ?? 0) + 1,
  };
  return { ...state, shed };
}

export function takeShed(state: RunState, event: Extract<RunEvent, { type: 'shed' }>, atMs: number): RunState {
  const rest = { ...state, flying: landed(state.flying, event.id) };
  const { shed } = state;
  if (shed?.phase !== 'acting') return rest;
  if (!event.failure) {
    const counting = state.counting && { ...state.counting, edge: shed.wanted };
    return { ...rest, counting, shed: { ...shed, phase: 'done', doneAtMs: atMs, failure: null } };
  }
  const waits = event.failure.kind === 'needs';
  const spent = waits ? atMs - shed.sinceMs > HELD_MAX_MS : shed.attempts >= SHED_ATTEMPTS_MAX;
  // Shedding late is better than not at all: only giving load back is given up.
  const phase = spent && shed.wanted === 'off' ? 'given-up' : 'retry';
  const tryAtMs = atMs + (waits || shed.attempts >= SHED_ATTEMPTS_MAX ? ASK_AGAIN_MS : SHED_AGAIN_MS);
  return { ...rest, shed: { ...shed, phase, tryAtMs, failure: event.failure, attempts: waits ? 0 : shed.attempts } };
}

/** Another engine has the run: what its page came to is found out by turning it again, which changes nothing twice. */
export function orphanShed(shed: ShedState | null, atMs: number): ShedState | null {
  return shed?.phase === 'acting' ? { ...shed, phase: 'retry', tryAtMs: atMs } : shed;
}

/** The page went on, could not be turned, or is left on. */
export function shedPages(state: RunState, index: PlanIndex): Page[] {
  const { shed, run } = state;
  if (shed === null) return [];
  const see = `See: neap status ${run}`;
  if (shed.failure !== null && shed.failure.kind !== 'needs') {
    const what =
      shed.wanted === 'on' ? 'on: turn it on by hand, NOW' : 'off: turn it off by hand when the database answers';
    return [
      {
        key: `shed-failed/${shed.times}/${shed.wanted}`,
        text: `Run ${run} cannot turn the balancer's page ${what} (${shed.failure.what}). neap tries again by itself. ${see}`,
      },
    ];
  }
  if (shed.wanted !== 'on' || shed.phase !== 'done' || shed.doneAtMs === null) return [];
  const burning = burningOf(state, index);
  const why = burning
    ? ` before ${burning.fuse.clock} on ${burning.fuse.server} expires at ${clockTime(burning.fuse.expiresAtMs)}`
    : '';
  const after = shed.ours
    ? 'It is turned off again when the database answers.'
    : 'It was on already, and stays on: whoever turned it on turns it off.';
  return [
    {
      key: `shed/${shed.times}`,
      text: `Run ${run} has shed its load${why}: since ${clockTime(shed.doneAtMs)} the balancer answers with its page and nothing reaches the servers. ${after} ${see}`,
    },
  ];
}

/** How the shed stands, in one sentence; null: there is nothing to say. */
export function shedWords(state: RunState, index: PlanIndex): string | null {
  const { shed, nowMs } = state;
  const atMs = shedAtMs(state, index);
  if (shed === null || (shed.wanted === 'off' && shed.phase === 'done')) {
    if (atMs === null) return null;
    return `the balancer's page goes on in ${duration(atMs - nowMs)} (${clockTime(atMs)}) unless the database answers`;
  }
  const since = shed.doneAtMs === null ? '' : ` since ${clockTime(shed.doneAtMs)}`;
  if (shed.wanted === 'on' && shed.phase === 'done')
    return `LOAD IS SHED: the balancer answers with its page${since}${shed.ours ? '' : ', turned on by somebody else'}`;
  if (shed.wanted === 'on') return `the balancer's page is being turned on${tried(shed)}`;
  if (shed.phase === 'given-up') return `the balancer's page is still on, and neap could not turn it off${tried(shed)}`;
  return `the balancer's page is being turned off${tried(shed)}`;
}

function tried({ failure }: ShedState): string {
  return failure === null ? '' : `: ${failure.what}`;
}
