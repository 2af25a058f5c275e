import type { AwayManner } from '../dependency-wait.ts';
import { forecastFuse, type FuseForecast, type FuseQuestion } from '../fuse.ts';
import type { FuseServer } from '../fuse-input.ts';
import { february, setPage, type ServerSeed, type WorldOptions } from '../world/index.ts';
import { choice, duration, number } from './knobs.ts';
import { cured, stageOutage, type Outage } from './outage.ts';
import { scenario, type Case, type Scenario } from './scenario.ts';
import { once, tell } from './tell.ts';

/** An outage as a plan has it, on a fleet as its file declares it. */
export interface PlannedOutage {
  readonly title: string;
  /** Where the numbers come from. */
  readonly source: string;
  /** What the preview found, in words. */
  readonly facts: readonly string[];
  /** How the database will be away; null: nobody has said so, and the worst is taken. */
  readonly manner: AwayManner | null;
  readonly question: (manner: AwayManner | null) => FuseQuestion;
  /** Refreshes a second that the database serves; null: not declared, and not reckoned with. */
  readonly capacityPerSecond: number | null;
}

/** What expires after ten years does not expire. */
const FOR_EVER_MS = 10 * 365 * 86_400_000;
/** A database that does not come back is watched for so long beyond the longest time to live. */
const WATCH_MS = 900_000;

/** What a planned outage would do to a fleet, as planned, when it does not end, and with each cure. */
export function plannedScenario(planned: PlannedOutage): Scenario {
  const { title, source, facts, manner, capacityPerSecond } = planned;
  const question = planned.question(manner);
  const knobs = {
    outage: duration(question.outageMs, 'how long the database is away'),
    margin: duration(question.marginMs, 'by how much it may take longer', 0),
    manner: choice(manner ?? 'drop', ['drop', 'refuse', 'hang'], 'how the database is not there'),
    load: number(1, [0, 1_000], 'traffic, in shares of what the fleet file declares'),
    timeout: duration(0, 'how long a request waits for the database; 0: as declared', 0),
    cap: number(0, [0, 1_000_000], 'requests that a server takes at once; 0: as declared'),
    refresh: number(
      question.refresh?.perSecond ?? 0,
      [0, 1_000_000],
      'servers refreshed a second before the cut; 0: none',
    ),
    capacity: number(
      capacityPerSecond ?? 0,
      [0, 10_000_000],
      'refreshes a second that the database serves; 0: any number',
    ),
    page: choice('no', ['yes', 'no'], 'the balancer answers with its page while the database is away'),
  };
  const refused = planned.question('refuse').servers;
  const unknownRefusal = refused.some(
    ({ dependencyTimeoutMs }, at) => dependencyTimeoutMs === question.servers[at]?.dependencyTimeoutMs,
  );
  const undeclared = question.servers.filter(({ load }) => load === undefined).length;
  return scenario({
    name: 'forecast',
    title,
    source,
    facts,
    chosen: [
      'The balancer shares the load by what each server is declared to get, checks every 2 s, and takes a server out after two silent checks.',
      'A server hangs when what waits fills its free memory; plain overload is not reckoned with.',
      ...(manner !== 'refuse' && unknownRefusal
        ? ['How long a refusal takes is not declared, so a database that refuses is taken to cost the whole timeout.']
        : []),
      ...(undeclared > 0
        ? [
            `${undeclared} ${undeclared === 1 ? 'server declares' : 'servers declare'} no load: an expiry is taken to hang such a server at once.`,
          ]
        : []),
    ],
    knobs,
    cases: (settings) => casesOf(planned, settings),
  });
}

interface Set {
  readonly outage: number;
  readonly margin: number;
  readonly manner: string;
  readonly load: number;
  readonly timeout: number;
  readonly cap: number;
  readonly refresh: number;
  readonly capacity: number;
  readonly page: string;
}

function casesOf(planned: PlannedOutage, settings: Set): readonly Case[] {
  // Where nobody has said how it will be away, a what-if that says nothing of it takes the worst, as the preview does.
  const manner = planned.manner === null && settings.manner === 'drop' ? null : (settings.manner as AwayManner);
  const question = changed(planned.question(manner), settings);
  const verdict = forecastFuse(question);
  // After a refusal a refresh still waits as long as it would at any other time.
  const patient = manner === 'refuse' ? changed(planned.question(null), settings) : question;
  const patience = patient.servers.map((server) => server.dependencyTimeoutMs);
  const outage = outageOf(question, settings, patience);
  const longestMs = Math.max(...question.servers.flatMap(({ clocks }) => clocks.map(({ ttlMs }) => ttlMs.max)), 0);
  const stays = { ...outage, outageMs: Math.max(outage.outageMs, longestMs) + WATCH_MS };
  return [
    { ...made('as planned', fuseText(verdict), outage), ...refusalOf(verdict) },
    made('it does not come back', 'nothing is done about it', stays),
    ...(verdict.fuseMs === null || verdict.fuseMs <= question.marginMs
      ? []
      : [shed(stays, verdict.fuseMs - question.marginMs)]),
    ...verdict.cures.flatMap((cure) => {
      const better = cured(outage, cure);
      return better === null ? [] : [made(`with ${cure.code}`, cure.text, better)];
    }),
  ];
}

