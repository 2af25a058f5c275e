import type { Contingency } from '../model/index.ts';
import type { RunEvent } from './events.ts';
import { currentOf, lineOf, trackOf, type PlanIndex } from './lines.ts';
import type { RunState, Track, Turn } from './state.ts';
import type { Stop } from './stops.ts';
import { trippedOf } from './standings.ts';

type Armed = Extract<RunEvent, { type: 'armed' }>;

/** How often a guard may arm its contingency in one run: what did not help thrice is for people. */
const ARMED_MAX = 3;

/** Whether a contingency is one that a guard or a person arms for servers of the line, and not for those that fell out of it. */
export function isSummoned({ when }: Contingency): boolean {
  return when === 'hand' || typeof when === 'object';
}

/** The contingency that a track goes along, if it is one that a guard or a person armed. */
export function summonedOf({ contingency }: Track, { plan }: PlanIndex): Contingency | null {
  return plan.header.contingencies.find((each) => each.id === contingency && isSummoned(each)) ?? null;
}

/** A guard's positive reading arms the contingency declared for it, once each time that it trips; not on the way home. */
export function armedByGuard(state: RunState, index: PlanIndex): Armed | null {
  if (state.mode === 'home') return null;
  for (const guard of index.plan.header.guards) {
    const { onTrip } = guard;
    const stands = state.guards[guard.id];
    if (typeof onTrip !== 'object' || !stands || trippedOf(state, [guard]) === null) continue;
    const contingency = index.plan.header.contingencies.find(({ id }) => id === onTrip.contingency);
    if (!contingency || isUnderWay(state, contingency)) continue;
    const earlier = tracksOf(state, contingency);
    const { onsetAtMs } = stands;
    const served = earlier.some((track) => track.onsetAtMs === onsetAtMs || (track.armedAtMs ?? 0) >= onsetAtMs);
    const servers = served || earlier.length >= ARMED_MAX ? [] : freeServers(state, index, contingency);
    if (servers.length > 0) return { ...armedFor(state, contingency, servers), guard: guard.id };
  }
  return null;
}

/** Arms a contingency by a person's word, for the servers of its group that are in the line, or for those named; or says why not. */
export function armByHand(
  state: RunState,
  index: PlanIndex,
  {
    contingency: wanted,
    only,
    by,
    reason,
  }: { contingency: string; only: readonly string[] | null; by: string; reason: string },
): Armed | string {
  const { contingencies } = index.plan.header;
  const found = contingencies.find(({ id, title }) => id === wanted || title === wanted);
  if (!found) {
    const known = contingencies.filter(isSummoned).map(({ id, title }) => `${id} "${title}"`);
    return `the plan has no contingency ${wanted}${known.length > 0 ? `; by hand there is ${known.join(', ')}` : ', and none that is armed by hand'}`;
  }
  const name = `contingency ${found.id} "${found.title}"`;
  if (!isSummoned(found)) return `${name} is armed by neap itself, for servers that fall out of the line`;
  const running = tracksOf(state, found).find(({ status }) => status === 'running' || status === 'draining');
  if (running) return `${name} is armed already and under way`;
  const trouble = only === null ? null : troubleWith(state, index, found, only);
  if (trouble !== null) return trouble;
  const servers = only === null ? freeServers(state, index, found) : [...new Set(only)].toSorted();
  if (servers.length === 0)
    return `${name} has nobody to be armed for: no server of group ${found.group} is in the line`;
  return { ...armedFor(state, found, servers), by, reason };
}

function troubleWith(
  state: RunState,
  index: PlanIndex,
  { id, group }: Contingency,
  only: readonly string[],
): string | null {
  const own = groupServers(index, group);
  if (only.length === 0) return 'no server is named';
  const stranger = only.find((server) => !own.includes(server));
  if (stranger !== undefined) return `${stranger} is no server of group ${group} in this plan`;
  const taken = only.find((server) => holderOf(state, server) !== null);
  return taken === undefined
    ? null
    : `contingency ${holderOf(state, taken)} has ${taken} already; ${id} can have it when that is through`;
}

function armedFor(state: RunState, { id }: Contingency, servers: readonly string[]): Armed {
  const before = state.tracks.filter((track) => track.contingency === id).length;
  return { type: 'armed', contingency: id, track: before === 0 ? id : `${id}-${before + 1}`, servers, suspect: false };
}

/** Whoever is in the line, and no other contingency has. */
function freeServers(state: RunState, index: PlanIndex, { group }: Contingency): string[] {
  return groupServers(index, group).filter((server) => !state.out[server] && holderOf(state, server) === null);
}

function groupServers({ plan }: PlanIndex, group: string): string[] {
  return plan.slices.flatMap(({ servers }) => servers.filter((each) => each.group === group).map(({ name }) => name));
}

/** The contingency under way that has this server. */
function holderOf(state: RunState, server: string): string | null {
  const track = state.tracks.find(
    ({ kind, status, servers }) =>
      kind === 'contingency' && (status === 'running' || status === 'draining') && servers.includes(server),
  );
  return track?.id ?? null;
}

function tracksOf(state: RunState, { id }: Contingency): readonly Track[] {
  return state.tracks.filter((track) => track.contingency === id);
}

function isUnderWay(state: RunState, contingency: Contingency): boolean {
  return tracksOf(state, contingency).some(({ status }) => status === 'running' || status === 'draining');
}

/** Until a contingency of this sort is through, the main line takes nothing. */
export function contingencyStops(state: RunState, index: PlanIndex): Stop[] {
  return underWay(state, index).map(({ track, contingency: { title } }) => ({
    key: `contingency/${track.id}`,
    why: `contingency ${track.id} "${title}" is under way`,
  }));
}

/** What the plan does when such a contingency is through: goes on, goes home, or ends where it stands. */
export function contingencyTurn(state: RunState, index: PlanIndex): Turn | null {
  if (underWay(state, index).length > 0) return null;
  for (const track of state.tracks) {
    const contingency = summonedOf(track, index);
    if (!contingency || track.status !== 'finished' || contingency.afterwards === 'return') continue;
    const through = `contingency ${track.id} "${contingency.title}" is through`;
    if (contingency.afterwards === 'home')
      return { code: 'contingency', why: `${through}, and the way home comes after it` };
    const main = trackOf(state, 'main');
    const at = main && lineOf(index, main)[main.cursor]?.id;
    return {
      code: 'contingency',
      why: `${through}, and the run ends after it`,
      // Everything begun so far stays as it is; what is held is let go of all the same.
      ...(at === undefined ? {} : { to: at }),
    };
  }
  return null;
}

/** The way home lets a contingency do what it is at; one that waits for people or for the fleet keeps nobody from coming home. */
export function homeWaits(state: RunState, index: PlanIndex): boolean {
  return underWay(state, index).some(({ track }) => currentOf(track)?.step === 'act');
}

function underWay(state: RunState, index: PlanIndex): { readonly track: Track; readonly contingency: Contingency }[] {
  return state.tracks.flatMap((track) => {
    const contingency = track.status === 'running' || track.status === 'draining' ? summonedOf(track, index) : null;
    return contingency ? [{ track, contingency }] : [];
  });
}
