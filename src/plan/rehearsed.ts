import {
  rehearsalRuleSchema,
  type Finding,
  type PlanRehearsal,
  type RehearsalRecord,
  type RehearsalRule,
  type Rehearsed,
  type RehearsedSoftware,
  type Server,
} from '../model/index.ts';
import { showsManner, type Carried, type PlannedOutage } from './rehearsal.ts';

/** What is known of one group's rehearsals when a plan is made. */
export interface RehearsalFacts {
  readonly outage: PlannedOutage;
  readonly group: string;
  /** Those of the plan. */
  readonly servers: readonly Server[];
  readonly carried: Carried | null;
  /** For how long caches that nobody refreshes age until the cut. */
  readonly ageingMs: number;
  /** The latest that was kept; null: none was. */
  readonly record: RehearsalRecord | null;
  /** Why the journal does not bear it out; null: it does. */
  readonly flaw: string | null;
  /** What each server says runs on it; absent: it was not asked or did not answer. */
  readonly versions: ReadonlyMap<string, string | null>;
  /** What the server that was rehearsed has now; null: it could not be asked. */
  readonly software: RehearsedSoftware | null;
  readonly nowMs: number;
  readonly rule: RehearsalRule | undefined;
  readonly fleetPath: string;
}

export interface RehearsalVerdict {
  readonly rehearsal: PlanRehearsal;
  readonly findings: readonly Finding[];
  /** What an earlier rehearsal says of the fuse, in words; `fuseMs` null: it burnt down nothing. Null: there was none that counts. */
  readonly measured: { readonly fuseMs: number | null; readonly because: string } | null;
}

/**
 * What rehearsals show of an outage that is planned. Every clock is fatal until one has outlived it; what is declared
 * and was not shown is not believed; and what was shown of other software, or long ago, or under less traffic, shows
 * nothing.
 */
export function judgeRehearsal(facts: RehearsalFacts): RehearsalVerdict {
  const { record, carried, group, outage, servers } = facts;
  const fault = record === null ? null : faultOf(record, facts);
  const good = record !== null && fault === null ? record : null;
  const told = good === null ? null : capOf(good, facts);
  const shown =
    good?.rehearsal.result === 'survived'
      ? outlived(servers, good.rehearsal.lastedMs).filter((name) =>
          good.rehearsal.clocks.some((was) => was.name === name),
        )
      : [];
  const believed = [...new Set([...shown, ...(carried ? outlived(servers, carried.forMs) : [])])];
  const rehearsal: PlanRehearsal = {
    group,
    dependency: outage.dependency,
    carriedBy: carried?.step ?? null,
    run: good?.run ?? null,
    server: good?.rehearsal.server ?? null,
    result: good?.rehearsal.result === 'void' ? null : (good?.rehearsal.result ?? null),
    lastedMs: good?.rehearsal.lastedMs ?? null,
    blind: servers.some(({ service }) => service.clocks.length === 0),
    believed: believed.toSorted(),
  };
  // What a plan shows by itself needs no earlier evidence; but a fuse that was measured too short stays so.
  const isShort = told !== null && told.fuseMs < told.neededMs;
  const findings = [
    ...(isShort && (carried === null || good?.rehearsal.result === 'failed') ? [shortFinding(told, facts)] : []),
    ...(carried === null && fault !== null ? [staleFinding(fault, facts)] : []),
    ...(carried === null && record === null ? [unshownFinding(facts)] : []),
    ...(carried !== null ? carriedFinding(carried, facts) : []),
    ...(carried === null ? disbelieved(facts, believed) : []),
  ];
  const isMeasured = good?.rehearsal.result === 'failed';
  const measured = told && { fuseMs: isMeasured ? told.fuseMs : null, because: told.because };
  return { rehearsal, findings, measured };
}

/** How long an outage a server outlasts by its clocks' declared lives: those that had expired by then and did no harm. */
function outlived(servers: readonly Server[], lastedMs: number): string[] {
  return servers.flatMap(({ service }) => {
    const timeoutMs = Math.max(0, ...Object.values(service.dependencies).map((each) => each.timeoutMs));
    return service.clocks
      .filter(({ whenExpired, ttlMs }) => whenExpired !== 'fatal' && ttlMs.max + timeoutMs <= lastedMs)
      .map(({ name }) => name);
  });
}

