import { drawBetween, type Chance } from '../world/chance.ts';
import { createWorld, february, NEVER, setFront, setLoad, type World, type WorldOptions } from '../world/index.ts';
import { autoscaled, type Autoscaler } from './autoscale.ts';
import { duration, number, type Settings } from './knobs.ts';
import { scenario, type Case } from './scenario.ts';
import { once, tell, type Actor, type Story } from './tell.ts';

const knobs = {
  servers: number(60, [1, 5_000], 'servers, and as many pods'),
  rate: number(100, [0.1, 100_000], 'requests a second and server at the usual peak'),
  handshakes: number(3_000, [1, 1_000_000], 'new connections a second that each half can open'),
  before: number(0.25, [0, 10], 'new connections a request before the change'),
  after: number(0.6, [0, 10], 'new connections a request after it'),
  peak: number(1.2, [0.1, 10], "the day's peak, in shares of the usual one"),
  morning: number(0.6, [0.1, 10], 'the load when the change was deployed, in the same shares'),
  queue: duration(3_000, 'how long the last waits in a full queue of new connections'),
  patience: duration(5_000, 'how long a request waits for its connection'),
  check: duration(2_000, "how long the balancer's check waits for one"),
  more: duration(3_600_000, 'from the peak until the pods may be more'),
  rollback: duration(6_900_000, 'from the peak until the change is rolled back'),
  shift: duration(600_000, 'from the peak until load is moved, where it can be'),
};

/** 9 January 2025: new connections rise sharply, on two infrastructures that cannot use each other's headroom. */
export const jan2025 = scenario({
  name: 'jan-2025',
  title: 'New connections to the database rise sharply, on two infrastructures that cannot help each other',
  source: "Proton's status page of 9 January 2025, as it was quoted",
  facts: [
    'At about 16:00 the number of new connections to the database servers rose sharply.',
    'The service ran on an old infrastructure and on Kubernetes at once; load could not easily be moved between the two.',
    'About half of all requests to mail and calendar failed, up and down from minute to minute.',
    'Two hours to 100%, much better in the second; a change deployed earlier was rolled back, and the load was normal.',
  ],
  chosen: [
    'Half of the load is on each of the two. Each half can open 3,000 connections a second; the change makes it 2.4 for one, and this peak is a fifth above the usual one: 1.44 times what fits.',
    'The balancer checks every 10 s, three in a row down, two up; a check opens a connection and waits 2 s, a full queue takes 3 s.',
    'The pods are as many as they may be; after an hour they may be more, and grow by a tenth every 30 s. The old half has no such limit to raise.',
    'The load moves by 3% from minute to minute, by the seed, and so does the moment of the checks.',
  ],
  knobs,
  cases: casesOf,
});

type Set = Settings<typeof knobs>;

/** The two halves, the old one first. */
interface Halves {
  readonly old: World;
  readonly pods: World;
  /** The pods are as many as they may be; the old half has nothing of the kind. */
  readonly scaler: Autoscaler;
}

const UNTIL_MS = 9_000_000;
const BEFORE_MS = 300_000;
/** Up and down, minute by minute. */
const CLOSE_UP_MS = 720_000;

