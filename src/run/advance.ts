import type { ActStep, Failure, PlanStep } from '../model/index.ts';
import { settledDoubt, wordTaken } from './doubt.ts';
import { firstFatal } from './fatal.ts';
import { isWaveSettled } from './lane.ts';
import { actStepOf, currentOf, lineOf, trackOf, withStep, withTrack, type PlanIndex } from './lines.ts';
import { rehearsedFuse } from './rehearsed-fuse.ts';
import {
  isFlying,
  isSettled,
  type ActState,
  type Fuse,
  type GateState,
  type RunState,
  type StepState,
  type TargetState,
  type Track,
  type WaveState,
} from './state.ts';

/** Moves one track on over everything that has ended: waves, steps, the track itself. */
export function settleTrack(state: RunState, id: string, index: PlanIndex): RunState {
  let settled = state;
  for (;;) {
    const track = trackOf(settled, id);
    if (!track || track.status === 'finished' || track.status === 'stopped') return settled;
    const moved = moveOn(settled, track, index);
    if (moved === null) return settled;
    settled = moved;
  }
}

function moveOn(state: RunState, track: Track, index: PlanIndex): RunState | null {
  const current = currentOf(track);
  if (track.kind === 'doubt') return moveDoubt(state, track, current, index);
  if (track.status === 'draining') return drained(track) ? withTrack(state, { ...track, status: 'stopped' }) : null;
  if (!current)
    return withTrack(
      { ...state, out: recovers(track, index) ? recovered(state, track) : state.out },
      { ...track, status: 'finished' },
    );
  switch (current.step) {
    case 'gate':
      if (current.phase === 'refused' && track.kind === 'home')
        return withTrack(state, { ...leftAsItIs(track, current), cursor: track.cursor + 1 });
      if (current.phase === 'refused') return withTrack(state, { ...track, status: 'stopped' });
      return current.phase === 'passed' ? withTrack(state, { ...track, cursor: track.cursor + 1 }) : null;
    case 'rejoin':
      return fleetIsBack(state) ? withTrack(state, { ...track, cursor: track.cursor + 1 }) : null;
    case 'act':
      return moveAct(state, track, current, index);
  }
}

function moveDoubt(state: RunState, track: Track, current: StepState | undefined, index: PlanIndex): RunState | null {
  if (current?.step === 'gate' && current.phase === 'refused') return withTrack(state, { ...track, status: 'stopped' });
  if (current?.step === 'gate' && current.phase === 'passed') return wordTaken(state, track, index);
  const isProven = current?.step === 'act' && current.waves.every(isWaveSettled);
  return isProven ? settledDoubt(state, track, index) : null;
}

/** A person said no to taking the next step back: its servers stay as they are, and the way home goes on beside them. */
function leftAsItIs(track: Track, { answer }: GateState): Track {
  const next = track.steps[track.cursor + 1];
  if (next?.step !== 'act') return track;
  const failure = (server: string): Failure => ({
    kind: 'condition',
    what: `${answer?.by ?? 'somebody'} said no to taking it back`,
    where: server,
    state: 'It was left as it is',
    remedy: 'Take it back later: neap rollback',
  });
  const waves = next.waves.map(({ targets }) => ({
    targets: Object.fromEntries(
      Object.entries(targets).map(([server, target]) => [
        server,
        { ...target, phase: 'left' as const, failure: failure(server) },
      ]),
    ),
  }));
  return withStep(track, track.cursor + 1, { ...next, waves });
}

/** The main line came to its end, or home. */
function fleetIsBack(state: RunState): boolean {
  const main = trackOf(state, 'main');
  if (main?.status === 'finished')
    return state.tracks.every((track) => track.kind !== 'home' || track.status === 'finished');
  return (
    main?.status === 'stopped' && state.tracks.some((track) => track.kind === 'home' && track.status === 'finished')
  );
}

function moveAct(state: RunState, track: Track, act: ActState, index: PlanIndex): RunState | null {
  const behind = act.behind.filter((at) => !isSettledAt(act, at));
  if (behind.length < act.behind.length) return withTrack(state, withStep(track, track.cursor, { ...act, behind }));
  const wave = act.waves[act.wave];
  if (!wave) return behind.length === 0 ? endStep(state, track, act, index) : null;
  const primed = primeRelease(track, act, index);
  if (primed) return withTrack(state, withStep(track, track.cursor, primed));
  const gone = Object.entries(wave.targets).filter(
    ([server, target]) => target.phase === 'waiting' && isOut(state, track, server),
  );
  if (gone.length > 0) {
    const targets = {
      ...wave.targets,
      ...Object.fromEntries(gone.map(([server, target]) => [server, { ...target, phase: 'left' as const }])),
    };
    return withTrack(state, withStep(track, track.cursor, { ...act, waves: act.waves.with(act.wave, { targets }) }));
  }
  if (isWaveSettled(wave)) return withTrack(state, withStep(track, track.cursor, { ...act, wave: act.wave + 1 }));
  return isPassable(actStepOf(index, track, track.cursor), act, wave)
    ? withTrack(state, withStep(track, track.cursor, { ...act, wave: act.wave + 1, behind: [...behind, act.wave] }))
    : null;
}

/**
 * Where something is given back, who waits for a need is passed by; and where slots set the pace, everybody who has begun:
 * a wave's slowest keeps nobody from a slot. Nobody passes a canary.
 */