/** Why a rehearsal shows nothing of today; null: it does. */
function faultOf({ rehearsal, run }: RehearsalRecord, facts: RehearsalFacts): string | null {
  const { software, versions, nowMs, servers, flaw } = facts;
  const { maxAgeMs, maxGrowth } = rehearsalRuleSchema.parse(facts.rule ?? {});
  const ageMs = nowMs - rehearsal.cutAtMs;
  if (flaw !== null) return `${flaw}, so the rehearsal of run ${run} is not believed`;
  if (ageMs > maxAgeMs) return `the rehearsal of run ${run} is ${days(ageMs)} old, more than ${days(maxAgeMs)}`;
  if (!showsManner(rehearsal.manner, facts.outage.manner)) return mannerFault(rehearsal, run, facts.outage);
  if (software === null)
    return `${rehearsal.server}, on which run ${run} rehearsed, does not tell which software it has now`;
  const was = rehearsal.software;
  if (software.version !== was.version)
    return `${rehearsal.server} runs ${versionOf(software.version)}, and run ${run} rehearsed ${versionOf(was.version)}`;
  const other = servers.find(({ name }) => versions.has(name) && versions.get(name) !== was.version);
  if (other)
    return `${other.name} runs ${versionOf(versions.get(other.name) ?? null)}, and run ${run} rehearsed ${versionOf(was.version)}`;
  if (software.configuration !== was.configuration)
    return `the configuration of ${rehearsal.server} is another than the one that run ${run} rehearsed`;
  return growthOf(rehearsal.traffic.productionPerSecond, servers, maxGrowth, run);
}

function mannerFault({ manner, dependency }: Rehearsed, run: string, { manner: planned }: PlannedOutage): string {
  const was =
    manner === null
      ? `the fleet did not declare what its cut does to who asks (dependencies.${dependency}.cutManner), which shows no more than a ${dependency} that refuses`
      : `the ${dependency} was cut so that it seemed to ${manner}`;
  return `in run ${run} ${was}; in the outage it may ${planned ?? 'drop what is sent, or hang'}`;
}

function growthOf(was: number | null, servers: readonly Server[], maxGrowth: number, run: string): string | null {
  const now = servers.map(({ service }) => service.load?.requestsPerSecond ?? null);
  const most = now.includes(null) ? null : Math.max(...now.map((each) => each ?? 0));
  if (was === null && now.every((each) => each === null)) return null;
  if (was === null || most === null)
    return `run ${run} rehearsed ${was === null ? 'an unknown share of traffic' : `a share of ${was} requests a second`}, and the fleet ${most === null ? 'does not declare its traffic now' : `declares ${most} a second now`}`;
  if (most <= was * (1 + maxGrowth)) return null;
  return `traffic has grown from ${was} to ${most} requests a second on one server since run ${run} rehearsed it, more than by ${Math.round(maxGrowth * 100)}%`;
}

interface Told {
  readonly fuseMs: number;
  readonly neededMs: number;
  readonly because: string;
}

/** What was measured, against what is needed: what nobody refreshes before the cut has aged since it was reset. */
function capOf({ rehearsal, run }: RehearsalRecord, { servers, outage, ageingMs }: RehearsalFacts): Told {
  const { result, lastedMs, server } = rehearsal;
  const unread = servers.some(({ service }) => service.clocks.length === 0);
  const lostMs = unread || result === 'failed' ? ageingMs : 0;
  const fuseMs = Math.max(0, lastedMs - lostMs);
  const how =
    result === 'failed'
      ? `run ${run} measured a fuse of ${seconds(lastedMs)} s on ${server}`
      : `${server} went on answering for ${seconds(lastedMs)} s in the rehearsal of run ${run}`;
  const aged = lostMs > 0 ? `; caches age ${seconds(lostMs)} s until the cut: ${seconds(fuseMs)} s are left` : '';
  return { fuseMs, neededMs: outage.outageMs + outage.marginMs, because: `${how}${aged}` };
}

function shortFinding(told: Told, facts: RehearsalFacts): Finding {
  const { outage, record } = facts;
  const fits = Math.floor((told.fuseMs - outage.marginMs) / 1_000);
  return {
    severity: 'refusal',
    code: 'rehearsal',
    what: `an outage of ${seconds(outage.outageMs)} s and a margin of ${seconds(outage.marginMs)} s are longer than what was shown: ${told.because}`,
    cures: [
      ...(record?.rehearsal.result === 'survived' ? [`Rehearse it for longer: ${command(facts, told)}`] : []),
      ...(fits > 0 ? [`Plan an outage of at most ${fits} s`] : []),
      ...(record?.rehearsal.result === 'failed'
        ? [`Cure what fails (${record.rehearsal.why ?? 'its requests'}), then rehearse it again: ${command(facts)}`]
        : []),
    ],
  };
}

function staleFinding(fault: string, facts: RehearsalFacts): Finding {
  return {
    severity: 'refusal',
    code: 'rehearsal',
    what: fault,
    cures: [`Rehearse it again: ${command(facts)}`],
  };
}

