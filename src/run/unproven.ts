import type { ActStep } from '../model/index.ts';
import { awayOf, staysOut } from './away.ts';
import { actStepOf, type PlanIndex } from './lines.ts';
import type { RunState, TargetState, Track } from './state.ts';

/**
 * Servers whose state the run cannot vouch for: an undo that failed, a recovery that did not come through, an effect
 * that is unknown, and a change that was begun, failed or was cut short, and was not taken back.
 */
export function unprovenServers(state: RunState, index: PlanIndex): string[] {
  const stuck = new Set<string>();
  const backBy = new Map<string, Set<string>>();
  for (const { track, step, server, target } of everyTarget(state, index)) {
    if (track.kind === 'doubt') continue;
    if (track.kind !== 'main' && (target.phase === 'failed' || target.phase === 'unknown')) stuck.add(server);
    if (track.kind === 'home' && target.phase === 'done')
      backBy.set(server, (backBy.get(server) ?? new Set()).add(step.kind.name));
  }
  const ends = lastPhases(state, index);
  const served = new Set(
    everyTarget(state, index).flatMap(({ step, server, target }) =>
      step.nature === 'restore' && step.alters.includes('traffic') && target.phase === 'done' ? [server] : [],
    ),
  );
  for (const { track, step, server, target } of everyTarget(state, index)) {
    if (track.kind !== 'main' || !target.dirty || step.leavesNothing) continue;
    // Where the balancer was all that it touched, being proven out of it says how it stands.
    if (step.alters.every((aspect) => aspect === 'traffic') && awayOf(state, index, server) === 'out') continue;
    // What a step gave or mended, and no later step could complete: the line ended before, or the server fell out of it.
    const midway =
      step.nature === 'restore' &&
      step.releases === null &&
      step.undoes === null &&
      ends.get(server) !== 'done' &&
      (track.status !== 'finished' || state.out[server] !== undefined);
    // Its way back was left to a quarantine, and that was refused or failed: it is neither in service nor kept out.
    const withheld =
      step.nature === 'risk' &&
      staysOut(state, index, server, step.alters) &&
      awayOf(state, index, server) === 'not out' &&
      !served.has(server);
    if (
      (target.phase === 'failed' || midway || withheld) &&
      !backBy.get(server)?.has(step.kind.name) &&
      state.out[server]?.recovered !== true
    )
      stuck.add(server);
  }
  const takes = index.plan.header.steps.some((step) => step.step === 'act' && step.nature === 'risk');
  for (const [server, out] of Object.entries(state.out)) {
    const given = out.fate === 'hung' && !out.recovered;
    const doubtful = out.fate === 'unknown' && !backBy.has(server);
    // Where the line is there to bring servers back, one that it could not bring back is not merely left out.
    const missed = !takes && !out.recovered;
    // A way back that could not be gone to its end.
    const halfBack = index.plan.header.rollbackOf !== null && out.fate !== 'drifted' && !out.recovered;
    if (given || doubtful || missed || halfBack) stuck.add(server);
  }
  return [...stuck].toSorted();
}

/** How each server stands in the last step of the main line that it has a part in. */
function lastPhases(state: RunState, index: PlanIndex): ReadonlyMap<string, TargetState['phase']> {
  return new Map(
    everyTarget(state, index).flatMap(({ track, server, target }) =>
      track.kind === 'main' ? [[server, target.phase] as const] : [],
    ),
  );
}

interface Part {
  readonly track: Track;
  readonly step: ActStep;
  readonly server: string;
  readonly target: TargetState;
}

/** Every server's part in every step of every track. */
export function everyTarget(state: RunState, index: PlanIndex): Part[] {
  return state.tracks.flatMap((track) =>
    track.steps.flatMap((act, at) => {
      if (act.step !== 'act') return [];
      const step = actStepOf(index, track, at);
      return act.waves.flatMap(({ targets }) =>
        Object.entries(targets).map(([server, target]): Part => ({ track, step, server, target })),
      );
    }),
  );
}
