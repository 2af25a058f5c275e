import type { ActStep, Finding, LoadFacts, LoadOfStep, Serving, ServingJudge } from '../model/index.ts';
import { percentOf } from './fuse-words.ts';
import { ratioOf } from './serving-words.ts';
import { isAbove, leastServing, loadOnEach, mostAway, shareAtTheEdge } from './serving.ts';

/** How many of a step may restart at once, so that the others bear the traffic; null: as many as it likes. */
export const restartsAllowed: ServingJudge['restartsAllowed'] = (trafficPerSecond, serving, balancer) => {
  const { serverCapacityPerSecond: capacity, limitPerSecond } = balancer;
  if (capacity === undefined || (limitPerSecond !== undefined && limitPerSecond <= capacity)) return null;
  return mostAway(trafficPerSecond, serving, capacity);
};

/** What the waves of a step put on each of those who serve, at the worst moment of each and in both directions. */
export function loadOf({ does, group, trafficPerSecond, balancer, trace, resizedFrom }: LoadFacts): LoadOfStep | null {
  const moves = trace.some(({ before, after, restarting }) => before !== after || restarting > 0);
  const { offline, returnSurge, limitPerSecond = null, serverCapacityPerSecond } = balancer;
  if (!counts(does) || (!moves && trace.length === 0)) return null;
  const surged = trafficPerSecond * returnSurge;
  // They come and go one after the other: the last who leaves, and the first who is back, stands alone.
  const on = (perSecond: number, serving: number): { readonly each: number; readonly edge: number } => ({
    each: loadOnEach(perSecond, serving, limitPerSecond),
    edge: shareAtTheEdge(perSecond, serving, limitPerSecond),
  });
  const waves = trace.map(({ before, after, restarting }) => {
    if (does === 'restarts') {
      const there = on(trafficPerSecond, Math.max(1, before - restarting));
      return {
        serving: Math.max(0, before - restarting),
        perSecond: there.each,
        homePerSecond: null,
        edgeShare: there.edge,
      };
    }
    if (does === 'frees-admission') {
      const freed = on(surged, before);
      return { serving: before, perSecond: freed.each, homePerSecond: null, edgeShare: freed.edge };
    }
    const others = Math.min(before, after);
    const back = on(surged, Math.max(1, before === after ? others : others + 1));
    if (comes(does)) return { serving: after, perSecond: back.each, homePerSecond: null, edgeShare: back.edge };
    const there = on(trafficPerSecond, Math.max(1, after));
    return {
      serving: after,
      perSecond: there.each,
      homePerSecond: back.each,
      edgeShare: Math.max(there.edge, back.edge),
    };
  });
  return {
    group,
    offline,
    trafficPerSecond,
    returnSurge,
    capacityPerSecond: serverCapacityPerSecond ?? null,
    limitPerSecond,
    serving: trace[0]?.before ?? 0,
    waves,
    peakPerSecond: Math.max(0, ...waves.map(({ perSecond, homePerSecond }) => Math.max(perSecond, homePerSecond ?? 0))),
    resizedFrom,
  };
}

/** Refuses a step whose load nobody bears, with what would mend it. */
export function loadFindings({ step, does, holdsAt }: LoadFacts, load: LoadOfStep): Finding[] {
  const { capacityPerSecond, group, peakPerSecond } = load;
  if (capacityPerSecond === null || !isAbove(peakPerSecond, capacityPerSecond)) return [];
  const out = worstOf(load, ({ perSecond }) => perSecond);
  const home = worstOf(load, ({ homePerSecond }) => homePerSecond ?? 0);
  const parts = [
    ...(isAbove(out.perSecond, capacityPerSecond) ? [worstWords(does, out)] : []),
    ...(isAbove(home.perSecond, capacityPerSecond)
      ? [`on the way home the first of wave ${home.wave} to be back gets ${ratioOf(home.perSecond)}`]
      : []),
  ];
  return [
    {
      severity: 'refusal',
      code: 'load',
      what: `step ${step.id} (${step.title}): ${parts.join(', and ')}, and one server of ${group} bears ${ratioOf(capacityPerSecond)}`,
      cures: curesOf(step, does, load, capacityPerSecond, holdsAt),
    },
  ];
}

function worstWords(does: Serving, { wave, perSecond, serving }: Worst): string {
  if (comes(does)) return `the first of wave ${wave} to be back gets ${ratioOf(perSecond)}`;
  const who = serving <= 1 ? 'the last one that serves' : `each of ${serving} that serve`;
  return does === 'frees-admission'
    ? `letting go of it puts ${ratioOf(perSecond)} on ${who}`
    : `wave ${wave} leaves ${ratioOf(perSecond)} on ${who}`;
}

function curesOf(step: ActStep, does: Serving, load: LoadOfStep, capacity: number, holdsAt: number | null): string[] {
  const { group, trafficPerSecond, returnSurge, offline, serving } = load;
  const surged = trafficPerSecond * returnSurge;
  const least = leastServing(trafficPerSecond, capacity);
  const back = leastServing(surged, capacity);
  const alone = comes(does) ? 1 : Math.max(1, Math.min(...load.waves.map((wave) => wave.serving)));
  const returns = comes(does) || load.waves.some(({ homePerSecond }) => homePerSecond !== null);
  const holds = holdsAt !== null && holdsAt <= capacity ? holdsAt : null;
  const share = percentOf(shareAtTheEdge(returns ? surged : trafficPerSecond, alone, holds ?? capacity));
  const away = serving - least;
  const then = `${share} of the requests get its page at the worst moment, and no server dies`;
  if (does === 'frees-admission') return [`Let go of it when ${back} servers serve: so many bear ${ratioOf(surged)}`];
  return [
    holds === null
      ? `Hold admission at the balancer: let it send one server ${ratioOf(Math.floor(capacity))} at most, and say so (balancers.${group}.limitPerSecond); ${then}`
      : `Hold admission at the balancer: holding(holdAdmission(${group}), [...]) around it keeps each server at ${ratioOf(holds)}; ${then}`,
    ...(does === 'restarts' || comes(does) || away < 1
      ? []
      : [`Have no more than ${away} of the ${serving} away at one time: ${least} must serve`]),
    ...(comes(does) || away < back
      ? [`Keep the balancer's page on until ${back} servers are back: so many bear ${ratioOf(surged)}`]
      : []),
    ...(offline === 'leaves' && step.alters.includes('offline') && does !== 'restarts'
      ? [
          `Let a server in offline mode go on answering (balancers.${group}.offline: 'answers'), so that nobody gets its load`,
        ]
      : []),
  ];
}

/** Whether a step gives servers back to the service. */
function comes(does: Serving): boolean {
  return does === 'comes-online' || does === 'takes-traffic';
}

/** Whether a step has to do with who serves. */
function counts(does: Serving): boolean {
  return does !== 'refreshes' && does !== 'holds-admission';
}

interface Worst {
  readonly wave: number;
  readonly perSecond: number;
  readonly serving: number;
}

function worstOf({ waves }: LoadOfStep, of: (wave: LoadOfStep['waves'][number]) => number): Worst {
  let worst = { wave: 1, perSecond: 0, serving: 0 };
  for (const [at, wave] of waves.entries())
    if (of(wave) > worst.perSecond) worst = { wave: at + 1, perSecond: of(wave), serving: wave.serving };
  return worst;
}
