import type { Plan } from '../../model/index.ts';
import { actStepOf, clockTime, currentOf, mirrorStops, type Machine, type RunState } from '../../run/index.ts';

/** What of a run outlives the machine that it runs on. */
export function planMirrorLine({ mirror }: Plan['header']): string {
  return mirror === null
    ? 'Mirror: none. The journal would be lost with this machine (journal.mirror in neap.config.ts).'
    : `Mirror: ${mirror} gets every event; a reset of power, and what else has no way back, waits for it.`;
}

/** How the copy of the journal stands, and what waits for it. */
export function runMirrorLines(state: RunState, { index }: Machine): string[] {
  const { mirror } = index.plan.header;
  if (mirror === null || state.closed) return [];
  if (state.mirrorBehind === null) return [`Mirror ${mirror}: not behind.`];
  const waiting = state.tracks.flatMap((track) => {
    const act = currentOf(track);
    if (track.status !== 'running' || act?.step !== 'act') return [];
    const step = actStepOf(index, track, track.cursor);
    return mirrorStops(state, step, index).length > 0 ? [`"${step.title}"`] : [];
  });
  const { sinceMs, seen } = state.mirrorBehind;
  const waits =
    waiting.length === 0
      ? ''
      : ` ${waiting.join(' and ')} waits for it; to go on without: neap override ${state.run} mirror --reason "..."`;
  return [`Mirror: behind since ${clockTime(sinceMs)}, ${seen}.${waits}`];
}
