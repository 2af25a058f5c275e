import { expect, test } from 'vitest';
import { defineRunbook, giveTraffic, inWaves, z } from '../../src/index.ts';
import type { PlanHeader, Runbook, StepSpec, Targets, Way } from '../../src/model/index.ts';
import { paperFleet } from '../support/fleet.ts';
import { setAside } from '../support/kinds.ts';
import { compiled, outlineOf } from '../support/plans.ts';

// Goal: a window that cannot hold its run, and a freeze that it meets, are refused in the preview.

const MIN = 60_000;
const HOUR = 60 * MIN;
const DAY = 24 * HOUR;

type Api = Targets<Way>;

/** Made at 0; one minute of work, two of way home, and a limit of an hour. */
function findings(
  window: Partial<PlanHeader['window']>,
  freezes: PlanHeader['freezes'] = [],
  steps: (api: Api) => readonly StepSpec[] = (api) => [inWaves({ atMost: 1 }, setAside(api))],
): string[] {
  const runbook = defineRunbook({
    title: 'made up',
    reach: { api: ['ssh', 'http', 'bmc'] },
    inputs: z.strictObject({}),
    budget: { failures: 1 },
    window: { limitMs: HOUR },
    steps: ({ api }) => steps(api),
  }) as unknown as Runbook;
  const fleet = paperFleet({ servers: 60 });
  const { header } = compiled({ runbook, fleet, laid: outlineOf(runbook, fleet), window, freezes });
  return header.findings.map(({ severity, code, what }) => `${severity} ${code}: ${what}`);
}

/** What was found, with what is wanted of it in place of what matches that. */
function alike(found: readonly string[], expected: readonly (string | RegExp)[]): readonly (string | RegExp)[] {
  return found.map((each, at) => {
    const wanted = expected[at];
    return wanted instanceof RegExp && wanted.test(each) ? wanted : each;
  });
}

test.each([
  ['nothing said', {}, []],
  ['one that fits', { opensAtMs: HOUR, closesAtMs: 2 * HOUR, plannedMs: 5 * MIN }, []],
  ['just long enough', { opensAtMs: HOUR, closesAtMs: HOUR + 3 * MIN }, []],
  [
    'closed before it opens',
    { opensAtMs: 2 * HOUR, closesAtMs: HOUR },
    ['refusal window: the window closes before it opens'],
  ],
  ['over', { opensAtMs: -3 * HOUR, closesAtMs: -2 * HOUR }, ['refusal window: the window closed 2 h ago']],
  [
    'too short',
    { opensAtMs: HOUR, closesAtMs: HOUR + 3 * MIN - 1 },
    [/^refusal window: the run is expected to take 1 min and its way home 2 min/],
  ],
  ['already open', { opensAtMs: -10 * MIN, closesAtMs: HOUR }, ['warning window: the window opened 10 min ago']],
  [
    'open, and too short from now',
    { opensAtMs: -HOUR, closesAtMs: 2 * MIN },
    [/^warning/, /^refusal window: .* until it closes/],
  ],
  [
    'too far away',
    { opensAtMs: 9 * DAY },
    [/^refusal window: the window opens in 9 days, and what was read for this plan holds for 7 days/],
  ],
  ['planned too long', { plannedMs: 2 * HOUR }, ['refusal window: 120 min are planned, and the window is 60 min']],
  ['planned too short', { plannedMs: 30_000 }, [/^warning planned: .* people will be told/]],
] as const)('a window: %s', (_, window, expected) => {
  expect(alike(findings(window), expected)).toEqual(expected);
});

const freeze = (fromMs: number, toMs: number): PlanHeader['freezes'] => [{ title: 'F', fromMs, toMs }];

test.each([
  [
    'holds at the opening',
    { opensAtMs: HOUR },
    freeze(0, 2 * HOUR),
    [/^refusal freeze: the freeze "F" holds when the window opens/],
  ],
  ['begins before the way home is over', { opensAtMs: HOUR }, freeze(HOUR + 3 * MIN - 1, DAY), [/^refusal freeze/]],
  ['begins behind it', { opensAtMs: HOUR }, freeze(HOUR + 3 * MIN, DAY), []],
  ['is over at the opening', { opensAtMs: HOUR }, freeze(0, HOUR), []],
  [
    'holds now, no opening said',
    {},
    freeze(-HOUR, HOUR),
    [/^warning freeze: the freeze "F" holds now and for 60 min more/],
  ],
  [
    "comes in the plan's time, no opening said",
    {},
    freeze(3 * DAY, 4 * DAY),
    [/^warning freeze: the freeze "F" begins 3 days from now/],
  ],
  ['comes when the plan has lapsed', {}, freeze(8 * DAY, 9 * DAY), []],
] as const)('a freeze that %s', (_, window, freezes, expected) => {
  expect(alike(findings(window, freezes), expected)).toEqual(expected);
});

test('a plan that only gives back is warned of a freeze, and not refused', () => {
  expect(findings({ opensAtMs: HOUR }, freeze(0, DAY), (api) => [giveTraffic(api)])).toEqual([
    expect.stringMatching(/^warning freeze/),
  ]);
});
