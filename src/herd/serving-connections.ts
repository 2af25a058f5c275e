import type { ConnectionFacts, ConnectionLimits, ConnectionsOfStep, Finding } from '../model/index.ts';
import { mostAtOnce, newInOneSecond, waitBehindLimit, type Openings } from './connections.ts';
import { countOf } from './serving-words.ts';

/** Connections that those outside the fleet have at most: pods of an autoscaler at its most. */
export function othersAtMost({ others }: ConnectionLimits): number {
  return others.reduce((sum, { pool, pods }) => sum + pool * (typeof pods === 'number' ? pods : pods.max), 0);
}

/**
 * Connections wave by wave, and new ones in a second, each way. The larger counts of what is declared and what was
 * read: a pool that is half empty in the preview fills when users come back.
 */
export function connectionsOf(question: ConnectionFacts): ConnectionsOfStep | null {
  const { does, dependency, limits, trace, reading, declaredAtFirst } = question;
  if (trace.every(({ before, after, opening, borrowed }) => before === after && opening === 0 && borrowed === 0))
    return null;
  const others = othersAtMost(limits);
  const atFirst = declaredAtFirst + others;
  const readAbove = reading === null ? 0 : Math.max(0, reading - atFirst);
  const homeOpens = does === 'goes-offline' || does === 'leaves-traffic';
  const each = Math.max(1, ...trace.map((wave) => wave.each));
  const opens = trace.some(({ opening, borrowed }) => opening > 0 || borrowed > 0);
  return {
    dependency,
    max: limits.max,
    perSecond: limits.perSecond,
    each,
    now: reading,
    from: reading !== null && reading > atFirst ? 'reading' : 'declared',
    waves: trace.map(({ before, after, borrowed }) => ({
      before: before + others + readAbove,
      after: after + borrowed + others + readAbove,
    })),
    newPerSecond: opens && !homeOpens ? newInOneSecond(openingsOf(question, each, 'there')) : 0,
    homePerSecond: homeOpens ? newInOneSecond(openingsOf(question, each, 'home')) : null,
  };
}

function openingsOf({ step, limits, atOnce, trace }: ConnectionFacts, each: number, way: 'there' | 'home'): Openings {
  return {
    atOnce: way === 'home' ? step.atMost : atOnce,
    eachMs: step.expectedMs,
    slotsPerSecond: way === 'home' ? null : step.perSecond,
    each,
    servers: Math.max(0, ...step.waves.map((wave) => wave.length).filter((_, at) => (trace[at]?.opening ?? 0) > 0)),
    limitPerSecond: limits.limitPerSecond ?? null,
  };
}

/** Refuses what the dependency does not accept, with numbers and what would mend it. */
export function connectionFindings(question: ConnectionFacts, found: ConnectionsOfStep): Finding[] {
  return [...countFindings(question, found), ...rateFindings(question, found)];
}

function countFindings({ step, does, limits }: ConnectionFacts, found: ConnectionsOfStep): Finding[] {
  const { dependency, max, waves, from } = found;
  const home = does === 'goes-offline' || does === 'leaves-traffic';
  // On the way home a wave opens what it closed.
  const highest = Math.max(...waves.map(({ before, after }) => (home ? before : after)));
  const at = waves.findIndex(({ before, after }) => (home ? before : after) === highest);
  if (highest <= max) return [];
  const others = othersAtMost(limits);
  const mine = highest - others;
  const scaled = limits.others.filter(({ pods }) => typeof pods !== 'number');
  const smaller = Math.floor(((max - others) / mine) * found.each);
  return [
    {
      severity: 'refusal',
      code: 'connections',
      what: `step ${step.id} (${step.title}): ${home ? 'its way home' : `wave ${at + 1}`} makes up to ${countOf(highest)} connections to ${dependency}${from === 'reading' ? ', by what it has now' : ''}, and it accepts ${countOf(max)}${others > 0 ? `; ${countOf(others)} of them are others' (${limits.others.map(({ name }) => name).join(', ')})` : ''}`,
      cures: [
        ...(smaller >= 1 ? [`Smaller pools: ${smaller} connections a server in the place of ${found.each}`] : []),
        ...scaled.map(
          ({ name, pool }) =>
            `Hold the autoscaler of ${name} at ${Math.max(0, Math.floor((max - (highest - othersOf(limits, name))) / pool))} pods while this runs`,
        ),
        `Put a pooler in front of it, or make it accept ${countOf(highest)}`,
      ],
    },
  ];
}

function othersOf({ others }: ConnectionLimits, name: string): number {
  return othersAtMost({ others: others.filter((each) => each.name === name) } as ConnectionLimits);
}

function rateFindings(question: ConnectionFacts, found: ConnectionsOfStep): Finding[] {
  const { step, limits, timeoutMs } = question;
  const { dependency, perSecond, each, newPerSecond, homePerSecond } = found;
  const home = newPerSecond <= perSecond;
  const worst = Math.max(newPerSecond, homePerSecond ?? 0);
  const openings = openingsOf(question, each, home && homePerSecond !== null ? 'home' : 'there');
  const waitMs = waitBehindLimit(openings);
  if (worst <= perSecond && waitMs <= timeoutMs) return [];
  const where = `step ${step.id} (${step.title})${home && homePerSecond !== null ? ', on its way home' : ''}`;
  const fits = mostAtOnce(perSecond, each);
  const waitAtLimitMs = waitBehindLimit({ ...openings, limitPerSecond: perSecond });
  const atOnce = Math.min(openings.atOnce, openings.servers);
  return [
    {
      severity: 'refusal',
      code: 'connections',
      what:
        worst > perSecond
          ? `${where} opens up to ${countOf(worst)} new connections to ${dependency} in one second, and it completes ${countOf(perSecond)}: the others time out, and have cost it as much`
          : `${where} has up to ${countOf(atOnce * each)} new connections to ${dependency} wait behind a limit of ${countOf(limits.limitPerSecond ?? 0)} a second: the last for ${countOf(waitMs / 1000)} s, and requests wait ${countOf(timeoutMs / 1000)} s`,
      cures: [
        ...(fits >= 1
          ? [
              `Smaller waves: at most ${fits} servers at a time (it is ${Math.min(atOnce, question.atOnce)})`,
              `A slower rate: atRate({ perMinute: ${fits * 60} })`,
            ]
          : []),
        ...(Math.floor(perSecond / Math.max(1, atOnce)) >= 1
          ? [
              `Smaller pools: ${Math.floor(perSecond / Math.max(1, atOnce))} connections a server in the place of ${each}`,
            ]
          : []),
        ...(waitAtLimitMs <= timeoutMs && limits.limitPerSecond === undefined
          ? [
              `A connection rate limit in front of it (dependencies.${dependency}.connections.limitPerSecond: ${Math.floor(perSecond)}): the last one of a wave then waits ${countOf(waitAtLimitMs / 1000)} s`,
            ]
          : []),
      ],
    },
  ];
}
