import { expect, test } from 'vitest';
import { fuseStatus } from '../../src/cli/views/fuse.ts';
import { fuseLines } from '../../src/cli/views/terminal/fuse-lines.ts';
import { defineRunbook, gate, inSlots, offlineMode, question, refreshCaches, z } from '../../src/index.ts';
import type { Runbook } from '../../src/model/index.ts';
import type { RunState } from '../../src/run/index.ts';
import { hashOf } from '../../src/plan/compile.ts';
import { Drive } from '../support/drive.ts';
import { paperFleet } from '../support/fleet.ts';
import { compiled, outlineOf } from '../support/plans.ts';

// Goal: whoever looks at a run sees how long the fuse still burns, from when that was read, and what neap does before it
// is over. Method: one run on paper behind its gate, looked at on a terminal and by `neap status`, at several instants.

const FUSE = { outageMs: 60_000, marginMs: 20_000 };

function underWay(): Drive {
  const runbook = defineRunbook({
    title: 'a window',
    reach: { api: ['ssh'] },
    inputs: z.strictObject({}),
    budget: { failures: 2 },
    window: { limitMs: 3_600_000 },
    steps: ({ api }) => [
      offlineMode(api, { on: true }),
      inSlots({ perSecond: 1000, fraction: 1 }, refreshCaches(api)),
      gate('Start?', { role: 'any', onTimeout: 'hold', fuse: FUSE }),
      question('Done?', { role: 'any', onTimeout: 'hold', answers: { yes: 'go-on' } }),
    ],
  }) as unknown as Runbook;
  const fleet = paperFleet({ servers: 2 });
  const plan = compiled({ runbook, fleet, laid: outlineOf(runbook, fleet) });
  const shed = {
    by: 'edge',
    actMs: 15_000,
    timeoutMs: 10_000,
    takesMs: 5_000,
    takesFrom: 'declared',
    warmPerSecond: null,
  } as const;
  const header = { ...plan.header, countdown: { everyMs: 5_000, shed } };
  return new Drive({ ...plan, hash: hashOf(header), header }).until(100).answer('3', 'yes');
}

const drive = underWay();
const { machine } = drive;
const fuse = { server: 'api-1', clock: 'sessions', expiresAtMs: 200_000 };
const counting = { counts: 3, lastAtMs: 98_000, read: 2, unread: [], edge: 'off' as const };
const shed: RunState['shed'] = {
  wanted: 'on',
  phase: 'done',
  attempts: 1,
  sinceMs: 185_000,
  doneAtMs: 185_400,
  tryAtMs: 185_000,
  ours: true,
  failure: null,
  times: 1,
  turns: 1,
};
const at = (nowMs: number, more: Partial<RunState> = {}): RunState => ({
  ...drive.state,
  fuse,
  counting,
  nowMs,
  ...more,
});
const plain = (lines: readonly string[]): string => lines.join('\n').replaceAll(/\u001B\[[\d;]*m/g, '');
const shown = (state: RunState): string => plain(fuseLines(state, machine, state.nowMs, 160));

test('a burning fuse: what is left, from when, until when the database must be back, and what happens before zero', () => {
  expect(shown(at(100_000))).toBe(
    "FUSE 100 s (sessions on api-1, read 2 s ago); database back by 00:03:00 UTC\nThe balancer's page goes on in 85 s (00:03:05 UTC) unless the database answers",
  );
  expect(plain(fuseStatus(at(100_000), machine))).toBe(
    "Fuse: 100 s left at 00:01:40 UTC (sessions on api-1), read again 2 s before that from 2 servers. The database must be back by 00:03:00 UTC.\nShed: the balancer's page goes on in 85 s (00:03:05 UTC) unless the database answers.",
  );
});

test('load that is shed, and a page that could not be turned', () => {
  expect(shown(at(210_000, { shed }))).toBe(
    'FUSE BURNT DOWN 10 s ago (sessions on api-1)\nLOAD IS SHED: the balancer answers with its page since 00:03:05 UTC',
  );
  const failure = { kind: 'timeout', what: 'no answer', where: 'x', state: 'x', remedy: 'x' } as const;
  expect(shown(at(190_000, { shed: { ...shed, phase: 'retry', failure } }))).toContain(
    'page is being turned on: no answer',
  );
});

test('every line fits a narrow screen', () => {
  for (const nowMs of [100_000, 190_000, 210_000])
    for (const line of plain(fuseLines(at(nowMs, { shed }), machine, nowMs, 60)).split('\n'))
      expect(line.length).toBeLessThanOrEqual(60);
});
