import { keepApart } from './apart.ts';
import { burningOf, countsDue, marginAtMs } from './countdown.ts';
import { flyingOf } from './flying.ts';
import { spentOf, startsAllowed } from './budget.ts';
import type { Effect } from './effects.ts';
import type { RunEvent } from './events.ts';
import { gateOf } from './gates.ts';
import { humanPage } from './human.ts';
import { givesBack } from './advance.ts';
import { activeIn, busyIn, nextInLane } from './lane.ts';
import { mirrorStops } from './mirror.ts';
import { actStepOf, currentOf, trackOf, waveIn, type PlanIndex } from './lines.ts';
import { pagesDue } from './pages.ts';
import { isTakingOut } from './away.ts';
import { sharePace } from './peers.ts';
import { shedsDue } from './shed.ts';
import { slotDue } from './slot-tokens.ts';
import { stopsOf } from './stops.ts';
import { gateText } from './words.ts';
import type { ActState, RunState, Track } from './state.ts';
import { fuseTooShort } from './fuse.ts';
import { decide } from './turns.ts';
import { windowWakeMs } from './window-pages.ts';
import { waitsForOpening } from './window.ts';

/** What to do now: a decision to be written first, or effects, and when time alone makes something due. */
export interface Next {
  readonly decision: RunEvent | null;
  readonly effects: readonly Effect[];
  readonly wakeAtMs: number | null;
}

const REST: Next = { decision: null, effects: [], wakeAtMs: null };

/** Says what to do now. Pure: asked twice of the same state, it says the same. */
export function next(state: RunState, index: PlanIndex): Next {
  if (state.closed) return REST;
  if (waitsForOpening(state)) return { decision: null, ...pages(state, index) };
  const decision = decide(state, index);
  if (decision) return { ...REST, decision };
  const parts = [
    ...state.tracks.map((track) => nextOfTrack(state, track, index)),
    diagnoses(state),
    countsDue(state, index),
    shedsDue(state, index),
    pages(state, index),
  ];
  const effects = parts.flatMap((part) => part.effects).filter((effect) => !flyingOf(state.flying, effect.id));
  const begun = sharePace(keepApart(effects, state), state, index);
  return {
    decision: null,
    effects: begun.effects,
    wakeAtMs: earliest([...parts.map((part) => part.wakeAtMs), begun.wakeAtMs]),
  };
}

interface Part {
  readonly effects: readonly Effect[];
  readonly wakeAtMs: number | null;
}

function nextOfTrack(state: RunState, track: Track, index: PlanIndex): Part {
  const current = currentOf(track);
  if (track.status === 'stopped' || track.status === 'finished' || !current) return REST;
  switch (current.step) {
    case 'rejoin':
      return REST;
    case 'gate':
      return nextAtGate(state, track, index);
    case 'act':
      return nextInStep(state, track, current, index);
  }
}

function nextInStep(state: RunState, track: Track, act: ActState, index: PlanIndex): Part {
  const step = actStepOf(index, track, track.cursor);
  const givingBack = givesBack(step, act);
  const open = [...act.behind, act.wave].flatMap((at) => (act.waves[at] ? [{ at, wave: act.waves[at] }] : []));
  const active = open.reduce((sum, { wave }) => sum + (givingBack ? busyIn(wave) : activeIn(wave)), 0);
  // Halt stops acting, never giving back what is half given.
  const halted = state.halted && track.kind === 'main' && step.releases === null;
  const stopped = track.kind === 'main' && stopsOf(state, step, index).length > 0;
  const unmirrored = act.does === 'perform' && mirrorStops(state, step, index).length > 0;
  const paced = step.perSecond !== null && (act.does !== 'undo' || step.undoes !== null);
  const isFrozen = paced && act.pace?.share === 0;
  let free = track.kind === 'main' ? startsAllowed(state, step, active, index) : step.atMost - active;
  const parts = open.map(({ at, wave }) => {
    const part = nextInLane(
      step,
      act,
      wave,
      { track: track.id, step: track.cursor, wave: at },
      {
        starts: isFrozen ? 0 : free,
        again: isFrozen ? 0 : givingBack ? free : Infinity,
        dueMs: paced ? slotDue(step, [act]) : null,
        nowMs: state.nowMs,
        draining: track.status === 'draining' || halted || stopped || unmirrored,
        priorBootId: (server) => bootIdOf(state, server, index),
        round: track.renewals,
      },
    );
    const looks = part.effects.filter((effect) => effect.effect === 'look').length;
    free = looks > 0 && step.perSecond !== null ? 0 : free - looks;
    return part;
  });
  const wakes = parts.map((part) => part.wakeAtMs).filter((atMs) => atMs !== null);
  return { effects: parts.flatMap((part) => part.effects), wakeAtMs: wakes.length > 0 ? Math.min(...wakes) : null };
}

