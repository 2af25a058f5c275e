import type { AwayManner } from '../dependency-wait.ts';
import { forecastFuse, type FuseForecast } from '../fuse.ts';
import { february, NEVER, type World, type WorldOptions } from '../world/index.ts';
import { byContingency, byHand, type Contingency, type Hands } from './crews.ts';
import { choice, duration, number, type Settings } from './knobs.ts';
import { cured, stageOutage, type Outage } from './outage.ts';
import { scenario, type Case } from './scenario.ts';
import { tell, type Actor } from './tell.ts';

const knobs = {
  servers: number(200, [1, 20_000], 'API servers'),
  rate: number(150, [0.1, 100_000], 'logged-in requests a second and server'),
  timeout: duration(10_000, 'how long a request waits for a database that does not answer'),
  outage: duration(300_000, 'how long the database is away'),
  margin: duration(30_000, 'by how much it may take longer', 0),
  manner: choice('drop', ['drop', 'refuse', 'hang'], 'how the database is not there'),
  ttlmin: duration(180_000, 'the shortest time to live of a cache'),
  ttlmax: duration(240_000, 'the longest'),
  memory: number(56, [0.001, 10_000], 'free memory of a server, in GB'),
  perrequest: number(40, [0.001, 10_000], 'memory of one waiting request, in MB'),
  cap: number(0, [0, 1_000_000], 'requests that a server takes at once; 0: any number'),
  stale: choice('no', ['yes', 'no'], 'expired values are served while they cannot be refreshed'),
  reset: choice('yes', ['yes', 'no'], 'entering offline mode resets the caches'),
  page: choice('no', ['yes', 'no'], 'the balancer answers with its page while the database is away'),
  people: number(2, [1, 1_000], 'people who can reset a server out of band'),
  come: duration(600_000, 'from the first hang until they are at work', 0),
  perserver: duration(25_000, 'what one of them needs for one server'),
};

/** A refusal, and what the client does about it. */
const REFUSED_MS = 100;

/** The collapse itself takes less than a minute. */
const CLOSE_UP_MS = 330_000;

const CONTINGENCY: Contingency = {
  noticeMs: 10_000,
  gateMs: 60_000,
  resetsPerMinute: 30,
  proveMs: 5_000,
  refreshesPerSecond: 28,
};

/** 1 February 2021: a fleet goes into offline mode for a short database upgrade, and dies three minutes later. */
export const feb2021 = scenario({
  name: 'feb-2021',
  title: 'Offline mode resets every cache, and the database is away for five minutes',
  source: 'proton.me/blog/february-1-2021-incident',
  facts: [
    'Offline mode at 07:22; the outage was planned to take less than five minutes.',
    'Caches that normally expire at scattered times, every three to four minutes, expired together.',
    'A bug made logged-in requests need that cache in offline mode too.',
    'At 07:26 CPU and memory spiked, and all API servers halted almost at once.',
    'Stopping the traffic did not help; only hard reboots out of band did, by a small number of engineers.',
    'About an hour in all.',
  ],
  chosen: [
    '200 servers, 150 logged-in requests/s each, 40 MB a waiting request, 56 GB free: for any rate above 140/s the collapse lies between the shortest and the longest time to live, plus the time to fill the memory.',
    'A server also hangs when it gets 2.2 times its load.',
    'By hand: traffic is stopped after a minute, two people are at work ten minutes after the first hang, 25 s a server.',
    'Contingency: 10 s to notice, a gate opened after 60 s, 30 resets a minute, 5 s to prove a configuration.',
  ],
  knobs,
  cases: casesOf,
});

