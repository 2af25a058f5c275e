import type { Line } from '../../src/report/index.ts';

/** What a person adds to the numbers of a scenario. */
export interface StoryText {
  readonly scenario: string;
  readonly date: string;
  readonly trigger: string;
  readonly ranOut: string;
  readonly sustained: string;
  readonly ended: string;
  /** The case that stands for what would have helped. */
  readonly better: string;
  readonly pictures: readonly Picture[];
  readonly lesson: readonly string[];
}

export interface Picture {
  readonly file: string;
  readonly words: string;
  /** The beginning, finer. */
  readonly near?: boolean;
  readonly untilMs?: number;
  readonly lines: readonly {
    readonly told: string;
    readonly curve: string;
    readonly tone: Line['tone'];
    /** How the legend calls it; otherwise by its case. */
    readonly as?: string;
  }[];
}

/** The stories of docs/incidents.md. */
export const stories: readonly StoryText[] = [
  {
    scenario: 'feb-2021',
    date: '1 February 2021',
    trigger: 'caches reset together, then no database',
    ranOut: 'memory, with requests that wait 10 s',
    sustained: 'a hung server stays hung without traffic',
    ended: 'hard resets by hand',
    better: 'with stale-on-error',
    pictures: [
      {
        file: 'collapse',
        words: 'February 2021, the first minutes: servers hung, with and without the reset of the caches',
        near: true,
        lines: [
          { told: 'as it happened', curve: 'hung servers', tone: 'bad' },
          { told: 'without the reset', curve: 'hung servers', tone: 'soft' },
          { told: 'with the contingency', curve: 'hung servers', tone: 'accent' },
        ],
      },
      {
        file: 'answered',
        words: 'February 2021, the hour: share of requests that are answered',
        lines: [
          { told: 'as it happened', curve: 'answered', tone: 'bad' },
          { told: 'with the contingency', curve: 'answered', tone: 'accent' },
          { told: 'with stale-on-error', curve: 'answered', tone: 'good' },
        ],
      },
    ],
    lesson: [
      'The reset of the caches was not the cause: without it the first server hangs after ten seconds in place of three minutes. With the database away every expiry is fatal, scattered or not, so spreading the expiries is no cure. What helps is a fuse that is longer than the outage, a server that survives an expiry, or a balancer that keeps the requests away.',
      'Stopping the traffic helps whoever is not hung yet, and nobody who is. The contingency shows the difference: it answers at the edge ten seconds after the first hang, so most of the fleet is never lost.',
    ],
  },
  {
    scenario: 'jan-2025',
    date: '9 January 2025',
    trigger: 'a change that opens more connections, at the day’s peak',
    ranOut: 'new connections a second',
    sustained: 'handshakes are done for requests that have given up',
    ended: 'the rollback of the change',
    better: 'rolled back early',
    pictures: [
      {
        file: 'minutes',
        words: 'January 2025, the first minutes: share of requests that are answered, in each half',
        near: true,
        lines: [
          { told: 'as it happened', curve: 'answered, old', tone: 'bad', as: 'old infrastructure' },
          { told: 'as it happened', curve: 'answered, Kubernetes', tone: 'accent', as: 'Kubernetes' },
        ],
      },
      {
        file: 'answered',
        words: 'January 2025, two hours: share of requests that are answered',
        lines: [
          { told: 'as it happened', curve: 'answered', tone: 'bad' },
          { told: 'with a connection budget', curve: 'answered', tone: 'accent' },
          { told: 'with load shift', curve: 'answered', tone: 'good' },
        ],
      },
    ],
    lesson: [
      'Nothing in the model is periodic but the balancer’s checks. A check that needs a connection fails while the queue for connections is long; after three of them a half of the service gets no traffic, the queue drains, two checks pass, and the load comes back. That is the up and down from minute to minute.',
      'The change was harmless when it was deployed, because the load was low: the sum that refuses it takes the day’s peak and not the hour’s load. A budget that refuses early does not make room, but it ends the flapping; moving load helps only where there is room to move it to.',
    ],
  },
  {
    scenario: 'dec-2018',
    date: '8 December 2018',
    trigger: 'a database that hangs and goes on accepting',
    ranOut: 'processes, which wait without an end',
    sustained: 'nothing tells the waiting that it is in vain',
    ended: 'killing the database, so that it refuses',
    better: 'with both',
    pictures: [
      {
        file: 'answered',
        words: 'December 2018: share of requests that are answered',
        lines: [
          { told: 'as it happened', curve: 'answered', tone: 'bad' },
          { told: 'with a read timeout', curve: 'answered', tone: 'accent' },
          { told: 'with both', curve: 'answered', tone: 'good' },
        ],
      },
    ],
    lesson: [
      'The same family as February 2021: a dependency that swallows is worse than one that refuses. With a read timeout the requests that need no database are answered throughout; making the hung database refuse is what ends it.',
    ],
  },
  {
    scenario: 'jul-2023',
    date: '25 July 2023',
    trigger: 'clients that drop their caches and synchronise',
    ranOut: 'reads of the storage',
    sustained: 'reads are done for clients that have given up, and these come again',
    ended: 'taking the services offline, and a gradual return',
    better: 'paced from the start',
    pictures: [
      {
        file: 'answered',
        words: 'July 2023: share of requests that are answered',
        untilMs: 7_200_000,
        lines: [
          { told: 'as it happened', curve: 'answered', tone: 'bad' },
          { told: 'all back at once', curve: 'answered', tone: 'soft' },
          { told: 'with a short queue', curve: 'answered', tone: 'accent' },
          { told: 'paced from the start', curve: 'answered', tone: 'good' },
        ],
      },
      {
        file: 'clients',
        words: 'July 2023: clients that still have to synchronise',
        untilMs: 7_200_000,
        lines: [
          { told: 'as it happened', curve: 'clients to synchronise', tone: 'bad' },
          { told: 'all back at once', curve: 'clients to synchronise', tone: 'soft' },
          { told: 'with a short queue', curve: 'clients to synchronise', tone: 'accent' },
          { told: 'paced from the start', curve: 'clients to synchronise', tone: 'good' },
        ],
      },
    ],
    lesson: [
      'A queue that is longer than a client’s patience turns an overload into a standstill: the storage works at its limit, and for nobody. Opened for all at once it happens again. Slots under the capacity, which is what neap gives a live database, let everybody synchronise in the time that the spare capacity needs, and nobody notices.',
    ],
  },
];
