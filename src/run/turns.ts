import { usedAhead } from './ahead.ts';
import { allFlying } from './flying.ts';
import type { PlanStep } from '../model/index.ts';
import { spentOf } from './budget.ts';
import type { RunEvent } from './events.ts';
import { doubted, withdrawn } from './doubt.ts';
import { fuseTooShort } from './fuse.ts';
import { gateOf } from './gates.ts';
import { RENEWALS_MAX, REDONE_MAX } from './limits.ts';
import { currentOf, gateStepOf, trackOf, type PlanIndex } from './lines.ts';
import { closing } from './outcome.ts';
import { outlookTurn } from './outlook.ts';
import { quarantined } from './quarantine.ts';
import { isWaveSettled } from './lane.ts';
import type { Out, RunState, StepState, Turn } from './state.ts';
import { isInTail, tailFrom } from './tail.ts';
import { homeTrack } from './tracks.ts';
import { armedByGuard, contingencyTurn, homeWaits } from './recoveries.ts';
import { guardTurn } from './standings.ts';
import { rehearsed } from './rehearsals.ts';
import { scheduled } from './slots.ts';
import { spreadAgain } from './spread-again.ts';

/** What the run itself has to decide now, as an event; null: nothing. Decided once, then folded for ever. */
export function decide(state: RunState, index: PlanIndex): RunEvent | null {
  const shown = rehearsed(state, index);
  if (shown !== null) return shown;
  const again = spoilt(state, index);
  if (again === 'wait') return armed(state, index);
  return (
    armed(state, index) ??
    armedByGuard(state, index) ??
    again ??
    turned(state, index) ??
    spreadAgain(state, index) ??
    usedAhead(state, index) ??
    givenUp(state, index) ??
    renewed(state, index) ??
    quarantined(state, index) ??
    doubted(state, index) ??
    withdrawn(state) ??
    homeward(state, index) ??
    scheduled(state, index) ??
    closing(state, index)
  );
}

/** Hung servers that nobody recovers yet, once every diagnosis under way has come in. */
function armed(state: RunState, { plan }: PlanIndex): RunEvent | null {
  // Before the window opens nobody is reset.
  if (state.begunAtMs === null) return null;
  const entries = Object.entries(state.out);
  if (entries.some(([, out]) => out.fate === 'undiagnosed')) return null;
  const hung = entries.filter(([, out]) => out.fate === 'hung' && out.track === null).map(([server]) => server);
  if (hung.length === 0) return null;
  const contingency = plan.header.contingencies.find((each) => each.when === 'hung');
  if (!contingency) return null;
  const count = state.tracks.filter(
    ({ kind, contingency: of }) => kind === 'contingency' && of === contingency.id,
  ).length;
  const track = count === 0 ? contingency.id : `${contingency.id}-${count + 1}`;
  // Whether hung or merely silent, now or a little before: so many at once is first taken for a fault of the way there.
  const quiet = entries.filter(([, out]) => (out.fate === 'hung' || out.fate === 'silent') && !out.recovered).length;
  return {
    type: 'armed',
    contingency: contingency.id,
    track,
    servers: hung,
    suspect: quiet > contingency.suspectAbove,
  };
}

function turned(state: RunState, index: PlanIndex): RunEvent | null {
  if (state.mode === 'home') return null;
  const main = trackOf(state, 'main');
  if (!main || main.status === 'finished') return null;
  const turn =
    canaryTurn(state, index) ??
    budgetTurn(state, index) ??
    gateTurn(state, index) ??
    shortTurn(state) ??
    guardTurn(state, index) ??
    contingencyTurn(state, index) ??
    outlookTurn(state, index);
  return turn && { type: 'turned', ...turn };
}

/** What is left on the journal's disk is for the events of the way home. */
function shortTurn({ short }: RunState): Turn | null {
  return short
    ? { code: 'journal', why: "the journal's disk is full, and what was kept free is for the way home" }
    : null;
}

