import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CalendarWatch, NotNow } from '../../src/engine/calendar-watch.ts';
import { giveTraffic, inWaves } from '../../src/index.ts';
import type { PlanHeader, StepSpec } from '../../src/model/index.ts';
import { setAside } from '../support/kinds.ts';
import { planOf, type Api } from '../support/made-up.ts';

// Goal: a run is not begun when there is no time for it, and a freeze declared since the plan was made counts.

const MIN = 60_000;
const NOON = Date.parse('2026-12-01T12:00Z');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'neap-watch-'));
  const event = [
    'BEGIN:VEVENT',
    'UID:1',
    'SUMMARY:Elections',
    'DTSTART:20261201T130000Z',
    'DTEND:20261201T180000Z',
    'END:VEVENT',
  ];
  await writeFile(join(folder, 'freezes.ics'), ['BEGIN:VCALENDAR', ...event, 'END:VCALENDAR', ''].join('\r\n'));
});
afterAll(() => rm(folder, { recursive: true }));

interface Wish {
  readonly window?: Partial<PlanHeader['window']>;
  readonly calendar?: string;
  readonly override?: string;
  readonly steps?: (api: Api) => readonly StepSpec[];
}

/** A run of one minute with a way home of two, asked for at `atMs`. */
function watch(
  atMs: number,
  { window = {}, calendar, override, steps = (api) => [inWaves({ atMost: 1 }, setAside(api))] }: Wish,
) {
  const { header } = planOf({ servers: 60, failures: 60, steps });
  return new CalendarWatch({
    header: { ...header, window: { ...header.window, ...window } },
    order: {
      run: 'r',
      by: 'anna',
      freezes: calendar === undefined ? [] : [{ calendar: join(folder, calendar) }],
      zone: 'UTC',
      overrides: override === undefined ? [] : [{ class: 'freeze', reason: override }],
    },
    clock: {
      nowMs: () => atMs,
      realMsUntil: () => 0,
      sleepUntil: () => Promise.resolve(),
      after: () => () => undefined,
      pauseRealMs: () => Promise.resolve(),
    },
    tell: () => undefined,
  });
}

describe('a run is not begun', () => {
  test.each([
    [
      'when its window is over',
      { window: { closesAtMs: NOON } },
      /its window is over: it closed Tue 2026-12-01 12:00 UTC/,
    ],
    [
      'when too little of it is left',
      { window: { closesAtMs: NOON + 3 * MIN - 1 } },
      /too little of its window is left/,
    ],
    [
      'when a freeze would begin before its way home',
      { window: { opensAtMs: NOON + 58 * MIN }, calendar: 'freezes.ics' },
      /the freeze "Elections" lasts from Tue 2026-12-01 13:00 UTC/,
    ],
    ['when a calendar cannot be read', { calendar: 'none.ics' }, /cannot be read: none\.ics: there is no such file/],
  ] as const)('%s', async (_, wish, why) => {
    const refused = watch(NOON, wish).begin();
    await expect(refused).rejects.toBeInstanceOf(NotNow);
    await expect(refused).rejects.toThrow(why);
  });
});

describe('a run is begun', () => {
  test('where it fits, and its journal knows the freezes', async () => {
    const window = { closesAtMs: NOON + 3 * MIN };
    expect(await watch(NOON, { window }).begin()).toEqual([]);
    expect(await watch(NOON, { window, calendar: 'freezes.ics' }).begin()).toEqual([
      { type: 'freezes', freezes: [{ title: 'Elections', fromMs: NOON + 60 * MIN, toMs: NOON + 360 * MIN }] },
    ]);
  });

  test('in spite of a freeze, or of a calendar that cannot be read, where a person decided so', async () => {
    const inside = { window: { opensAtMs: NOON + 90 * MIN }, calendar: 'freezes.ics', override: 'agreed' };
    expect(await watch(NOON, inside).begin()).toEqual([
      { type: 'overrode', class: 'freeze', about: 'Elections', by: 'anna', reason: 'agreed' },
      expect.objectContaining({ type: 'freezes' }),
    ]);
    const unread = watch(NOON, { calendar: 'none.ics', override: 'agreed' });
    expect(await unread.begin()).toEqual([
      { type: 'overrode', class: 'freeze', about: 'calendars', by: 'anna', reason: 'agreed' },
      { type: 'freezes', unread: 'none.ics: there is no such file' },
    ]);
    unread.close();
  });

  test('where it only gives back', async () => {
    const steps = (api: Api): readonly StepSpec[] => [giveTraffic(api)];
    const back = watch(NOON + 90 * MIN, { calendar: 'freezes.ics', steps });
    expect(await back.begin()).toEqual([expect.objectContaining({ type: 'freezes' })]);
  });
});

test('a run that is gone on with is told what is known, and is never refused', async () => {
  expect(await watch(NOON + 90 * MIN, { calendar: 'freezes.ics' }).goOn()).toMatchObject([{ type: 'freezes' }]);
  const unread = watch(NOON, { window: { closesAtMs: NOON - 1 }, calendar: 'none.ics' });
  expect(await unread.goOn()).toEqual([{ type: 'freezes', unread: 'none.ics: there is no such file' }]);
  unread.close();
});
