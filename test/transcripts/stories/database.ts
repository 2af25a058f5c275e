import { expect } from 'vitest';
import type { Story } from '../teller.ts';
import { allBack, answered, asked, deeds, UPGRADE, workFor, workInTime } from '../when.ts';

/** The database away, back, and not back. */
export const DATABASE: readonly Story[] = [
  {
    name: 'a-quiet-night',
    about:
      'The database upgrade as it is meant: everybody offline behind fresh caches, the work done in time, everybody back.',
    runbook: UPGRADE,
    script: workInTime,
    end: (end) => allBack(end, 0),
  },
  {
    name: 'february-2021',
    about:
      '1 February 2021, as it would be now: the work takes an hour instead of two minutes. The fuse burns down, every server hangs,\nand each is reset out of band once a person has said so, proven, and given traffic only when the database answers from it.',
    runbook: UPGRADE,
    answers: { '11': ['not yet', 'not yet', 'yes'], 'c1:c1.2': ['yes'], 'c1:rearm': ['yes'] },
    script: (stage) => {
      workFor(stage, 60 * 60_000);
      stage.upon(
        asked('11'),
        'the first caches expire: logged-in requests wait for the database, and every server hangs',
        () => {
          for (const server of stage.world.servers.values()) server.life = 'hung';
        },
        200_000,
      );
    },
    end: (end) => {
      // The budget was spent: everybody is back, and the upgrade did not go as planned.
      allBack(end, 1);
      for (const name of end.world.servers.keys()) expect(deeds(end, name, 'reset')).toBeLessThanOrEqual(1);
    },
  },
  {
    name: 'not-yet',
    about:
      'The work needs longer, and people say so: "not yet" is asked again, and nobody comes back before the database answers.',
    runbook: UPGRADE,
    answers: { '11': ['not yet', 'not yet', 'yes'] },
    script: (stage) => workFor(stage, 60_000),
    end: (end) => allBack(end, 0),
  },
  {
    name: 'yes-too-early',
    about:
      'Somebody says that the work is done while the database is still away: the fleet holds the safe state, pages, and goes on by itself.',
    runbook: UPGRADE,
    script: (stage) => workFor(stage, 90_000),
    end: (end) => allBack(end, 0),
  },
  {
    name: 'the-work-failed',
    about: 'The work failed: the run goes home, and holds everybody offline until the database answers again.',
    runbook: UPGRADE,
    answers: { '11': ['failed'] },
    script: (stage) => workFor(stage, 100_000),
    end: (end) => allBack(end, 1),
  },
  {
    name: 'no-to-the-start',
    about: 'The answer to "may it start?" is no: everybody comes home, and the database was never touched.',
    runbook: UPGRADE,
    answers: { '10': ['no'] },
    end: (end) => allBack(end, 1),
  },
  {
    name: 'the-fuse-while-nobody-answers',
    about:
      'Nobody answers whether the work may start: before the fuse is too short for the outage the caches are refreshed again.',
    runbook: UPGRADE,
    answers: { '10': [null, null, 'yes'] },
    script: workInTime,
    end: (end) => {
      allBack(end, 0);
      expect(end.events.filter(({ event }) => event.type === 'renewed').length).toBeGreaterThanOrEqual(2);
    },
  },
  {
    name: 'the-database-dies-early',
    about:
      'The database goes away by itself while servers go offline: nobody who would ask it is put back, and all come home when it is there.',
    runbook: UPGRADE,
    servers: 6,
    script: (stage) => {
      stage.at(160_000, 'the database dies', () => (stage.world.databaseUp = false));
      stage.at(700_000, 'the database is back', () => (stage.world.databaseUp = true));
    },
    answers: { '11': ['yes'] },
    end: (end) => expect([0, 1]).toContain(end.state.closed?.exitCode),
  },
  {
    name: 'the-database-flaps-on-the-way-back',
    about:
      'The database is back, and gone again while servers return: each waits for the answer from itself before it takes load.',
    runbook: UPGRADE,
    servers: 6,
    script: (stage) => {
      workInTime(stage);
      stage.upon(answered('11'), 'the database is gone again', () => (stage.world.databaseUp = false), 2_500);
      stage.upon(answered('11'), 'and back', () => (stage.world.databaseUp = true), 60_000);
    },
    end: (end) => allBack(end, 0),
  },
];
