import { spreadMs } from './formulas.ts';
import { harmOfExpiry, survivalOf } from './fuse-harm.ts';
import type { FuseServer, RefreshRule } from './fuse-input.ts';
import { numberOf, percentOf, secondsOf } from './fuse-words.ts';

/** What would make a refused outage fit, best first. Spreading expiries is none: see `curesFor`. */
export interface Cure {
  readonly code: CureCode;
  readonly text: string;
  /** The number in the text, in the unit that the code names. */
  readonly value?: number;
}

export type CureCode =
  | 'shorter-outage' // value: the longest outage that fits, ms
  | 'refresh-first' // value: servers a second that suffice
  | 'refresh-faster' // value: servers a second that suffice
  | 'raise-ttl' // value: lowest time to live that suffices, ms
  | 'stale-on-error'
  | 'refuse-connections' // value: what a request then waits, ms
  | 'fail-fast' // value: longest dependency timeout, ms
  | 'cap-concurrency' // value: most requests at once
  | 'answer-at-edge';

/** A refused plan, and whom its first expiry would take. */
export interface Refused {
  readonly servers: readonly FuseServer[];
  /** Those on which an expiry is fatal. Not empty. */
  readonly fatal: readonly FuseServer[];
  readonly refresh: RefreshRule | null;
  readonly outageMs: number;
  readonly marginMs: number;
  readonly fuseMs: number;
}

/**
 * The cures that are possible, each rounded to the safe side: taken alone, at its number, it makes the plan fit.
 * What changes nothing but the plan comes before what changes the service, and what users do not notice before what
 * they do. Spreading the expiries is no cure: with the database away each is fatal, and the spread only moves the first one closer.
 */
export function curesFor(refused: Refused): readonly Cure[] {
  return [
    shorterOutage(refused),
    refreshSooner(refused),
    raiseTtl(refused),
    staleOnError(),
    refuseConnections(refused),
    failFast(refused),
    capConcurrency(refused),
    answerAtEdge(),
  ].filter((cure) => cure !== null);
}

function shorterOutage({ fuseMs, marginMs }: Refused): Cure | null {
  const outageMs = secondBelow(fuseMs - marginMs);
  if (!(outageMs > 0)) return null;
  return {
    code: 'shorter-outage',
    value: outageMs,
    text: `Shorten the outage to ${secondsOf(outageMs)}: with a margin of ${secondsOf(marginMs)} that is the longest that fits`,
  };
}

/** a - N / C > outage + margin, solved for C: possible only while the refresh's spread, and not the time to live, is in the way. */
function refreshSooner({ servers, fatal, refresh, outageMs, marginMs }: Refused): Cure | null {
  const leftMs = shortestTtlMs(fatal) - (refresh?.overheadMs ?? 0) - outageMs - marginMs;
  if (!(leftMs > 0)) return null;
  const perSecond = tenthAbove((servers.length / leftMs) * 1000);
  const within = `${servers.length} servers within ${secondsOf(leftMs)}`;
  // The shortest time to live, less what the first server has aged when the last one is done: a - N / C.
  const leavesAt = (rate: number): string =>
    secondsOf(
      Math.floor((shortestTtlMs(fatal) - (refresh?.overheadMs ?? 0) - spreadMs(servers.length, rate)) / 1000) * 1000,
    );
  if (refresh === null)
    return {
      code: 'refresh-first',
      value: perSecond,
      text: `Refresh all caches right before the cut, in slots of at least ${numberOf(perSecond)} servers a second (${within}): that leaves a fuse of ${leavesAt(perSecond)}`,
    };
  if (perSecond <= refresh.perSecond)
    return {
      code: 'refresh-first',
      value: refresh.perSecond,
      text: `Refresh all caches again right before the cut: ${numberOf(refresh.perSecond)} servers a second suffice, and leave a fuse of ${leavesAt(refresh.perSecond)}`,
    };
  return {
    code: 'refresh-faster',
    value: perSecond,
    text: `Refresh faster: at least ${numberOf(perSecond)} servers a second in place of ${numberOf(refresh.perSecond)} (${within}), if the database can serve that; it leaves a fuse of ${leavesAt(perSecond)}`,
  };
}

