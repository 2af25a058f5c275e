import { coherence, scheduleSlots } from '../herd/index.ts';
import type { ActStep, SlotRuleOfPlan } from '../model/index.ts';
import type { RunEvent } from './events.ts';
import { expiriesOf } from './expiries.ts';
import { actStepOf, currentOf, lineOf, trackOf, withStep, withTrack, type PlanIndex } from './lines.ts';
import type { ActState, RunState, TargetState, Track, WaveState } from './state.ts';

/** The step that a track is at, if it goes by slots. */
export function slottedOf(
  track: Track,
  index: PlanIndex,
): { readonly act: ActState; readonly step: ActStep; readonly rule: SlotRuleOfPlan } | null {
  const act = currentOf(track);
  if (act?.step !== 'act' || track.status !== 'running' || act.does !== 'perform') return null;
  const step = actStepOf(index, track, track.cursor);
  return step.slots ? { act, step, rule: step.slots } : null;
}

/**
 * Who comes when, decided once when a step with slots begins and once by every engine that goes on with it: the earliest
 * expiry first among those who have not begun. Nothing is known of who was not read: it is taken to expire now.
 */
export function scheduled(state: RunState, index: PlanIndex): RunEvent | null {
  for (const track of state.tracks) {
    if (state.halted && track.kind === 'main') continue;
    const slotted = slottedOf(track, index);
    if (!slotted || slotted.act.isScheduled) continue;
    const { act, step, rule } = slotted;
    const groups = groupsOf(act, rule);
    if (groups.every((group) => group.length < 2)) continue;
    const expiries = expiriesOf(state, track, rule.ttlMs, index);
    const known = groups.flat().filter((server) => expiries.has(server)).length;
    // Where nothing is known, the plan's order is as good, and people have seen it.
    const servers =
      known === 0 ? groups.flat() : groups.flatMap((group) => ordered(state, group, expiries, rule, index));
    return { type: 'scheduled', track: track.id, step: step.id, servers, known };
  }
  return null;
}

function ordered(
  { nowMs }: RunState,
  group: readonly string[],
  expiries: ReadonlyMap<string, number>,
  { resources: [first, ...also] }: SlotRuleOfPlan,
  index: PlanIndex,
): string[] {
  const servers = group.map((name) => ({
    name,
    domain: index.domainOf(name),
    deadlineMs: expiries.get(name) ?? nowMs,
  }));
  const perSecond = 1000 / (first?.everyMs ?? 1000);
  const slots = scheduleSlots({ servers, perSecond, also, startMs: nowMs, seed: index.plan.header.seed });
  return slots.map(({ server }) => server);
}

/** Who can still change places with whom: within a wave that is the runbook's own, the canary, or over all that is left. */
function groupsOf(act: ActState, rule: SlotRuleOfPlan): readonly (readonly string[])[] {
  const waves = act.waves.map((wave, at) => (at < act.wave ? [] : waitingIn(wave)));
  if (rule.keepsWaves) return waves;
  const canary = rule.canary === null ? 0 : 1;
  return [...waves.slice(0, canary), waves.slice(canary).flat()];
}

function waitingIn({ targets }: WaveState): string[] {
  return Object.entries(targets).flatMap(([server, { phase }]) => (phase === 'waiting' ? [server] : []));
}

/** The order is taken in: who waits takes the place that it has by now, and waves stay as large as they were. */
export function takeTurns(
  state: RunState,
  event: Extract<RunEvent, { type: 'scheduled' }>,
  index: PlanIndex,
): RunState {
  const found = stepNamed(state, event.track, event.step, index);
  if (!found) return state;
  const { track, at, act } = found;
  const waiting = new Map(
    act.waves.flatMap((wave, position) =>
      position < act.wave ? [] : Object.entries(wave.targets).filter(([, { phase }]) => phase === 'waiting'),
    ),
  );
  const order = event.servers.filter((server) => waiting.has(server));
  const missing = [...waiting.keys()].filter((server) => !event.servers.includes(server));
  const queue = [...order, ...missing];
  let turn = 0;
  const waves = act.waves.map((wave, position) => {
    if (position < act.wave) return wave;
    const rest = Object.entries(wave.targets).filter(([, { phase }]) => phase !== 'waiting');
    const seats = Object.keys(wave.targets).length - rest.length;
    const seated = queue.slice(turn, turn + seats).map((server, k): [string, TargetState] => {
      const target = waiting.get(server) as TargetState;
      return [server, { ...target, turn: turn + k }];
    });
    turn += seats;
    return { targets: Object.fromEntries([...rest, ...seated]) };
  });
  return withTrack(state, withStep(track, at, { ...act, waves, isScheduled: true }));
}

/** Another engine has the run: what is left is scheduled anew, by what is known now. */
export function unschedule(state: RunState): RunState {
  const tracks = state.tracks.map((track) => ({
    ...track,
    steps: track.steps.map((step) => {
      if (step.step !== 'act' || !step.isScheduled) return step;
      const { isScheduled: _, ...others } = step;
      return others;
    }),
  }));
  return { ...state, tracks };
}

/** The closed loop has set another pace. */
export function takePace(
  state: RunState,
  event: Extract<RunEvent, { type: 'paced' }>,
  atMs: number,
  index: PlanIndex,
): RunState {
  const found = stepNamed(state, event.track, event.step, index);
  if (!found) return state;
  const pace = { share: Math.min(1, Math.max(0, event.share)), sinceMs: atMs, why: event.why };
  return withTrack(state, withStep(found.track, found.at, { ...found.act, pace }));
}

/** How far together the expiries lie that a step's own readings tell, by the mean time to live; null: they tell none. */
export function coherenceOf(state: RunState, track: Track, rule: SlotRuleOfPlan, index: PlanIndex): number | null {
  if (rule.ttlMs === null) return null;
  const expiries = [...expiriesOf(state, track, rule.ttlMs, index).values()];
  return expiries.length < 2 ? null : coherence(expiries, (rule.ttlMs.min + rule.ttlMs.max) / 2);
}

function stepNamed(
  state: RunState,
  trackId: string,
  stepId: string,
  index: PlanIndex,
): { readonly track: Track; readonly at: number; readonly act: ActState } | null {
  const track = trackOf(state, trackId);
  if (!track) return null;
  const line = lineOf(index, track);
  const at = track.steps.findIndex((step) => step.step === 'act' && line[step.plan]?.id === stepId);
  const act = track.steps[at];
  return act?.step === 'act' ? { track, at, act } : null;
}
