import type { ActStep } from '../model/index.ts';
import { actStepOf, lineOf, type PlanIndex } from './lines.ts';
import { summonedOf } from './recoveries.ts';
import type { RunState, TargetState, Track } from './state.ts';
import { nameServers } from './words.ts';

/** One server's part in a step of a track. */
interface Part {
  readonly track: Track;
  readonly at: number;
  readonly step: ActStep;
  readonly server: string;
  readonly target: TargetState;
}

/** What a contingency that a guard or a person armed took from servers, and nothing has given back since. */
export function keptBySummoned(
  state: RunState,
  index: PlanIndex,
): { track: string; title: string; servers: string[] }[] {
  return state.tracks.flatMap((track) => {
    const contingency = summonedOf(track, index);
    if (!contingency) return [];
    const kept = partsOf(track, index).filter(
      (part) => part.step.takes === true && part.target.dirty && !isGivenBack(state, index, part),
    );
    const servers = [...new Set(kept.map(({ server }) => server))].toSorted();
    return servers.length > 0 ? [{ track: track.id, title: contingency.title, servers }] : [];
  });
}

/** For a summary: which contingencies were done on whom, and what of it is in place. */
export function summonedWords(state: RunState, index: PlanIndex): string[] {
  const done = state.tracks.flatMap((track) => {
    const contingency = summonedOf(track, index);
    if (!contingency) return [];
    const through = track.status === 'finished' ? 'was done' : 'was begun and not brought to its end';
    return [`Contingency ${track.id} "${contingency.title}" ${through} on ${nameServers(track.servers)}.`];
  });
  const kept = keptBySummoned(state, index).map(
    ({ track, servers }) => `What ${track} took stays taken on ${nameServers(servers)}.`,
  );
  return [...done, ...kept];
}

/** Whether a later step of such a contingency, proven on this server, gave back what was taken there at `takenAtMs`. */
export function givenBackBySummoned(
  state: RunState,
  index: PlanIndex,
  {
    server,
    alters,
    takenAtMs,
  }: { readonly server: string; readonly alters: readonly string[]; readonly takenAtMs: number },
): boolean {
  return state.tracks
    .filter((track) => summonedOf(track, index) !== null)
    .some((track) => partsOf(track, index).some((part) => gives(part, server, alters) && doneAtMs(part) >= takenAtMs));
}

/** Whether such a contingency changed what this step is about: what the plan foretold of it no longer holds for that server. */
export function isAlteredBySummoned(
  state: RunState,
  index: PlanIndex,
  server: string,
  alters: readonly string[],
): boolean {
  return state.tracks.some(
    (track) =>
      track.servers.includes(server) &&
      summonedOf(track, index) !== null &&
      partsOf(track, index).some(
        (part) => part.server === server && part.target.dirty && part.step.alters.some((each) => alters.includes(each)),
      ),
  );
}

/** By a later step of its own contingency, or by any other track since. */
function isGivenBack(state: RunState, index: PlanIndex, taken: Part): boolean {
  return state.tracks.some((track) =>
    partsOf(track, index).some(
      (part) =>
        gives(part, taken.server, taken.step.alters) &&
        (track.id === taken.track.id ? part.at > taken.at : doneAtMs(part) >= (taken.target.sinceMs ?? 0)),
    ),
  );
}

function gives({ step, server, target }: Part, wanted: string, alters: readonly string[]): boolean {
  const restores = step.nature === 'restore' && step.takes !== true;
  return restores && server === wanted && target.phase === 'done' && step.alters.some((each) => alters.includes(each));
}

/** One that had nothing to do was looked at while its track was under way. */
function doneAtMs({ track, target }: Part): number {
  return target.sinceMs ?? track.armedAtMs ?? 0;
}

function partsOf(track: Track, index: PlanIndex): Part[] {
  if (track.kind === 'home') return [];
  return track.steps.flatMap((act, at): Part[] => {
    if (act.step !== 'act' || lineOf(index, track)[act.plan]?.step !== 'act') return [];
    const step = actStepOf(index, track, at);
    return act.waves.flatMap(({ targets }) =>
      Object.entries(targets).map(([server, target]) => ({ track, at, step, server, target })),
    );
  });
}
