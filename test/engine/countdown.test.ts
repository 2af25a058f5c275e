import { expect, test } from 'vitest';
import { lastResort } from '../../src/engine/countdown.ts';
import { durationsOf, SHED_KEY } from '../../src/engine/durations.ts';
import { edgeSchema, type Forecast, type Plan } from '../../src/model/index.ts';
import type { GuardReader } from '../../src/ports/index.ts';
import type { RunEvent } from '../../src/run/index.ts';
import { paperFleet } from '../support/fleet.ts';

// Goal: a plan with an outage says what it does when that outlasts the fuse, and what is wrong with it, before it is
// approved. Method: fleets on paper with and without a page, which a command of this machine tells.

const forecast: Forecast = { outageMs: 60_000, marginMs: 20_000, fuseMs: 160_000, because: [] };
const says =
  (sort: 'good' | 'warn' | 'no-data'): GuardReader =>
  () =>
    Promise.resolve({ sort, seen: 'x' });
const command = { command: ['page'] };
const edge = edgeSchema.parse({ read: command, on: command, off: command, takesMs: 4_000 });

function resort(forecasted: Forecast | null, page: 'good' | 'warn' | 'no-data' | null) {
  const fleet = { ...paperFleet({ servers: 2 }), ...(page === null ? {} : { edge }) };
  const { servers } = fleet;
  return lastResort({
    forecast: forecasted,
    fleet,
    servers,
    steps: [],
    read: says(page ?? 'no-data'),
    report: () => undefined,
    earlier: null,
  });
}
const codes = async (...input: Parameters<typeof resort>) =>
  (await resort(...input)).findings.map(({ severity, code, what }) => `${severity} ${code}: ${what}`);

test('the page goes on one dependency timeout and its own time before the first expiry', async () => {
  const { countdown, findings } = await resort(forecast, 'warn');
  expect(countdown?.shed).toMatchObject({ actMs: 14_000, timeoutMs: 10_000, takesMs: 4_000, takesFrom: 'declared' });
  expect(findings).toEqual([]);
});

test('an outage without anything to shed load by is warned of', async () => {
  expect(await codes(forecast, null)).toEqual([
    expect.stringMatching(/^warning shed: .*nothing is declared that sheds load/),
  ]);
});

test('no outage, or none that hurts: nothing to watch', async () => {
  expect(await resort(null, null)).toEqual({ countdown: null, findings: [] });
  expect(await resort({ ...forecast, fuseMs: null }, null)).toEqual({ countdown: null, findings: [] });
});

test('a page that cannot be read is refused: what is to save the fleet must work beforehand; one that is on is warned of', async () => {
  expect(await codes(forecast, 'no-data')).toEqual([
    expect.stringMatching(/^refusal shed: the balancer's page cannot be read/),
  ]);
  expect(await codes(forecast, 'good')).toEqual([
    expect.stringMatching(/^warning shed: the balancer's page is on now/),
  ]);
});

test('a fuse that leaves no time to shed behind the planned outage is warned of', async () => {
  expect(await codes({ ...forecast, outageMs: 150_000, marginMs: 5_000 }, 'warn')).toEqual([
    expect.stringMatching(
      /^warning shed: load would be shed 2 min 26 s after the cut, before the planned outage of 2 min 30 s is over/,
    ),
  ]);
});

test('how long shedding took is measured from its first intention, whatever failed in between', () => {
  const failure = { kind: 'timeout', what: 'x', where: 'x', state: 'x', remedy: 'x' } as const;
  const on = (id: string): RunEvent => ({ type: 'intended', effect: { effect: 'shed', id, on: true, servers: [] } });
  const events: readonly (readonly [number, RunEvent])[] = [
    [1_000, on('shed/1/on')],
    [3_000, { type: 'shed', id: 'shed/1/on', failure }],
    [5_000, on('shed/2/on')],
    [6_500, { type: 'shed', id: 'shed/2/on', found: 'off' }],
    // It was on already: that measures nothing.
    [9_000, on('shed/3/on')],
    [9_001, { type: 'shed', id: 'shed/3/on', found: 'on' }],
  ];
  const measured = durationsOf(
    events.map(([atMs, event]) => ({ atMs, event })),
    { header: { steps: [] } } as unknown as Plan,
  );
  expect(measured.get(SHED_KEY)).toEqual([5_500]);
});