/** The page at the margin: what a run does when the database is not back. */
function shed(outage: Outage, atMs: number): Case {
  return {
    name: 'page at the margin',
    what: 'it does not come back, and the balancer shows its page from the margin on, before the first expiry',
    run(seed) {
      const { world, actors } = stageOutage(outage, seed);
      return tell({
        worlds: [{ name: 'fleet', world }],
        actors: [
          ...actors,
          once(atMs, 'the margin is reached: the balancer answers with its page', () => void setPage(world, true)),
          once(outage.outageMs + 2_000, 'the page goes', () => void setPage(world, false)),
        ],
        untilMs: untilOf(outage),
      });
    },
  };
}

function made(name: string, what: string, outage: Outage): Case {
  return {
    name,
    what,
    run(seed) {
      const { world, actors } = stageOutage(outage, seed);
      return tell({ worlds: [{ name: 'fleet', world }], actors, untilMs: untilOf(outage) });
    },
  };
}

function untilOf({ outageMs }: Outage): number {
  return Math.ceil(outageMs * 1.25 + 60_000);
}

function refusalOf({ accepted, because, cures }: FuseForecast): Pick<Case, 'refused'> {
  return accepted ? {} : { refused: [...because, ...cures.map(({ text }) => text)] };
}

function fuseText({ fuseMs, because }: FuseForecast): string {
  return because.at(-1) ?? `a fuse of ${fuseMs ?? 'any'} ms`;
}

/** The question with the knobs as they stand. */
function changed(question: FuseQuestion, settings: Set): FuseQuestion {
  const { refresh } = question;
  return {
    outageMs: settings.outage,
    marginMs: settings.margin,
    refresh: settings.refresh === 0 ? null : { overheadMs: refresh?.overheadMs ?? 0, perSecond: settings.refresh },
    servers: question.servers.map((server): FuseServer => {
      const { load } = server;
      const asked = server.dependencyTimeoutMs;
      const shorter = settings.manner === 'refuse' ? Math.min(asked, settings.timeout) : settings.timeout;
      const dependencyTimeoutMs = settings.timeout === 0 ? asked : shorter;
      if (load === undefined) return { ...server, dependencyTimeoutMs };
      return {
        ...server,
        dependencyTimeoutMs,
        load: {
          ...load,
          requestsPerSecond: load.requestsPerSecond * settings.load,
          ...(settings.cap === 0 ? {} : { concurrencyLimit: Math.round(settings.cap) }),
        },
      };
    }),
  };
}

function outageOf(question: FuseQuestion, settings: Set, patience: readonly number[]): Outage {
  const options: WorldOptions = {
    ...february,
    // Each server's load is its weight.
    requestsPerSecond: 1,
    overloadPerSecond: null,
    capacityPerSecond: settings.capacity === 0 ? 1e6 : settings.capacity,
    servers: question.servers.map((server, index) => seedOf(server, patience[index] ?? server.dependencyTimeoutMs)),
    hangTimeoutMs: Math.max(...question.servers.map(({ dependencyTimeoutMs }) => dependencyTimeoutMs)),
  };
  return {
    options,
    refresh: question.refresh,
    outageMs: question.outageMs,
    manner: settings.manner as AwayManner,
    page: settings.page === 'yes',
  };
}

function seedOf({ name, clocks, dependencyTimeoutMs, load }: FuseServer, patienceMs: number): ServerSeed {
  const fatal = clocks.filter(({ whenExpired }) => whenExpired === 'fatal').map(({ ttlMs }) => ttlMs);
  const minMs = Math.min(FOR_EVER_MS, ...fatal.map(({ min }) => min));
  const maxMs = Math.min(FOR_EVER_MS, ...fatal.map(({ max }) => max));
  return {
    name,
    files: [],
    traits: {
      weight: load?.requestsPerSecond ?? 1,
      ttl: { minMs, maxMs, drawn: 'per-refresh' },
      databaseTimeoutMs: patienceMs,
      refusedWaitMs: dependencyTimeoutMs,
      concurrencyLimit: load?.concurrencyLimit ?? null,
      // Nobody can say that a server without declared load survives: it has no room for a single request.
      memory: {
        baseBytes: 0,
        limitBytes: load?.memoryFreeBytes ?? 0,
        perRequestBytes: load?.memoryPerRequestBytes ?? 1,
      },
    },
  };
}
