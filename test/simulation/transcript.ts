import { allFlying, isSettled, type RunEvent, type RunState, type Stamped, type Track } from '../../src/run/index.ts';
import { mishapWords, type Shape } from './shape.ts';

/** What happened in a run, for whoever has to understand why a promise was broken: the world, the last events, where it stands. */
export function transcript(
  {
    shape,
    events,
    state,
  }: { readonly shape: Shape; readonly events: readonly Stamped[]; readonly state: RunState | null },
  last = 60,
): string {
  const lines = events
    .slice(-last)
    .map(({ atMs, event }) => `${String(Math.round(atMs / 100) / 10).padStart(8)} ${told(event)}`);
  const skipped = events.length - lines.length;
  const tracks = (state?.tracks ?? []).map(
    (track) => `${track.id}: ${track.status}, step ${track.cursor}; ${unsettled(track)}`,
  );
  const outs = Object.entries(state?.out ?? {}).map(
    ([server, { step, fate, track, recovered }]) =>
      `${server} out at ${step}: ${fate}, track ${track}, recovered ${recovered}`,
  );
  const flying = allFlying(state?.flying ?? []).map(({ id }) => id);
  return [
    `runbook ${shape.runbook}, ${shape.servers} servers in ${shape.domains} domains, faults ${shape.faults}, commits ${shape.commitMs} ms`,
    `people ${shape.people ? 'as they are' : 'answer well'}, guards ${shape.guards ? 'flap' : 'are clear'}`,
    ...shape.freezes.map(({ title, fromMs, toMs }) => `freeze ${title}: ${fromMs / 1000} s to ${toMs / 1000} s`),
    ...(shape.opensAtMs === null ? [] : [`the window opens at ${shape.opensAtMs / 1000} s`]),
    ...(shape.closesAtMs === null ? [] : [`the window closes at ${shape.closesAtMs / 1000} s`]),
    ...(shape.mirror ? ['the journal has a mirror'] : []),
    ...shape.mishaps.map(mishapWords),
    ...(skipped > 0 ? [`... ${skipped} events before`] : []),
    ...lines,
    ...tracks,
    ...outs,
    ...(flying.length > 0 ? [`under way: ${flying.join(' ')}`] : []),
  ].join('\n');
}

function unsettled(track: Track): string {
  const current = track.steps[track.cursor];
  if (current?.step !== 'act') return current?.step ?? 'at its end';
  const open = current.waves.flatMap(({ targets }) =>
    Object.entries(targets).filter(([, target]) => !isSettled(target)),
  );
  return open
    .map(([server, { phase, failure }]) => `${server} ${phase}${failure ? ` (${failure.kind}: ${failure.what})` : ''}`)
    .join(', ');
}

function told(event: RunEvent): string {
  switch (event.type) {
    case 'intended':
      return `intended ${event.effect.id}`;
    case 'looked':
      return 'failure' in event.outcome
        ? `looked ${event.id}: ${event.outcome.failure.kind}`
        : `looked ${event.id}: ${event.outcome.verdict.verdict} ${JSON.stringify('change' in event.outcome.verdict ? event.outcome.verdict.change : '')} condition ${event.outcome.condition.holds} need ${event.outcome.need.holds}`;
    case 'performed':
    case 'confirmed':
      return `${event.type} ${event.id}${event.failure ? `: ${event.failure.kind}` : ''}`;
    default:
      return JSON.stringify(event).slice(0, 400);
  }
}
