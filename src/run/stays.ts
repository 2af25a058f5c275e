import type { ActStep } from '../model/index.ts';
import { givenBackBySummoned } from './given-back.ts';
import { lineOf, trackOf, type PlanIndex } from './lines.ts';
import type { RunState, TargetState } from './state.ts';
import { nameServers } from './words.ts';

/** One step's doing that a run which went home leaves in place, and on whom. */
export interface Stays {
  readonly id: string;
  readonly title: string;
  readonly servers: readonly string[];
}

/**
 * What a run that went home leaves in place because it was asked to (`--to`, or "no" to taking a step back). For a way
 * back that was itself taken home: what it had given back already, which is not taken again.
 */
export function staysOf(state: RunState, index: PlanIndex): Stays[] {
  const main = trackOf(state, 'main');
  if (!main) return [];
  const { rollbackOf } = index.plan.header;
  const line = lineOf(index, main);
  const to = line.findIndex(({ id }) => id === state.homeWhy?.to);
  return line.flatMap((step, at): Stays[] => {
    const act = main.steps[at];
    if (step.step !== 'act' || act?.step !== 'act' || step.irreversible !== null || step.leavesNothing) return [];
    if (step.releases !== null || step.releasedBy !== null) return [];
    if (rollbackOf === null ? step.nature !== 'risk' : step.nature === 'risk') return [];
    if (rollbackOf === null && at > to) return refused(state, at, step);
    if (state.mode !== 'home') return [];
    const back = new Set(atHome(state, at, ({ phase }) => phase === 'done'));
    const isGivenBack = (server: string, takenAtMs: number): boolean =>
      givenBackBySummoned(state, index, { server, alters: step.alters, takenAtMs });
    const servers = act.waves.flatMap(({ targets }) =>
      Object.entries(targets).flatMap(([server, target]) =>
        target.dirty && !back.has(server) && !isGivenBack(server, target.sinceMs ?? 0) ? [server] : [],
      ),
    );
    return servers.length > 0 ? [{ id: step.id, title: step.title, servers }] : [];
  });
}

/** Whom a person said no for. */
function refused(state: RunState, at: number, { id, title }: ActStep): Stays[] {
  const servers = atHome(state, at, ({ phase, failure }) => phase === 'left' && failure !== null);
  return servers.length > 0 ? [{ id, title, servers }] : [];
}

/** Servers whose part of a step stands so on the way home. */
function atHome(state: RunState, at: number, stands: (target: TargetState) => boolean): string[] {
  return state.tracks.flatMap((track) =>
    track.steps.flatMap((act) => {
      if (track.kind !== 'home' || act.step !== 'act' || act.plan !== at) return [];
      return act.waves.flatMap(({ targets }) =>
        Object.entries(targets).flatMap(([server, target]) => (stands(target) ? [server] : [])),
      );
    }),
  );
}

/** For a summary: nothing where nothing stays. */
export function staysWords(state: RunState, index: PlanIndex): string[] {
  const stays = staysOf(state, index);
  if (stays.length === 0) return [];
  const named = stays.map(({ id, title, servers }) => `step ${id} "${title}" on ${nameServers(servers)}`).join('; ');
  if (index.plan.header.rollbackOf !== null) return [`Given back before, and left so: ${named}.`];
  return [`In place, as was asked: ${named}. Take that back too: neap rollback ${state.run}.`];
}

/** Why a run under way cannot be taken back to behind that step; null when it can. */
export function refusesTo(state: RunState, index: PlanIndex, to: string): string | null {
  const main = trackOf(state, 'main');
  const line = main ? lineOf(index, main) : [];
  const at = line.findIndex(({ id }) => id === to);
  if (state.mode === 'home') return 'it is on its way home already: what that takes back was said when it turned';
  if (at < 0) return `the main line has no step ${to}; it has ${line.map(({ id }) => id).join(', ')}`;
  const stands = main && line[main.cursor]?.id;
  if (main && at > main.cursor) return `step ${to} has not begun: the run is at step ${stands ?? 'none'}`;
  return null;
}
