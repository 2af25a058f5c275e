import { actStepOf, trackOf, type PlanIndex } from './lines.ts';
import type { RunState, TargetState, Track } from './state.ts';

/** Whether a server that fell out is out of the balancer: being taken out, out, or not, because that failed or nothing does it. */
export type Away = 'under way' | 'out' | 'not out';

/** Where a server that is out of the line stands with the balancer; null where the plan has nothing that takes it out. */
export function awayOf(state: RunState, index: PlanIndex, server: string): Away | null {
  const standings = tracksOf(state, index, server).flatMap((track) => standingIn(track, index, server) ?? []);
  if (standings.length === 0) return null;
  return standings.includes('out') ? 'out' : standings.includes('under way') ? 'under way' : 'not out';
}

/** Servers that the run took out of the balancer, or tried to, and did not bring back: they are kept out until they are proven. */
export function keptOut(state: RunState, index: PlanIndex): string[] {
  const servers = new Set(
    state.tracks.filter((track) => isForFallen(track, index)).flatMap((track) => [...track.servers]),
  );
  const kept = [...servers].filter(
    (server) => state.out[server]?.recovered !== true && awayOf(state, index, server) !== null,
  );
  if (kept.length === 0) return kept;
  const back = new Set(provenBack(state, index));
  return kept.filter((server) => !back.has(server)).toSorted();
}

/** How they come back, as it can be typed. */
export function rejoinCommand(servers: readonly string[], { plan }: PlanIndex): string {
  return `neap fleet rejoin ${servers.join(' ')} --fleet ${plan.header.fleet.path}`;
}

/** Servers that the run proved and gave traffic: the line went through for them, or a recovery did. */
export function provenBack(state: RunState, index: PlanIndex): string[] {
  const recovered = Object.entries(state.out).flatMap(([server, out]) => (out.recovered ? [server] : []));
  const main = trackOf(state, 'main');
  if (main?.status !== 'finished') return recovered;
  const given = main.steps.flatMap((act, at): string[] => {
    if (act.step !== 'act') return [];
    const step = actStepOf(index, main, at);
    if (step.nature !== 'restore' || step.releases !== null || !step.alters.includes('traffic')) return [];
    return act.waves.flatMap(({ targets }) =>
      Object.entries(targets).flatMap(([server, { phase }]) => (phase === 'done' ? [server] : [])),
    );
  });
  return [...new Set([...recovered, ...given.filter((server) => state.out[server] === undefined)])].toSorted();
}

/** Whether the line's own taking out of the balancer stays: whoever is quarantined comes back by being proven, not by going home. */
export function staysOut(state: RunState, index: PlanIndex, server: string, alters: readonly string[]): boolean {
  const by = new Set(index.plan.header.contingencies.flatMap(({ id, when }) => (when === 'out' ? [id] : [])));
  return (
    alters.includes('traffic') && tracksOf(state, index, server).some(({ contingency }) => by.has(contingency ?? ''))
  );
}

/** Whether somebody is being taken out right now: a gate's question waits for what becomes of it. */
export function isTakingOut(state: RunState, index: PlanIndex): boolean {
  return Object.keys(state.out).some((server) =>
    tracksOf(state, index, server).some((track) => {
      const first = track.steps[track.cursor];
      const target = first?.step === 'act' ? first.waves[0]?.targets[server] : undefined;
      const waits = target?.phase === 'held' && target.failure !== null;
      return first?.step === 'act' && standingIn(track, index, server) === 'under way' && !waits;
    }),
  );
}

/** The contingencies that have a server because of how it is: hung, or fallen out of the line. */
export function tracksOf(state: RunState, index: PlanIndex, server: string): Track[] {
  return state.tracks.filter((track) => track.servers.includes(server) && isForFallen(track, index));
}

function isForFallen({ kind, contingency }: Track, { plan }: PlanIndex): boolean {
  if (kind !== 'contingency') return false;
  return plan.header.contingencies.some(({ id, when }) => id === contingency && (when === 'hung' || when === 'out'));
}

/** A line first takes out of the balancer and last gives traffic, if it gives any. */
function standingIn(track: Track, index: PlanIndex, server: string): Away | null {
  const parts = track.steps.flatMap((act, at): TargetState[] => {
    if (act.step !== 'act' || !actStepOf(index, track, at).alters.includes('traffic')) return [];
    return act.waves.flatMap(({ targets }) => targets[server] ?? []);
  });
  const [first, ...others] = parts;
  if (!first) return null;
  if (others.some(({ phase }) => phase === 'done')) return null;
  if (first.phase === 'done') return 'out';
  const ended = first.phase === 'failed' || first.phase === 'unknown' || first.phase === 'left';
  return ended || track.status === 'stopped' ? 'not out' : 'under way';
}
