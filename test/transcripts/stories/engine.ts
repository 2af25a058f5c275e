import { expect } from 'vitest';
import type { Story } from '../teller.ts';
import { allBack, asked, deeds, meant, turnedHome, UPGRADE, workInTime } from '../when.ts';

/** The engine dies, its disk fails, its machine sleeps. */
export const ENGINE: readonly Story[] = [
  {
    name: 'killed-behind-an-intention',
    about:
      'The engine dies right behind an intention that is on disk: whether it was done is looked at, and it is done once.',
    runbook: UPGRADE,
    script: (stage) => {
      workInTime(stage);
      stage.upon(meant('perform', 'api-3'), 'kill -9', () => stage.kill(), 0);
    },
    end: (end) => {
      allBack(end, 0);
      expect(deeds(end, 'api-3', 'offline-on')).toBe(1);
    },
  },
  {
    name: 'killed-while-the-fleet-is-offline',
    about: 'The engine dies while the fleet is offline and the database away, and is back ten minutes later.',
    runbook: UPGRADE,
    script: (stage) => {
      workInTime(stage);
      stage.upon(asked('11'), 'kill -9', () => stage.kill(600_000), 5_000);
    },
    end: (end) => allBack(end, 0),
  },
  {
    name: 'killed-on-the-way-home',
    about: 'The engine dies on the way home: the next one goes on with it, and nobody is brought back twice.',
    runbook: UPGRADE,
    servers: 6,
    answers: { '10': ['no'] },
    script: (stage) => stage.upon(turnedHome, 'kill -9', () => stage.kill(), 30),
    end: (end) => {
      allBack(end, 1);
      for (const name of end.world.servers.keys()) expect(deeds(end, name, 'offline-off')).toBe(1);
    },
  },
  {
    name: 'killed-during-a-reset',
    about:
      'The engine dies right behind the intention of a hard reset, and nothing shows whether it came through: a person says, and the server is reset once.',
    runbook: UPGRADE,
    answers: { 'doubt1:api-3': ['not-done'] },
    script: (stage) => {
      workInTime(stage);
      stage.upon(meant('confirm', 'api-3'), 'api-3 hangs', () => (stage.server('api-3').life = 'hung'), 0);
      stage.upon(meant('perform', 'api-3', { track: 'c1', step: 2 }), 'kill -9', () => stage.kill(), 0);
    },
    end: (end) => {
      allBack(end, 0);
      expect(deeds(end, 'api-3', 'reset')).toBe(1);
    },
  },
  {
    name: 'the-laptop-sleeps',
    about:
      'The machine sleeps for ten minutes while the gate is open: the fuse is judged by where its end lies, and caches are refreshed.',
    runbook: UPGRADE,
    answers: { '10': [null, 'yes'] },
    script: (stage) => {
      workInTime(stage);
      stage.upon(asked('10'), 'the lid is closed', () => stage.sleep(600_000));
    },
    end: (end) => allBack(end, 0),
  },
  {
    name: 'the-disk-fails-once',
    about:
      'A write to the journal ends with an I/O error: nobody knows what is on disk. It is opened again, read again, and what flew is in doubt.',
    runbook: UPGRADE,
    script: (stage) => {
      workInTime(stage);
      stage.upon(
        meant('perform', 'api-3'),
        'the next write fails, and is there all the same',
        () => stage.disk('there'),
        0,
      );
    },
    end: (end) => {
      allBack(end, 0);
      expect(deeds(end, 'api-3', 'offline-on')).toBe(1);
    },
  },
  {
    name: 'the-disk-is-full',
    about:
      'The disk is full while servers go offline: no more risk, and the way home is written into what was kept free for it.',
    runbook: UPGRADE,
    servers: 8,
    script: (stage) => stage.upon(meant('perform', 'api-3'), 'the disk is full', () => stage.disk('full'), 0),
    end: (end) => allBack(end, 1),
  },
];
