import { expect } from 'vitest';
import type { Story } from '../teller.ts';
import { allBack, asked, meant, UPGRADE, workInTime } from '../when.ts';

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
];