/** The boot that a server was last seen in, from the readings of the main line's steps so far. */
function bootIdOf(state: RunState, server: string, index: PlanIndex): string | null {
  const steps = trackOf(state, 'main')?.steps ?? [];
  for (const [at, step] of [...steps.entries()].toReversed()) {
    const planned = index.plan.header.steps[at];
    const wave = planned && step.step === 'act' ? waveIn(step, planned.id, server, index) : undefined;
    const readings = wave !== undefined && step.step === 'act' ? step.waves[wave]?.targets[server]?.readings : null;
    if (
      typeof readings === 'object' &&
      readings !== null &&
      'bootId' in readings &&
      typeof readings.bootId === 'string'
    )
      return readings.bootId;
  }
  return null;
}

function nextAtGate(state: RunState, track: Track, index: PlanIndex): Part {
  const gate = gateOf(track, index);
  if (!gate) return REST;
  const { fuse } = gate.step;
  const lateAtMs = fuse && state.fuse ? state.fuse.expiresAtMs - fuse.outageMs - fuse.marginMs : null;
  const expiresAtMs = gate.state.askedAtMs === null ? null : gate.state.askedAtMs + gate.step.expiresMs;
  const wakes = [lateAtMs, gate.step.onTimeout === 'abort' ? expiresAtMs : null].filter(
    (atMs) => atMs !== null && atMs > state.nowMs,
  );
  const wakeAtMs = wakes.length > 0 ? Math.min(...wakes.map(Number)) : null;
  // Halt asks nobody and lets nobody through; the fuse and the gate's own time go on.
  if (state.halted && track.kind === 'main') return { effects: [], wakeAtMs };
  if (gate.state.phase === 'waiting') {
    // What becomes of whoever is being taken out of the balancer is part of the question.
    if (track.kind === 'main' && isTakingOut(state, index)) return { effects: [], wakeAtMs };
    if (gate.state.askAtMs > state.nowMs)
      return { effects: [], wakeAtMs: Math.min(gate.state.askAtMs, wakeAtMs ?? Infinity) };
    const text = gateText(state, track, gate.step, gate.state.note, index);
    const id = `${track.id}/${track.cursor}/ask/${track.renewals}.${gate.state.asks}`;
    return { effects: [{ effect: 'ask', id, gate: gate.id, track: track.id, text, servers: track.servers }], wakeAtMs };
  }
  if (gate.state.phase === 'answered' && !fuseTooShort(state, gate.step)) {
    return {
      effects: [
        {
          effect: 'pass',
          id: `${track.id}/${track.cursor}/pass/${track.renewals}.${gate.state.asks}${gate.state.passes === 0 ? '' : `.${gate.state.passes}`}`,
          gate: gate.id,
          track: track.id,
        },
      ],
      wakeAtMs,
    };
  }
  return { effects: [], wakeAtMs };
}

function diagnoses(state: RunState): Part {
  const effects = Object.entries(state.out)
    .filter(([, out]) => out.fate === 'undiagnosed')
    .map(([target]): Effect => ({ effect: 'diagnose', id: `diagnose/${target}`, target }));
  return { effects, wakeAtMs: null };
}

function pages(state: RunState, index: PlanIndex): Part {
  const due = [...pagesDue(state, index), ...humanPage(state, index)].filter(({ key }) => !state.paged[key]);
  return {
    effects: due.map(({ key, text }): Effect => ({ effect: 'page', id: `page/${key}`, key, text })),
    wakeAtMs: earliest([fusePageAt(state, index), windowWakeMs(state, index)]),
  };
}

function earliest(instants: readonly (number | null)[]): number | null {
  const due = instants.filter((atMs) => atMs !== null);
  return due.length > 0 ? Math.min(...due) : null;
}

function fusePageAt(state: RunState, index: PlanIndex): number | null {
  const burning = burningOf(state, index);
  const instants = [burning && marginAtMs(burning), state.fuse?.expiresAtMs ?? null];
  return earliest(instants.map((atMs) => (atMs !== null && atMs > state.nowMs ? atMs : null)));
}

/** What is left of the failure budget, for views. */
export function budgetOf(state: RunState, index: PlanIndex): { readonly spent: number; readonly failures: number } {
  return { spent: spentOf(state), failures: index.plan.header.budget.failures };
}
