import { leastServing } from '../herd/index.ts';
import type { ActStep, LoadOfStep } from '../model/index.ts';
import { activeIn } from './lane.ts';
import { currentOf, actStepOf, trackOf, type PlanIndex } from './lines.ts';
import type { Page } from './pages.ts';
import type { ActState, RunState, Track } from './state.ts';

/** Who serves now as far as the run knows, how few may, and what each gets then. */
export interface Serving {
  readonly now: number;
  readonly least: number;
  /** Requests a second on each of `least`: the most that the plan shows. */
  readonly shownPerSecond: number;
}

/**
 * How many more servers may leave service now, so that nobody who serves gets more than the plan shows: whoever fell out
 * of the run since serves no longer, as far as anybody knows. Only ever fewer than planned. Infinity: nothing bounds it.
 */
export function mayLeave(state: RunState, step: ActStep, index: PlanIndex): number {
  const serving = servingOf(state, step, index);
  return serving === null ? Infinity : serving.now - serving.least;
}

/** Who serves while a step takes servers out of service; null: it takes none, or nothing that is known of bounds it. */
export function servingOf(state: RunState, step: ActStep, index: PlanIndex): Serving | null {
  const load = step.serving?.load;
  const track = trackOf(state, 'main');
  const act = track && currentOf(track);
  if (!load || !track || act?.step !== 'act' || !takesAway(step, load)) return null;
  if (actStepOf(index, track, track.cursor).id !== step.id) return null;
  // The balancer itself sends nobody more than that.
  if (load.limitPerSecond !== null) return null;
  const shownPerSecond = Math.max(0, ...load.waves.map(({ perSecond }) => perSecond));
  const least = leastServing(load.trafficPerSecond, shownPerSecond);
  // Down to the last one, and without him the balancer answers by itself.
  if (shownPerSecond <= 0 || least <= 1) return null;
  const restarts = step.serving?.does === 'restarts';
  const before = restarts || act.wave === 0 ? load.serving : (load.waves[act.wave - 1]?.serving ?? load.serving);
  const gone = restarts ? activeOf(act) : goneOf(state, act, index);
  return { now: before - missing(state, track, load.group, index) - gone, least, shownPerSecond };
}

/** Nobody more may leave, though some wait to: people are told, for nothing but them changes that. */
export function loadPages(state: RunState, index: PlanIndex): Page[] {
  const track = trackOf(state, 'main');
  const act = track && currentOf(track);
  if (!track || act?.step !== 'act' || track.status !== 'running' || state.mode === 'home') return [];
  const why = loadStop(state, actStepOf(index, track, track.cursor), index);
  if (why === null) return [];
  return [
    {
      key: `load/${track.cursor}.${act.wave}`,
      text: `Run ${state.run} takes nobody more out of service: ${why}. Bring servers back that fell out (neap fleet rejoin), or end the run: neap abort ${state.run} --reason WHY. See: neap status ${state.run}`,
    },
  ];
}

/** Why nobody more of this step may leave service; null: somebody may, or is on the way. */
export function loadStop(state: RunState, step: ActStep, index: PlanIndex): string | null {
  const serving = servingOf(state, step, index);
  const track = trackOf(state, 'main');
  const act = track && currentOf(track);
  if (serving === null || act?.step !== 'act' || serving.now > serving.least || activeOf(act) > 0) return null;
  const waits = Object.values(act.waves[act.wave]?.targets ?? {}).some(({ phase }) => phase === 'waiting');
  if (!waits) return null;
  return `only ${serving.now} still serve, and with one fewer each would get more than the ${Math.round(serving.shownPerSecond)} requests/s that the plan shows`;
}

function takesAway({ serving }: ActStep, { offline }: LoadOfStep): boolean {
  switch (serving?.does) {
    case 'leaves-traffic':
    case 'restarts':
      return true;
    case 'goes-offline':
      return offline === 'leaves';
    default:
      return false;
  }
}

/** Of the present wave: who has been begun with, whatever became of it, and who fell out before. */
function goneOf(state: RunState, act: ActState, index: PlanIndex): number {
  return Object.entries(act.waves[act.wave]?.targets ?? {}).filter(
    ([server, { phase }]) => (phase !== 'waiting' || state.out[server] !== undefined) && !isHungInPlan(server, index),
  ).length;
}

/** Whom the plan found hung or out of reach it never counted on. */
function isHungInPlan(server: string, index: PlanIndex): boolean {
  return index.plan.header.steps.some(({ id }) =>
    ['contingency', 'failed'].includes(index.verdict(id, server).verdict),
  );
}

function activeOf(act: ActState): number {
  const wave = act.waves[act.wave];
  return wave ? activeIn(wave) : 0;
}

/** Servers that the plan counts on at this point, and that fell out of the run. */
function missing(state: RunState, track: Track, group: string, index: PlanIndex): number {
  return Object.keys(state.out).filter((server) => isCountedOn(server, track, group, index)).length;
}

/** Whether the plan takes a server for one that serves now: it did at first, and no step so far took it out. */
function isCountedOn(server: string, track: Track, group: string, index: PlanIndex): boolean {
  if (isHungInPlan(server, index)) return false;
  let counted = index.groupOf(server) === group;
  const act = currentOf(track);
  for (const [at, step] of index.plan.header.steps.entries()) {
    if (at > track.cursor) break;
    if (step.step !== 'act') continue;
    const wave = index.waveOf(step.id, server);
    if (wave === undefined || (at === track.cursor && act?.step === 'act' && wave > act.wave)) continue;
    const load = step.serving?.load;
    if (!load) continue;
    if (step.serving?.does === 'takes-traffic' || step.serving?.does === 'comes-online') counted = true;
    else if (step.serving?.does !== 'restarts' && takesAway(step, load)) counted = false;
  }
  return counted;
}