function casesOf(settings: Set): readonly Case[] {
  const { handshakes, rollback, more } = settings;
  const rolledBack = ({ old, pods }: Halves, atMs: number): Actor =>
    once(atMs, 'the change is rolled back', () => {
      for (const world of [old, pods]) setFront(world, { perRequest: settings.before });
    });
  const morePods = ({ scaler }: Halves, atMs: number, times: number): Actor =>
    once(atMs, `the pods may become ${times} times as many`, () => scaler.allow(times));
  const demand = settings.servers * settings.rate * settings.peak * settings.after;
  return [
    made('as it happened', 'more pods after an hour, rolled back after two', settings, (halves) => [
      morePods(halves, more, 1.5),
      rolledBack(halves, rollback),
    ]),
    made('nobody finds it', 'nothing is rolled back', settings, () => []),
    made('rolled back early', 'the change is suspected at once', settings, (halves) => [
      rolledBack(halves, settings.shift),
    ]),
    made(
      'with load shift',
      'load can be moved to where there is room, and room can be made there',
      settings,
      (halves, load) => [
        morePods(halves, settings.shift, 2),
        once(settings.shift, 'a third of the old half goes to the pods', () => load.move(1 / 3)),
      ],
    ),
    made(
      'with a connection budget',
      'who would wait longer than half a second for a connection is refused at once',
      settings,
      (halves) => [
        once(-BEFORE_MS, null, () => {
          for (const world of [halves.old, halves.pods]) setFront(world, { room: handshakes / 2 });
        }),
        rolledBack(halves, rollback),
      ],
    ),
    {
      ...made('with neap', 'the change is a step that alters how many connections there are', settings, () => []),
      ...(demand <= handshakes
        ? {}
        : {
            refused: [
              `at the peak ${settings.servers} servers with ${settings.rate * settings.peak} requests/s each open ${Math.round(demand)} connections a second, and ${handshakes} can be opened in each half`,
              `Open at most ${Number((handshakes / (settings.servers * settings.rate * settings.peak)).toFixed(2))} new connections a request, or make room for ${Math.round(demand / 0.7)} a second first`,
            ],
          }),
    },
  ];
}

function made(name: string, what: string, settings: Set, acts: (halves: Halves, load: Load) => readonly Actor[]): Case {
  return {
    name,
    what,
    closeUpMs: CLOSE_UP_MS,
    run(seed, until = UNTIL_MS) {
      const chance: Chance = { chance: seed };
      const half = (part: string): World =>
        createWorld(optionsOf(settings, part, Math.floor(drawBetween(chance, 0, 10_000))), seed);
      const [old, pods] = [half('old'), half('pods')];
      const halves: Halves = {
        old,
        pods,
        scaler: autoscaled(pods, { fromMs: -BEFORE_MS, everyMs: 30_000, step: 0.1 }),
      };
      const load = loadOf(halves, settings, chance);
      const story: Story = {
        worlds: [
          { name: 'old', world: halves.old },
          { name: 'Kubernetes', world: halves.pods },
        ],
        actors: [...acts(halves, load), halves.scaler.actor, ...load.actors],
        untilMs: until,
      };
      return tell(story);
    },
  };
}

/** Who brings the day's load, and may move some of it. */
interface Load {
  readonly actors: readonly Actor[];
  /** From now on this share of the old half's load goes to the pods. */
  move(share: number): void;
}

function loadOf({ old, pods }: Halves, { morning, peak }: Set, chance: Chance): Load {
  let moved = 0;
  let nextMs = -BEFORE_MS;
  const bring = (): void => {
    const base = old.nowMs < 0 ? morning : peak;
    setLoad(old, base * (1 - moved) * drawBetween(chance, 0.97, 1.03));
    setLoad(pods, base * (1 + moved) * drawBetween(chance, 0.97, 1.03));
  };
  return {
    move(share) {
      moved = share;
      bring();
    },
    actors: [
      {
        nextMs: () => (nextMs > UNTIL_MS ? NEVER : nextMs),
        act() {
          nextMs += 60_000;
          bring();
          return null;
        },
      },
      once(0, "the day's peak comes", () => undefined),
    ],
  };
}

function roomOf({ handshakes, queue }: Set): number {
  return (handshakes * queue) / 1_000;
}

function optionsOf(settings: Set, part: string, phaseMs: number): WorldOptions {
  return {
    ...february,
    servers: Array.from({ length: Math.round(settings.servers) }, (_, index) => ({
      name: `${part}-${index + 1}`,
      files: [],
    })),
    requestsPerSecond: settings.rate,
    overloadPerSecond: null,
    // Connections are what counts here: no cache plays a part.
    needsCacheOffline: false,
    startOffline: true,
    health: { intervalMs: 10_000, phaseMs, fall: 3, rise: 2, asks: 'database' },
    front: {
      capacityPerSecond: settings.handshakes,
      room: roomOf(settings),
      patienceMs: settings.patience,
      perRequest: settings.after,
      checkWithinMs: settings.check,
    },
    startMs: -BEFORE_MS,
  };
}
