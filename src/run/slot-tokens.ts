import { bucketsOf, reslot, type Slot } from '../herd/index.ts';
import type { ActStep, SlotRuleOfPlan } from '../model/index.ts';
import type { Effect, Place } from './effects.ts';
import { actStepOf, trackOf, withStep, withTrack, type PlanIndex } from './lines.ts';
import { slottedOf } from './slots.ts';
import type { ActState, RunState, Track } from './state.ts';

/** A slot was taken: one token of each resource is spent, at the instant of the intention. */
export function spend(before: RunState, state: RunState, effect: Effect, atMs: number, index: PlanIndex): RunState {
  if (effect.effect !== 'look') return state;
  const { place } = effect;
  const track = trackOf(state, place.track);
  const act = track?.steps[place.step];
  if (!track || act?.step !== 'act' || act.plan < 0) return state;
  const { slots } = actStepOf(index, track, place.step);
  if (!slots || slots.resources.length < 2 || !begins(before, place)) return state;
  const tokens = { ...act.tokens };
  for (const { key } of bucketsOf(slots.resources.slice(1), place.target)) tokens[key] = atMs;
  return withTrack(state, withStep(track, place.step, { ...act, tokens }));
}

function begins(state: RunState, place: Place): boolean {
  const act = trackOf(state, place.track)?.steps[place.step];
  const phase = act?.step === 'act' ? act.waves[place.wave]?.targets[place.target]?.phase : undefined;
  return phase === 'waiting' || phase === 'held';
}

/** Not before which instant there is a token of everything for a server, over all tracks that share them; Infinity: it is frozen. */
export function slotDue(step: ActStep, acts: readonly ActState[]): (server: string) => number {
  const { perSecond, slots } = step;
  if (perSecond === null) return () => -Infinity;
  const share = acts.reduce((least, { pace }) => Math.min(least, pace?.share ?? 1), 1);
  if (share <= 0) return () => Infinity;
  const lastMs = acts.reduce((latest, { lastStartMs }) => Math.max(latest, lastStartMs ?? -Infinity), -Infinity);
  const canary = slots?.canary ?? null;
  const forAllMs = Math.max(lastMs + 1000 / perSecond / share, ...acts.map((act) => pausedUntilMs(act, canary)));
  const also = slots?.resources.slice(1) ?? [];
  if (also.length === 0) return () => forAllMs;
  return (server) =>
    bucketsOf(also, server).reduce(
      (dueMs, { key, everyMs }) =>
        acts.reduce((latest, { tokens }) => Math.max(latest, (tokens?.[key] ?? -Infinity) + everyMs), dueMs),
      forAllMs,
    );
}

/** Behind the canary lies a pause, in which it is looked at. */
function pausedUntilMs(act: ActState, canary: SlotRuleOfPlan['canary']): number {
  if (canary === null || act.wave !== 1 || act.lastStartMs === null) return -Infinity;
  const begun = Object.values(act.waves[1]?.targets ?? {}).some(({ phase }) => phase !== 'waiting' && phase !== 'left');
  return begun ? -Infinity : act.lastStartMs + canary.pauseMs;
}

/**
 * When those who still wait get their slots, as it looks now: by their order, at the pace that the step may go, and where
 * slots draw on more than one resource not before. A forecast, like every slot; none while it is frozen.
 */
export function slotsAhead(state: RunState, track: Track, index: PlanIndex): readonly Slot[] {
  const slotted = slottedOf(track, index);
  const share = slotted?.act.pace?.share ?? 1;
  if (!slotted || share === 0 || slotted.step.perSecond === null) return [];
  const { act, step, rule } = slotted;
  const waiting = act.waves
    .flatMap(({ targets }) => Object.entries(targets))
    .filter(([, { phase }]) => phase === 'waiting')
    .toSorted(([, a], [, b]) => (a.turn ?? 0) - (b.turn ?? 0));
  const { nowMs } = state;
  const dueMs = slotDue(step, [act]);
  const slots = waiting.map(([server]) => ({ server, atMs: Math.max(nowMs, dueMs(server)) }));
  // The slowest that all draw on sets the pace; parts of one are drawn on side by side.
  const everyMs = rule.resources.reduce(
    (slowest, each) => (each.of === null ? Math.max(slowest, each.everyMs) : slowest),
    0,
  );
  const perSecond = Math.min(slotted.step.perSecond * share, 1000 / everyMs);
  return reslot(slots, { perSecond, nowMs, lastAtMs: act.lastStartMs ?? undefined });
}