/** Without a clock there is nothing to reckon with; with clocks, all of them count as fatal. */
function unshownFinding(facts: RehearsalFacts): Finding {
  const blind = facts.servers.filter(({ service }) => service.clocks.length === 0);
  return {
    severity: blind.length > 0 ? 'refusal' : 'warning',
    code: 'rehearsal',
    what:
      blind.length > 0
        ? `nothing is known of what expires on ${names(blind)}: no clock is declared, and nobody has rehearsed this outage`
        : `nobody has rehearsed this outage for group ${facts.group}: that nothing else expires is only declared`,
    cures: [`Rehearse it: ${command(facts)}`],
  };
}

/** A canary that shows too little; or one that goes into the outage with caches of unknown age, for nobody can refresh them. */
function carriedFinding({ forMs, step, server }: Carried, facts: RehearsalFacts): Finding[] {
  const { outage, servers } = facts;
  const neededMs = outage.outageMs + outage.marginMs;
  const blind = servers.filter(({ service }) => service.clocks.length === 0);
  const finding = (what: string, cures: string[]): Finding[] => [
    { severity: 'refusal', code: 'rehearsal', what, cures },
  ];
  if (blind.length > 0)
    return finding(
      `no clock of ${names(blind)} is declared: nothing tells when they expire, and ${server} cannot be refreshed behind its own rehearsal in step ${step}`,
      [
        'Declare as clocks of the service whatever expires: how it is read, how it is refreshed, how long it lives',
        `Measure how long that is: ${command(facts)}`,
      ],
    );
  if (forMs >= neededMs) return mannerWarning(server, facts);
  return finding(
    `step ${step} rehearses ${seconds(forMs)} s, and the outage and its margin take ${seconds(neededMs)} s`,
    [`Let step ${step} last ${seconds(neededMs)} s`],
  );
}

/** A canary whose cut is milder than the outage may be shows less than it seems to. */
function mannerWarning(canary: string, { outage, servers }: RehearsalFacts): Finding[] {
  const of = servers.find(({ name }) => name === canary);
  const { dependency, manner } = outage;
  const cut = dependency === null ? undefined : of?.service.dependencies[dependency]?.cutManner;
  if (dependency === null || showsManner(cut ?? null, manner)) return [];
  return [
    {
      severity: 'warning',
      code: 'rehearsal',
      what: `${canary} rehearses ${cut === undefined ? 'in a manner that is not declared' : `a ${dependency} that seems to ${cut}`}; in the outage it may ${manner ?? 'drop what is sent, or hang'}`,
      cures: [
        `Say what the cut does to who asks: dependencies.${dependency}.cutManner in the fleet file; and let it be as bad as the outage`,
      ],
    },
  ];
}

/** Clocks that are declared harmless, and that nobody has seen outlived. */
function disbelieved({ servers }: RehearsalFacts, believed: readonly string[]): Finding[] {
  const doubted = servers.flatMap((server) =>
    server.service.clocks
      .filter(({ name, whenExpired }) => whenExpired !== 'fatal' && !believed.includes(name))
      .map(({ name, whenExpired }) => ({ server, clock: `${name} is declared ${whenExpired}` })),
  );
  const [first] = doubted;
  if (first === undefined) return [];
  return [
    {
      severity: 'warning',
      code: 'rehearsal',
      what: `${first.clock} on ${names([...new Set(doubted.map(({ server }) => server))])}, and no rehearsal has outlived it: it counts as fatal`,
      cures: [],
    },
  ];
}

/** How it is rehearsed, with the figures of this plan. */
function command({ outage, servers, record, fleetPath, ageingMs }: RehearsalFacts, told?: Told): string {
  const canary = record?.rehearsal.server ?? servers[0]?.name ?? 'SERVER';
  const cut = outage.dependency ?? record?.rehearsal.dependency ?? 'DEPENDENCY';
  const blind = servers.some(({ service }) => service.clocks.length === 0);
  const outageMs = outage.outageMs + (told !== undefined || blind ? ageingMs : 0);
  return `neap rehearse --cut ${cut} --on ${canary} --outage ${seconds(outageMs)}s --margin ${seconds(outage.marginMs)}s --fleet ${fleetPath}`;
}

function names(servers: readonly Server[]): string {
  const [first] = servers;
  return servers.length > 1 ? `${first?.name ?? ''} and ${servers.length - 1} more` : (first?.name ?? 'nobody');
}

function versionOf(version: string | null): string {
  return version === null ? 'a version that is not told' : `version ${version}`;
}

function days(ms: number): string {
  return ms < 2 * 86_400_000 ? `${Math.round(ms / 3_600_000)} h` : `${Math.round(ms / 86_400_000)} days`;
}

/** Never less than it is. */
function seconds(ms: number): number {
  return Math.ceil(ms / 1_000);
}
