import { drawBetween, type Chance } from '../world/chance.ts';
import { accountOf, createWorld, february, NEVER, setAdmission, setLoad, type World } from '../world/index.ts';
import { duration, number, type Settings } from './knobs.ts';
import { scenario, type Case } from './scenario.ts';
import { once, tell, type Actor } from './tell.ts';

const knobs = {
  clients: number(1_000_000, [1, 1e9], 'clients that lose their local cache'),
  reads: number(20, [0.01, 1e6], 'reads of the storage that a client needs to have everything again'),
  rate: number(0.1, [0.0001, 1_000], 'reads a second of a client that synchronises'),
  capacity: number(20_000, [1, 1e9], 'reads a second that the storage can do'),
  base: number(10_000, [0, 1e9], 'reads a second of everybody else'),
  rollout: duration(600_000, 'how long it takes until the last client has the bug'),
  queue: duration(30_000, 'how long the last in a full queue waits'),
  patience: duration(10_000, 'how long a client waits'),
  offline: duration(1_800_000, 'from the bug until the services are taken offline'),
  return: duration(3_600_000, 'from the bug until they begin to come back'),
};

/** 25 July 2023: clients are told to drop their local cache, and all synchronise at once. */
export const jul2023 = scenario({
  name: 'jul-2023',
  title:
    'A million clients drop their cache and synchronise at once; the storage does the work of those who have given up',
  source: "Proton's report of 25 July 2023",
  facts: [
    'A bug in a migration told clients to drop their local cache; they all synchronised, and overloaded the storage.',
    'Services were taken offline and restored gradually; the desktop bridge was throttled.',
  ],
  chosen: [
    'All numbers: a million clients, 20 reads each at one in ten seconds, a storage that can do twice what it usually does.',
    'A client waits 10 s and the full queue takes 30 s: so the storage works for those who have gone.',
    'Taken offline after half an hour, and opened in steps from an hour on.',
  ],
  knobs,
  cases: casesOf,
});

type Set = Settings<typeof knobs>;

const UNTIL_MS = 14_400_000;
const BEFORE_MS = 300_000;
/** The pace at which clients act, and the model reckons. */
const STEP_MS = 5_000;

function casesOf(settings: Set): readonly Case[] {
  const { offline, return: comeBack, capacity, base } = settings;
  const closed = ({ world }: Crowd): Actor =>
    once(offline, 'the services are taken offline', () => setAdmission(world, 0));
  const paced = 0.9 * capacity - base;
  return [
    made(
      'as it happened',
      'taken offline, and let in again in steps, with synchronising throttled',
      settings,
      (crowd) => [
        closed(crowd),
        once(comeBack, 'a quarter is let in, and synchronising is throttled', () => crowd.throttle(paced)),
        ...[0.25, 0.5, 0.75, 1].map((share, at) =>
          once(comeBack + at * 600_000, at === 3 ? 'everybody is let in' : null, () =>
            setAdmission(crowd.world, share),
          ),
        ),
      ],
    ),
    made('nobody does anything', 'the storage is left alone with it', settings, () => []),
    made('all back at once', 'taken offline, and opened for all', settings, (crowd) => [
      closed(crowd),
      once(comeBack, 'the services are opened for all', () => setAdmission(crowd.world, 1)),
    ]),
    made('paced from the start', 'the server tells clients when they may synchronise', settings, (crowd) => [
      once(-1, null, () => crowd.throttle(paced)),
    ]),
    made(
      'with a short queue',
      'who would wait longer than a client does is refused at once',
      { ...settings, queue: settings.patience / 2 },
      () => [],
    ),
  ];
}

function made(name: string, what: string, settings: Set, acts: (crowd: Crowd) => readonly Actor[]): Case {
  return {
    name,
    what,
    closeUpMs: 900_000,
    run(seed, until = UNTIL_MS) {
      const crowd = crowdOf(settings, seed);
      return tell({
        worlds: [{ name: 'storage', world: crowd.world }],
        actors: [...acts(crowd), crowd.actor, once(0, 'clients begin to drop their caches', () => undefined)],
        untilMs: until,
        behindFront: 'reads of the storage',
        drawn: { name: 'clients to synchronise', unit: 'clients', value: crowd.pending },
      });
    },
  };
}

/** Clients that synchronise, and whom a storage answers or not. */
interface Crowd {
  readonly world: World;
  readonly actor: Actor;
  readonly pending: () => number;
  /** They make no more than so many reads a second between them. */
  throttle(perSecond: number): void;
}

function crowdOf(settings: Set, seed: number): Crowd {
  const { clients, reads, rate, capacity, base, rollout, queue, patience } = settings;
  const world = createWorld(
    {
      ...february,
      servers: [{ name: 'storage', files: [] }],
      requestsPerSecond: 1,
      overloadPerSecond: null,
      // Reads are what counts here; the servers in front of the storage have no cache of their own.
      needsCacheOffline: false,
      startOffline: true,
      front: {
        capacityPerSecond: capacity,
        room: (capacity * queue) / 1_000,
        patienceMs: patience,
        perRequest: 1,
        checkWithinMs: NEVER,
      },
      startMs: -BEFORE_MS,
    },
    seed,
  );
  const chance: Chance = { chance: seed };
  let [missing, begun, nextMs, limit, syncing] = [0, 0, -BEFORE_MS, NEVER, 0];
  let seen = accountOf(world);
  const act = (): null => {
    nextMs += STEP_MS;
    const now = accountOf(world);
    const arrived = now.arrived - now.paged - (seen.arrived - seen.paged);
    const served = arrived > 0 ? (now.answered - seen.answered) / arrived : 0;
    const admitted = (syncing * world.balancer.admits * STEP_MS) / 1_000;
    missing = Math.max(0, missing - admitted * served);
    seen = now;
    const hit = clients * Math.min(1, Math.max(0, world.nowMs / rollout));
    missing += (hit - begun) * reads;
    begun = hit;
    syncing = Math.min(limit, (missing / reads) * rate);
    setLoad(world, base * drawBetween(chance, 0.97, 1.03) + syncing);
    return null;
  };
  return {
    world,
    pending: () => missing / reads,
    throttle(perSecond) {
      limit = perSecond;
    },
    actor: { nextMs: () => nextMs, act },
  };
}