function canaryTurn(state: RunState, index: PlanIndex): Turn | null {
  const { header } = index.plan;
  const plannedAt = (step: string): PlanStep | undefined => header.steps.find((each) => each.id === step);
  const ends = Object.entries(state.out).find(([server, { step }]) => {
    const planned = plannedAt(step);
    if (planned?.step !== 'act') return false;
    if (isSlotCanary(planned, server)) return true;
    if (isInTail(index, step)) return false;
    return planned.failureEnds || (header.canaries.includes(server) && planned.nature !== 'restore');
  });
  if (!ends) return null;
  const [server, out] = ends;
  const isCanary = header.canaries.includes(server) || isSlotCanary(plannedAt(out.step), server);
  const code = out.fate === 'drifted' ? 'drift' : isCanary ? 'canary' : 'condition';
  return { code, why: `${isCanary ? 'the canary ' : ''}${server}: ${describe(out)}` };
}

/** Whoever was given the first slots alone, so that the others are spared what becomes of it. */
function isSlotCanary(step: PlanStep | undefined, server: string): boolean {
  return step?.step === 'act' && step.slots?.canary != null && step.waves[0]?.includes(server) === true;
}

function budgetTurn(state: RunState, index: PlanIndex): Turn | null {
  const { failures } = index.plan.header.budget;
  if (spentOf(state) < failures || spentBeforeTail(state, index) < failures) return null;
  const named = Object.entries(state.out).map(([server, out]) => `${server} (${describe(out)})`);
  // Servers that only are not as the plan saw them make the plan stale; a failure makes the run failed.
  const code = Object.values(state.out).every((out) => out.fate === 'drifted') ? 'drift' : 'budget';
  const shown = named.slice(0, 5).join('; ') + (named.length > 5 ? ` and ${named.length - 5} more` : '');
  return { code, why: `the failure budget of ${failures} is spent: ${shown}` };
}

/** Where nothing but giving back is left, turning for home gives nobody back sooner: what failed there turns nothing. */
function spentBeforeTail(state: RunState, index: PlanIndex): number {
  const isInTheTail = (trackOf(state, 'main')?.cursor ?? 0) >= tailFrom(index);
  const out = Object.entries(state.out).filter(([, { step }]) => !isInTail(index, step));
  return spentOf({ ...state, out: Object.fromEntries(out), paths: isInTheTail ? {} : state.paths });
}

function describe({ failure, title }: Out): string {
  return `${failure.what}, at "${title}"`;
}

function gateTurn(state: RunState, index: PlanIndex): Turn | null {
  const main = trackOf(state, 'main');
  const current = main && currentOf(main);
  if (!main || current?.step !== 'gate') return null;
  const step = gateStepOf(index, main, current);
  if (current.phase === 'refused') {
    return {
      code: 'gate',
      why: `${current.answer?.by ?? 'somebody'} answered "${current.answer?.answer ?? 'no'}" to "${step.title}"`,
    };
  }
  const expired =
    step.onTimeout === 'abort' && current.askedAtMs !== null && state.nowMs >= current.askedAtMs + step.expiresMs;
  return expired
    ? { code: 'timeout', why: `nobody answered "${step.title}" within ${Math.round(step.expiresMs / 60_000)} min` }
    : null;
}

/** A contingency's gate that nobody answered in time is answered by that: its servers stay as they are. */
function givenUp(state: RunState, index: PlanIndex): RunEvent | null {
  for (const track of state.tracks) {
    const gate = track.kind === 'contingency' ? gateOf(track, index) : null;
    if (
      gate?.step.onTimeout !== 'abort' ||
      gate.state.askedAtMs === null ||
      state.nowMs < gate.state.askedAtMs + gate.step.expiresMs
    )
      continue;
    const answer = Object.entries(gate.step.answers).find(([, does]) => does === 'go-home')?.[0];
    if (answer !== undefined)
      return {
        type: 'answered',
        gate: gate.id,
        answer,
        by: 'nobody',
        givenAtMs: state.nowMs,
        reason: 'nobody answered in time',
      };
  }
  return null;
}

