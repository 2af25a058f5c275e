import { expect } from 'vitest';
import type { Story } from '../teller.ts';
import { allBack, asked, meant, UPGRADE, workInTime } from '../when.ts';

/** Answers late, wrong and double, and words in the middle of things. */
export const PEOPLE: readonly Story[] = [
  {
    name: 'nobody-answers',
    about:
      'Nobody answers whether the work may start, for as long as the gate stays open: the run goes home by itself.',
    runbook: UPGRADE,
    answers: { '10': [null, null, null, null, null, null, null, null, null, null, null, null] },
    end: (end) => allBack(end, 1),
  },
  {
    name: 'an-old-answer',
    about: 'The answer arrives when it is forty seconds old: it is asked again, since the fuse has burnt meanwhile.',
    runbook: UPGRADE,
    answers: { '10': [null, 'yes'] },
    script: (stage) => {
      workInTime(stage);
      stage.upon(
        asked('10'),
        'an answer that was given forty seconds ago arrives',
        () =>
          stage.say((host) =>
            host.request(
              { ask: 'answer', id: 1, gate: '10', answer: 'yes', by: 'anna', givenAtMs: stage.world.nowMs - 40_000 },
              'anna',
            ),
          ),
        10_000,
      );
    },
    end: (end) => allBack(end, 0),
  },
  {
    name: 'abort-in-the-middle',
    about: 'Somebody aborts while servers go offline: what began ends, and everybody comes home.',
    runbook: UPGRADE,
    servers: 8,
    script: (stage) =>
      stage.upon(
        meant('perform', 'api-3'),
        'abort',
        () =>
          stage.say((host) => host.request({ ask: 'abort', id: 1, by: 'bob', reason: 'the part is missing' }, 'bob')),
        0,
      ),
    end: (end) => allBack(end, 1),
  },
  {
    name: 'halted-for-a-while',
    about:
      'Somebody halts the run and lets it go on: nothing new is begun meanwhile, and what is watched is watched on.',
    runbook: UPGRADE,
    servers: 8,
    script: (stage) => {
      workInTime(stage);
      stage.upon(
        meant('perform', 'api-3'),
        'halt',
        () => stage.say((host) => host.request({ ask: 'halt', id: 1, by: 'bob' }, 'bob')),
        0,
      );
      stage.upon(
        meant('perform', 'api-3'),
        'go on',
        () => stage.say((host) => host.request({ ask: 'unhalt', id: 1, by: 'bob' }, 'bob')),
        120_000,
      );
    },
    end: (end) => allBack(end, 0),
  },
  {
    name: 'the-terminal-is-gone',
    about: 'The terminal goes while the fleet is offline: a line in the journal, and the run goes on to its end.',
    runbook: UPGRADE,
    script: (stage) => {
      workInTime(stage);
      stage.upon(asked('10'), "the operator's terminal is closed", () =>
        stage.say((host) => host.tell({ type: 'viewed', by: 'anna', what: 'lost' })),
      );
    },
    end: (end) => {
      allBack(end, 0);
      expect(end.events.some(({ event }) => event.type === 'viewed')).toBe(true);
    },
  },
];