function casesOf(settings: Settings<typeof knobs>): readonly Case[] {
  const outage = outageOf(settings);
  const verdict = forecastOf(settings, outage);
  const hands: Hands = {
    stopTrafficAfterMs: 60_000,
    comeAfterMs: settings.come,
    people: settings.people,
    perServerMs: settings.perserver,
  };
  const nobody: Hands = { ...hands, comeAfterMs: NEVER };
  return [
    made('as it happened', 'recovery by hand', outage, 5_400_000, (world) => byHand(world, hands)),
    made(
      'nobody comes',
      'traffic is stopped a minute after the collapse, and nothing else is done',
      outage,
      1_800_000,
      (world) => byHand(world, nobody),
    ),
    made(
      'without the reset',
      'offline mode leaves the caches as they are, scattered',
      { ...outage, refresh: null },
      600_000,
    ),
    {
      ...made('with neap', 'the preview', outage, 600_000),
      ...(verdict.accepted ? {} : { refused: [...verdict.because, ...verdict.cures.map(({ text }) => text)] }),
    },
    ...verdict.cures.flatMap((cure) => {
      const better = cured(outage, cure);
      return better === null ? [] : [made(`with ${cure.code}`, cure.text, better, 900_000)];
    }),
    made('with the contingency', 'forced without a cure, and recovered by the plan', outage, 1_800_000, (world) =>
      byContingency(world, CONTINGENCY),
    ),
  ];
}

function made(
  name: string,
  what: string,
  outage: Outage,
  untilMs: number,
  crew: (world: World) => readonly Actor[] = () => [],
): Case {
  return {
    name,
    what,
    closeUpMs: CLOSE_UP_MS,
    run(seed, until = untilMs) {
      const { world, actors } = stageOutage(outage, seed);
      return tell({ worlds: [{ name: 'fleet', world }], actors: [...actors, ...crew(world)], untilMs: until });
    },
  };
}

function outageOf(settings: Settings<typeof knobs>): Outage {
  // Entering offline mode asked the database for so many values, and that went well.
  const capacityPerSecond = Math.max(1_000, 5 * settings.servers);
  const options: WorldOptions = {
    ...february,
    servers: Array.from({ length: Math.round(settings.servers) }, (_, index) => ({
      name: `api-${index + 1}`,
      files: [],
    })),
    requestsPerSecond: settings.rate,
    overloadPerSecond: 2.2 * settings.rate,
    memory: { baseBytes: 0, limitBytes: settings.memory * 1e9, perRequestBytes: settings.perrequest * 1e6 },
    databaseTimeoutMs: settings.timeout,
    refusedWaitMs: REFUSED_MS,
    hangTimeoutMs: settings.timeout,
    concurrencyLimit: settings.cap === 0 ? null : Math.round(settings.cap),
    staleOnError: settings.stale === 'yes',
    ttl: { ...february.ttl, minMs: settings.ttlmin, maxMs: Math.max(settings.ttlmin, settings.ttlmax) },
    capacityPerSecond,
  };
  return {
    options,
    refresh: settings.reset === 'yes' ? { perSecond: capacityPerSecond, overheadMs: 0 } : null,
    outageMs: settings.outage,
    manner: settings.manner as AwayManner,
    page: settings.page === 'yes',
  };
}

/** What neap's preview says of it, in closed form. */
function forecastOf(settings: Settings<typeof knobs>, { options, refresh }: Outage): FuseForecast {
  const whenExpired = options.staleOnError ? 'stale-served' : 'fatal';
  const { minMs: min, maxMs: max } = options.ttl;
  return forecastFuse({
    servers: options.servers.map(({ name }) => ({
      name,
      clocks: [{ name: 'config', whenExpired, ttlMs: { min, max } }],
      dependencyTimeoutMs: settings.manner === 'refuse' ? REFUSED_MS : settings.timeout,
      refusedWaitMs: REFUSED_MS,
      load: {
        requestsPerSecond: settings.rate,
        memoryPerRequestBytes: options.memory.perRequestBytes,
        memoryFreeBytes: options.memory.limitBytes,
        ...(options.concurrencyLimit === null ? {} : { concurrencyLimit: options.concurrencyLimit }),
      },
    })),
    refresh,
    outageMs: settings.outage,
    marginMs: settings.margin,
  });
}