/** While nobody answers, the fuse burns: before it is too short for the outage, everything is refreshed again. */
function renewed(state: RunState, index: PlanIndex): RunEvent | null {
  const main = trackOf(state, 'main');
  const gate = main && gateOf(main, index);
  if (!main || !gate || state.mode === 'home' || !fuseTooShort(state, gate.step)) return null;
  if (gate.step.renewFrom === null || main.renewals >= RENEWALS_MAX) {
    return {
      type: 'turned',
      code: 'fuse',
      why: `the fuse is too short for the outage, and caches were refreshed ${main.renewals} times already`,
    };
  }
  return { type: 'renewed', gate: gate.id, from: gate.step.renewFrom };
}

/**
 * What time has spoilt is done again, a few times, before that is a reason to go home: a fuse that the proof found too
 * short goes back to the refresh, a hold that ended by itself goes back to the hold.
 */
function spoilt(state: RunState, { plan: { header } }: PlanIndex): RunEvent | 'wait' | null {
  const main = trackOf(state, 'main');
  // Where it was the last server of the line, the line is through without it before anybody can decide.
  const isThere =
    main?.status === 'running' || (main?.status === 'finished' && !state.tracks.some(({ kind }) => kind === 'home'));
  if (!main || !isThere || state.mode === 'home' || main.redone >= REDONE_MAX) return null;
  const conditions = Object.values(state.out).filter((out) => out.failure.kind === 'condition');
  const at = header.steps.findIndex(
    (step) =>
      step.step === 'act' &&
      (step.onUnmet === 'end' || step.releases !== null) &&
      conditions.some((out) => out.step === step.id),
  );
  const step = header.steps[at];
  if (step?.step !== 'act') return null;
  const gate = header.steps.find((each, position) => position > at && each.step === 'gate' && each.renewFrom !== null);
  const from =
    step.releases === null
      ? gate?.step === 'gate'
        ? gate.renewFrom
        : null
      : refreshBefore(header.steps, step.releases);
  const to = step.releases === null ? gate?.id : step.id;
  const begins = header.steps.findIndex((each) => each.id === from);
  if (from === null || to === undefined || begins < 0 || begins > at) return null;
  // What is under way there ends first, so that nothing of it comes back into a step begun anew.
  const flying = allFlying(state.flying).some((effect) => 'place' in effect && effect.place.track === 'main');
  // A hold that still stands is let go of first: begun anew, the step would no longer know that it is its own.
  const holds = step.releases !== null && !isThrough(main.steps[at]);
  return flying || holds ? 'wait' : { type: 'renewed', gate: to, from, spoilt: true };
}

function isThrough(act: StepState | undefined): boolean {
  return act?.step !== 'act' || act.waves.every(isWaveSettled);
}

/** A hold is taken anew on fresh caches: from the refresh right before it, if there is one, whatever was looked at in between. */
function refreshBefore(steps: readonly PlanStep[], hold: string): string {
  let from = steps.findIndex((step) => step.id === hold);
  for (let at = from - 1; at >= 0; at -= 1) {
    const before = steps[at];
    if (before?.step !== 'act' || !before.leavesNothing) break;
    if (before.nature === 'restore') from = at;
  }
  return steps[from]?.id ?? hold;
}

/** The way home, when the main line has come to rest; and at its end, for those servers that fell out on the way. */
function homeward(state: RunState, index: PlanIndex): RunEvent | null {
  const main = trackOf(state, 'main');
  if (!main || state.tracks.some((track) => track.kind === 'home')) return null;
  // Whose is the way back, this track's or a contingency's, is known when everybody has been diagnosed.
  if (Object.values(state.out).some(({ fate }) => fate === 'undiagnosed')) return null;
  if (state.mode === 'home')
    return main.status === 'stopped' && !homeWaits(state, index) ? { type: 'homeward', servers: null } : null;
  const left = Object.entries(state.out)
    .filter(([, out]) => out.fate !== 'hung' && out.fate !== 'undiagnosed')
    .map(([server]) => server);
  if (main.status !== 'finished' || left.length === 0) return null;
  // Who was never touched has no way back to go.
  return homeTrack(state, left, index).steps.length > 0 ? { type: 'homeward', servers: left } : null;
}
