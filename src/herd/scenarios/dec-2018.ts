import { createWorld, february, NEVER, setDatabase, type World, type WorldOptions } from '../world/index.ts';
import { duration, number, type Settings } from './knobs.ts';
import { scenario, type Case } from './scenario.ts';
import { once, tell, type Actor } from './tell.ts';

const knobs = {
  servers: number(100, [1, 20_000], 'API servers'),
  rate: number(150, [0.1, 100_000], 'requests a second and server'),
  anonymous: number(0.4, [0, 1], 'share of the requests that need no database'),
  workers: number(256, [1, 1_000_000], 'processes of a server: requests that it takes at once'),
  diagnosis: duration(1_050_000, 'from the hang until somebody kills the database'),
  restart: duration(60_000, 'from there until the database answers again'),
  timeout: duration(1_000, 'the read timeout of the case that has one'),
  notice: duration(30_000, 'how long a guard waits before it makes the database refuse'),
};

/** 8 December 2018: a database that hangs, and goes on accepting connections. */
export const dec2018 = scenario({
  name: 'dec-2018',
  title: 'The database hangs and goes on accepting connections; the balancer takes every server out',
  source: "Proton's report of 8 December 2018",
  facts: [
    'MySQL hung but kept accepting connections; API processes that asked it never completed.',
    'The load balancer removed all instances, so that requests failed that needed no database at all.',
    'Killing MySQL, so that it refused, cured it. About 19 minutes.',
  ],
  chosen: [
    '100 servers with 256 processes each, 150 requests/s a server, four in ten of which need no database.',
    'Checks every 5 s, two in a row count, and a check needs a free process.',
    'Somebody kills the database after 17.5 minutes; it is back a minute later.',
  ],
  knobs,
  cases: casesOf,
});

type Set = Settings<typeof knobs>;

function casesOf(settings: Set): readonly Case[] {
  const killed = (world: World, atMs: number, who: string): readonly Actor[] => [
    once(0, 'the database hangs and goes on accepting', () => setDatabase(world, 'hanging')),
    once(atMs, `${who} kills the database: it refuses`, () =>
      setDatabase(world, 'refusing', world.nowMs + settings.restart),
    ),
    once(atMs + settings.restart, 'the database answers again', () => undefined),
  ];
  return [
    made('as it happened', 'no read timeout', settings, NEVER, (world) =>
      killed(world, settings.diagnosis, 'somebody'),
    ),
    made('nobody kills it', 'it hangs on', settings, NEVER, (world) => killed(world, NEVER, 'nobody')),
    made('with a read timeout', 'a process gives up in time', settings, settings.timeout, (world) =>
      killed(world, settings.diagnosis, 'somebody'),
    ),
    made('refused at once', 'a guard makes it refuse when it has not answered for a while', settings, NEVER, (world) =>
      killed(world, settings.notice, 'a guard'),
    ),
    made('with both', 'a read timeout and the guard', settings, settings.timeout, (world) =>
      killed(world, settings.notice, 'a guard'),
    ),
  ];
}

function made(
  name: string,
  what: string,
  settings: Set,
  hangTimeoutMs: number,
  acts: (world: World) => readonly Actor[],
): Case {
  const untilMs = Math.max(settings.diagnosis, settings.notice) + settings.restart + 300_000;
  return {
    name,
    what,
    closeUpMs: 120_000,
    run(seed, until = untilMs) {
      const world = createWorld(optionsOf(settings, hangTimeoutMs), seed);
      return tell({ worlds: [{ name: 'fleet', world }], actors: acts(world), untilMs: until });
    },
  };
}

function optionsOf(settings: Set, hangTimeoutMs: number): WorldOptions {
  return {
    ...february,
    servers: Array.from({ length: Math.round(settings.servers) }, (_, index) => ({
      name: `api-${index + 1}`,
      files: [],
    })),
    requestsPerSecond: settings.rate,
    anonymousShare: settings.anonymous,
    overloadPerSecond: null,
    concurrencyLimit: Math.round(settings.workers),
    // Processes are bounded, and so is what they need: the memory does not run out here.
    memory: { baseBytes: 0, limitBytes: 1e12, perRequestBytes: 1 },
    hangTimeoutMs,
    health: { intervalMs: 5_000, phaseMs: 0, fall: 2, rise: 2, asks: 'worker' },
    startMs: -60_000,
  };
}
