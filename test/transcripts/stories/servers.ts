import { expect } from 'vitest';
import type { Story } from '../teller.ts';
import { allBack, asked, deeds, meant, turnedHome, UPGRADE, workInTime } from '../when.ts';

/** Servers that hang, fail, lie and change under us. */
export const SERVERS: readonly Story[] = [
  {
    name: 'one-server-hangs',
    about:
      'A server hangs while the others are offline: it is recovered beside the main line, and waits for the fleet before it takes load.',
    runbook: UPGRADE,
    script: (stage) => {
      workInTime(stage);
      stage.upon(meant('confirm', 'api-3'), 'api-3 hangs', () => (stage.server('api-3').life = 'hung'), 0);
    },
    end: (end) => {
      allBack(end, 0);
      expect(deeds(end, 'api-3', 'reset')).toBe(1);
    },
  },
  {
    name: 'the-canary-fails',
    about: 'The canary hangs in its rehearsal, alone: nobody else was touched, and the run goes home.',
    runbook: UPGRADE,
    script: (stage) =>
      stage.upon(meant('look', 'api-1', { step: 4 }), 'api-1 hangs', () => (stage.server('api-1').life = 'hung')),
    end: (end) => {
      expect(end.state.homeWhy?.code).toBe('canary');
      for (const name of ['api-2', 'api-3', 'api-4']) expect(deeds(end, name, 'offline-on')).toBe(0);
    },
  },
  {
    name: 'silence-of-many',
    about:
      'Most of the fleet falls silent at once: that is first taken for a fault of the way there. Power is disarmed, and nobody is reset.',
    runbook: UPGRADE,
    servers: 8,
    script: (stage) => {
      workInTime(stage);
      stage.upon(
        asked('10'),
        'the network to six of eight servers parts',
        () => {
          for (const server of [...stage.world.servers.values()].slice(2))
            server.partedUntilMs = stage.world.nowMs + 400_000;
        },
        0,
      );
    },
    end: (end) => expect(end.world.deeds.filter(({ what }) => what === 'reset')).toEqual([]),
  },
  {
    name: 'the-jump-host-breaks',
    about:
      'The jump host in front of half of the fleet breaks and comes back: one fault, waited for, and no server is counted.',
    runbook: UPGRADE,
    servers: 6,
    script: (stage) => {
      workInTime(stage);
      stage.at(150_000, 'the jump host breaks', () => (stage.world.jumpBrokenUntilMs = stage.world.nowMs + 200_000));
    },
    end: (end) => allBack(end, 0),
  },
  {
    name: 'changed-by-somebody',
    about: 'A server was taken offline by somebody after the plan was made: it is left out, named, and left as it is.',
    runbook: UPGRADE,
    servers: 6,
    script: (stage) => {
      workInTime(stage);
      stage.at(1, 'somebody takes api-5 offline by hand', () => {
        stage.server('api-5').offline = true;
        stage.server('api-5').touched.add('offline').add('traffic');
      });
    },
    end: (end) => allBack(end, 0, ['api-5']),
  },
  {
    name: 'the-canary-changed',
    about: 'The canary itself is no longer as the plan saw it: the plan is stale, and nobody is touched.',
    runbook: UPGRADE,
    script: (stage) => {
      stage.at(1, 'somebody takes api-1 offline by hand', () => {
        stage.server('api-1').offline = true;
        stage.server('api-1').touched.add('offline').add('traffic');
      });
    },
    end: (end) => expect(end.state.closed?.exitCode).toBe(6),
  },
  {
    name: 'half-applied-after-the-reset',
    about:
      'A reset server comes back with half-applied configuration: it is mended and proven before it takes traffic.',
    runbook: UPGRADE,
    script: (stage) => {
      workInTime(stage);
      stage.upon(meant('confirm', 'api-3'), 'api-3 hangs', () => (stage.server('api-3').life = 'hung'), 0);
      stage.upon(
        meant('confirm', 'api-3', { track: 'c1', step: 2 }),
        'it boots with a half-written file',
        () => {
          stage.server('api-3').file = 'b'.repeat(64);
          stage.server('api-3').running = 'b'.repeat(64);
        },
        0,
      );
    },
    end: (end) => {
      allBack(end, 0);
      expect(end.world.isProven(end.world.server('api-3'))).toBe(true);
    },
  },
  {
    name: 'the-budget-is-spent',
    about:
      'Three servers fail, and the budget is three: no further risk is taken, and the way home goes on without any budget.',
    runbook: UPGRADE,
    servers: 8,
    script: (stage) => {
      for (const name of ['api-4', 'api-6', 'api-8'])
        stage.at(140_000, `${name} does not answer any more`, () => (stage.server(name).partedUntilMs = 2_000_000));
    },
    end: (end) => expect(end.state.homeWhy?.code).toBe('budget'),
  },
  {
    name: 'the-way-home-hangs',
    about: 'On the way home a server hangs. The others come home; it is named, and a person is needed.',
    runbook: UPGRADE,
    answers: { '10': ['no'] },
    script: (stage) => {
      stage.upon(turnedHome, 'api-2 hangs', () => (stage.server('api-2').life = 'hung'), 0);
    },
    end: (end) => {
      allBack(end, 5, ['api-2']);
      expect(end.state.closed?.summary).toContain('api-2');
    },
  },
];
