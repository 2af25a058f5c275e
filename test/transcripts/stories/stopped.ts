import { expect } from 'vitest';
import {
  checkServer,
  defineRunbook,
  gate,
  giveTraffic,
  guarded,
  atRate,
  offlineMode,
  prometheus,
  refreshCaches,
  z,
} from '../../../src/index.ts';
import type { Runbook } from '../../../src/model/index.ts';
import type { Story } from '../teller.ts';
import { allBack, asked, meant, UPGRADE, workInTime } from '../when.ts';

/** Everybody offline under the eyes of a guard. */
const guardedWindow = (onTrip: 'stop' | 'home') =>
  defineRunbook({
    title: 'Offline while errors are watched',
    reach: { api: ['ssh', 'http', 'bmc'] },
    inputs: z.strictObject({}),
    budget: { failures: 3 },
    window: { limitMs: 60 * 60_000 },
    steps: ({ api }) => [
      checkServer(api),
      guarded(
        prometheus({
          title: 'errors',
          url: 'http://metrics.test',
          query: 'sum(rate(errors[1m]))',
          tripAbove: 5,
          everyMs: 10_000,
          forMs: 20_000,
          onTrip,
        }),
        [
          atRate({ perMinute: 2 }, offlineMode(api, { on: true })),
          refreshCaches(api),
          gate('Go on?', { role: 'any', onTimeout: 'abort', expiresMs: 600_000 }),
        ],
      ),
      offlineMode(api, { on: false }),
      giveTraffic(api),
    ],
  }) as unknown as Runbook;

/** What stops risk, each while the fleet is offline: it comes home all the same. */
export const STOPPED: readonly Story[] = [
  {
    name: 'the-window-closes',
    about:
      'The work takes longer than the window: no risk is begun any more, people are told, and the fleet comes home.',
    runbook: UPGRADE,
    answers: { '11': ['not yet', 'yes'] },
    script: (stage) => {
      workInTime(stage);
    },
    plan: (header) => ({ ...header, window: { ...header.window, closesAtMs: 200_000 } }),
    end: (end) => expect(end.state.closed?.exitCode).toBeLessThan(5),
  },
  {
    name: 'a-freeze-begins',
    about: 'A freeze begins while servers go offline: nothing more is taken, and the fleet comes home inside it.',
    runbook: UPGRADE,
    servers: 8,
    plan: (header) => ({ ...header, freezes: [{ title: 'Black Friday', fromMs: 150_000, toMs: 90_000_000 }] }),
    end: (end) => allBack(end, 1),
  },
  {
    name: 'the-store-of-claims-is-gone',
    about:
      'The store of claims does not answer while servers go offline: no new risk until it does; whoever is offline stays watched.',
    runbook: UPGRADE,
    servers: 8,
    script: (stage) => {
      workInTime(stage);
      stage.upon(meant('perform', 'api-3'), 'the store of claims does not answer', () =>
        stage.say((host) => host.tell({ type: 'lease', standing: 'lost', seen: 'connection refused' })),
      );
      stage.upon(
        meant('perform', 'api-3'),
        'it answers again',
        () => stage.say((host) => host.tell({ type: 'lease', standing: 'held', seen: 'it answers' })),
        120_000,
      );
    },
    end: (end) => allBack(end, 0),
  },
  {
    name: 'the-mirror-is-behind-at-a-reset',
    about: 'The mirror is behind when a server is to be reset: the reset waits until its intention lies elsewhere too.',
    runbook: UPGRADE,
    plan: (header) => ({ ...header, mirror: 'ssh:elsewhere:/var/neap' }),
    script: (stage) => {
      workInTime(stage);
      stage.upon(meant('confirm', 'api-3'), 'api-3 hangs', () => (stage.server('api-3').life = 'hung'), 0);
      stage.upon(asked('c1:c1.2'), 'the mirror does not answer', () => stage.mirror(false));
      stage.upon(asked('c1:c1.2'), 'the mirror answers again', () => stage.mirror(true), 300_000);
    },
    end: (end) => {
      expect(end.state.closed?.exitCode).toBe(0);
    },
  },
  {
    name: 'metrics-are-gone',
    about:
      'The metrics are gone while servers go offline: a guard without data is tripped. No further risk, a page, and nothing is\nstarted by silence; when they are back the run goes on by itself.',
    runbook: guardedWindow('home'),
    servers: 6,
    script: (stage) => {
      stage.upon(
        meant('perform', 'api-2'),
        'Prometheus does not answer',
        () => stage.guards({ sort: 'no-data', seen: 'connection refused' }),
        0,
      );
      stage.upon(
        meant('perform', 'api-2'),
        'Prometheus answers again',
        () => stage.guards({ sort: 'good', seen: '0.2' }),
        200_000,
      );
    },
    end: (end) => allBack(end, 0),
  },
  {
    name: 'metrics-stay-gone',
    about:
      'The metrics never come back while half of the fleet is offline: the window closes on it, and the fleet comes home.',
    runbook: guardedWindow('stop'),
    servers: 6,
    script: (stage) =>
      stage.upon(
        meant('perform', 'api-2'),
        'Prometheus does not answer',
        () => stage.guards({ sort: 'no-data', seen: 'connection refused' }),
        0,
      ),
    end: (end) => allBack(end, 1),
  },
  {
    name: 'errors-rise',
    about:
      'Errors rise while servers go offline, for longer than the guard allows: a reading says so, and the fleet comes home.',
    runbook: guardedWindow('home'),
    servers: 6,
    script: (stage) => stage.upon(asked('4'), 'errors rise', () => stage.guards({ sort: 'bad', seen: '17' })),
    answers: { '4': [null] },
    end: (end) => {
      allBack(end, 1);
      expect(end.state.homeWhy?.code).toBe('guard');
    },
  },
  {
    name: 'the-bastion-is-lost',
    about:
      'The bastion burns while the fleet is offline and the database away. Half an hour later an engine elsewhere goes on from the\nmirror: its last moments may be missing, so it trusts nothing that it did not look at.',
    runbook: UPGRADE,
    plan: (header) => ({ ...header, mirror: 'ssh:vault:/srv/neap' }),
    script: (stage) => {
      workInTime(stage);
      stage.upon(asked('11'), 'the bastion is lost', () => stage.loseBastion(1_800_000), 5_000);
    },
    end: (end) => allBack(end, 0),
  },
  {
    name: 'it-cannot-go-offline',
    about:
      'One server cannot go offline. It is taken out of the balancer and kept out; the wave goes on within the budget.',
    runbook: UPGRADE,
    servers: 8,
    script: (stage) => {
      workInTime(stage);
      stage.at(140_000, 'api-5 does not answer any more over SSH', () => (stage.server('api-5').partedUntilMs = 9e9));
    },
    end: (end) => {
      allBack(end, 0, ['api-5']);
      expect(end.world.server('api-5').traffic).toBe('out');
    },
  },
];