function raiseTtl({ servers, fatal, refresh, outageMs, marginMs }: Refused): Cure | null {
  if (refresh === null) return null;
  const ageMs = spreadMs(servers.length, refresh.perSecond) + refresh.overheadMs;
  const ttlMs = secondAbove(outageMs + marginMs + ageMs);
  const oldMs = fatal
    .flatMap((server) => server.clocks)
    .filter((clock) => clock.whenExpired === 'fatal')
    .reduce((longest, clock) => Math.max(longest, clock.ttlMs.max), 0);
  return {
    code: 'raise-ttl',
    value: ttlMs,
    text: `Raise the lowest time to live to ${secondsOf(ttlMs)}, then wait ${secondsOf(oldMs)}, the longest old one, so that no value of the old kind is left, and refresh again before the cut`,
  };
}

function staleOnError(): Cure {
  return {
    code: 'stale-on-error',
    text: 'Serve stale values while the database does not answer, and show it by a rehearsal; then no expiry is fatal',
  };
}

/** A refusal costs a request little; a connection that is dropped, or accepted and never answered, costs the whole timeout. */
function refuseConnections({ fatal }: Refused): Cure | null {
  let waitMs = 0;
  for (const { refusedWaitMs, dependencyTimeoutMs, load } of fatal) {
    if (refusedWaitMs === undefined || refusedWaitMs >= dependencyTimeoutMs) return null;
    if (harmOfExpiry({ load, dependencyTimeoutMs: refusedWaitMs }).fatal) return null;
    waitMs = Math.max(waitMs, refusedWaitMs);
  }
  return {
    code: 'refuse-connections',
    value: waitMs,
    text: `Let the database refuse connections for as long as it is away (stop it, or reject and not drop in the firewall): a request then waits ${secondsOf(waitMs)}, and the servers live`,
  };
}

function failFast({ fatal }: Refused): Cure | null {
  const fittingMs = worst(fatal, (survival) => survival.timeoutMs);
  if (fittingMs === null)
    return declareLoad('fail-fast', 'Fail fast: shorten the dependency timeout until what waits fits the memory');
  const timeoutMs = fittingMs < 1000 ? fittingMs : Math.floor(fittingMs / 100) * 100;
  if (timeoutMs < 1) return null;
  return {
    code: 'fail-fast',
    value: timeoutMs,
    text: `Fail fast: a dependency timeout of at most ${secondsOf(timeoutMs)}, attempts included; requests that need the database fail, the servers live`,
  };
}

function capConcurrency({ fatal }: Refused): Cure | null {
  const concurrency = worst(fatal, (survival) => survival.concurrency);
  const refusedShare = worst(fatal, (survival) => -survival.refusedShare);
  if (concurrency === null || refusedShare === null)
    return declareLoad('cap-concurrency', 'Cap the requests that a server takes at once to what its memory holds');
  if (concurrency < 1) return null;
  return {
    code: 'cap-concurrency',
    value: concurrency,
    text: `Cap concurrency at ${concurrency} requests a server; ${percentOf(-refusedShare)} of the requests that need the database are refused at once (Erlang B), the servers live`,
  };
}

function answerAtEdge(): Cure {
  return {
    code: 'answer-at-edge',
    text: 'Answer at the edge: let the balancer serve the maintenance page with Retry-After, so that nothing reaches the servers',
  };
}

function declareLoad(code: CureCode, what: string): Cure {
  return { code, text: `${what}; declare the servers' load in the fleet file to have the number` };
}

/** The smallest of a number over all servers; null when one of them does not declare its load. */
function worst(
  fatal: readonly FuseServer[],
  pick: (survival: NonNullable<ReturnType<typeof survivalOf>>) => number,
): number | null {
  let smallest = Infinity;
  for (const server of fatal) {
    const survival = survivalOf(server);
    if (survival === null) return null;
    smallest = Math.min(smallest, pick(survival));
  }
  return smallest;
}

function shortestTtlMs(fatal: readonly FuseServer[]): number {
  return fatal
    .flatMap((server) => server.clocks)
    .reduce(
      (shortest, clock) => (clock.whenExpired === 'fatal' ? Math.min(shortest, clock.ttlMs.min) : shortest),
      Infinity,
    );
}

/** The last whole second that lies before this. */
function secondBelow(ms: number): number {
  return (Math.ceil(ms / 1000) - 1) * 1000;
}

/** The first whole second that lies after this. */
function secondAbove(ms: number): number {
  return (Math.floor(ms / 1000) + 1) * 1000;
}

/** The first tenth that lies after this. */
function tenthAbove(perSecond: number): number {
  return (Math.floor(perSecond * 10) + 1) / 10;
}