function isPassable(step: ActStep, act: ActState, { targets }: WaveState): boolean {
  if (!givesBack(step, act) || (act.wave === 0 && step.slots?.canary != null)) return false;
  const bySlots = step.slots !== undefined && !step.slots.keepsWaves && act.does === 'perform';
  return Object.values(targets).every(
    (target) => isSettled(target) || target.phase === 'held' || (bySlots && target.phase !== 'waiting'),
  );
}

function isSettledAt(act: ActState, at: number): boolean {
  const wave = act.waves[at];
  return wave === undefined || isWaveSettled(wave);
}

/** Undoing, and restoring: neither budget nor somebody else's unmet need holds it up. */
export function givesBack(step: ActStep, act: ActState): boolean {
  if (step.undoes !== null) return act.does === 'perform' || step.nature === 'restore';
  return act.does === 'undo' || step.nature === 'restore';
}

/** A hold's release takes back what the hold did, server by server; who never held has nothing to release. */
function primeRelease(track: Track, act: ActState, index: PlanIndex): ActState | null {
  const release = lineOf(index, track)[act.plan];
  if (act.does !== 'undo' || track.kind === 'home' || release?.step !== 'act' || release.releases === null) return null;
  if (
    !act.waves.some(({ targets }) =>
      Object.values(targets).some((target) => target.phase === 'waiting' && !target.decided),
    )
  )
    return null;
  const line = lineOf(index, track);
  const hold = track.steps.find((step) => line[step.plan]?.id === release.releases);
  const held = new Map(hold?.step === 'act' ? hold.waves.flatMap(({ targets }) => Object.entries(targets)) : []);
  const prime = (server: string, target: TargetState): TargetState => {
    const { dirty, change } = held.get(server) ?? { dirty: false, change: null };
    return dirty ? { ...target, change, decided: true } : { ...target, phase: 'left', decided: true };
  };
  const waves = act.waves.map(({ targets }) => ({
    targets: Object.fromEntries(Object.entries(targets).map(([server, target]) => [server, prime(server, target)])),
  }));
  return { ...act, waves };
}

function endStep(state: RunState, track: Track, act: ActState, index: PlanIndex): RunState {
  const step = lineOf(index, track)[act.plan];
  const main = track.kind === 'main';
  const counts = main && countsForFuse(lineOf(index, track), act.plan);
  const fuse = counts ? earlierOf(fuseOf(act), rehearsedFuse(state, index)) : null;
  // Load is back and the dependency answers: nothing burns any more.
  const puttingBack =
    step?.step === 'act' &&
    (main ? fuse === null && step.needs.length > 0 : act.does === 'undo' && step.undoNeeds.length > 0);
  const ended = withStep(track, track.cursor, { ...act, endedAtMs: state.nowMs });
  return withTrack(
    { ...state, fuse: puttingBack ? null : (fuse ?? state.fuse) },
    { ...ended, cursor: track.cursor + 1 },
  );
}

/** Whoever is only taken out of the way is not back. */
function recovers({ contingency }: Track, { plan }: PlanIndex): boolean {
  return plan.header.contingencies.some(({ id, when }) => id === contingency && when !== 'out');
}

/** Whoever came through a contingency's whole line is back. */
function recovered(state: RunState, track: Track): RunState['out'] {
  const out = { ...state.out };
  for (const server of track.servers) {
    const was = out[server];
    // Whoever fell out while the contingency was under way has another one.
    if (was?.track === track.id && !isOut(state, track, server)) out[server] = { ...was, recovered: true };
  }
  return out;
}

/** Whether a server takes no further part in a track. */
function isOut(state: RunState, track: Track, server: string): boolean {
  if (track.kind === 'main') return state.out[server] !== undefined;
  return track.steps.some(
    (step) =>
      step.step === 'act' &&
      step.waves.some(({ targets }) => targets[server]?.phase === 'failed' || targets[server]?.phase === 'unknown'),
  );
}

function drained(track: Track): boolean {
  const current = currentOf(track);
  if (current?.step !== 'act') return true;
  return current.waves.every(({ targets }) =>
    Object.values(targets).every((target) => isSettled(target) || !(isFlying(target) || inBetween(target))),
  );
}

/** Something began on it and its end is not known yet. Behind a broken path that can take long, and the way home looks at it too. */
function inBetween(target: TargetState): boolean {
  return target.phase === 'acted' || (target.phase === 'doubt' && target.failure?.kind !== 'path');
}

/** Only what is read from the last refresh before a gate that shows the fuse on: earlier caches are refreshed once more. */
function countsForFuse(line: readonly PlanStep[], position: number): boolean {
  return line.some(
    (gate, at) =>
      at > position &&
      gate.step === 'gate' &&
      gate.fuse !== null &&
      line.findIndex((step) => step.id === gate.renewFrom) <= position,
  );
}

/** The first fatal expiry among the readings of a step, if it read clocks at all. */
function fuseOf(act: ActState): Fuse | null {
  let first: Fuse | null = null;
  for (const { targets } of act.waves) {
    for (const [server, target] of Object.entries(targets)) {
      const own = firstFatal(target);
      if (own !== null && (first === null || own.expiresAtMs < first.expiresAtMs))
        first = { server, clock: own.clock, expiresAtMs: own.expiresAtMs };
    }
  }
  return first;
}

function earlierOf(one: Fuse | null, other: Fuse | null): Fuse | null {
  if (one === null || other === null) return one ?? other;
  return one.expiresAtMs <= other.expiresAtMs ? one : other;
}
