import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { durationsOf } from '../../src/engine/durations.ts';
import { historyOf } from '../../src/engine/history.ts';
import { inWaves, probe } from '../../src/index.ts';
import { createJournal } from '../../src/journal/index.ts';
import type { JsonObject, Plan } from '../../src/model/index.ts';
import { historyKey, withHistory } from '../../src/plan/index.ts';
import type { RunEvent, Stamped } from '../../src/run/index.ts';
import { Drive, goesWell } from '../support/drive.ts';
import { paperFleet } from '../support/fleet.ts';
import { setAside } from '../support/kinds.ts';
import { planOf } from '../support/made-up.ts';

const SECOND = 1_000;
const soaked = { forMs: 60 * SECOND };
const plan: Plan = planOf({
  servers: 8,
  failures: 8,
  steps: (api) => [inWaves({ atMost: 8 }, setAside(api, soaked)), probe(api, {})],
});
const setAsideKey = historyKey('set-aside', soaked, 'perform');

/** A run whose server n takes n seconds to be set aside, besides its soak; `between` comes while they are at it. */
function sailed(between: readonly RunEvent[] = []): Stamped[] {
  const drive = new Drive(plan, (effect, nowMs) => {
    const server = 'place' in effect ? Number(effect.place.target.slice(4)) : 0;
    if (effect.effect !== 'confirm' || effect.soakUntilMs === null) return goesWell()(effect, nowMs);
    return nowMs >= effect.soakUntilMs + server * SECOND ? goesWell()(effect, nowMs) : undefined;
  });
  const stamped: Stamped[] = drive.events.map((event) => ({ atMs: 0, event }));
  const say = (event: RunEvent): void => {
    drive.say(event);
    stamped.push({ atMs: drive.nowMs, event });
  };
  drive.settle();
  stamped.splice(0, stamped.length, ...drive.events.map((event) => ({ atMs: 0, event })));
  for (const event of between) say(event);
  for (let second = 1; second <= 8 && between.length === 0; second += 1) {
    drive.nowMs = (60 + second) * SECOND;
    const confirm = drive.effects.find(
      (effect) => effect.effect === 'confirm' && effect.place.target === `api-${second}`,
    );
    say({ type: 'confirmed', id: confirm?.id ?? '' });
  }
  const seen = drive.events.length;
  drive.settle();
  for (const event of drive.events.slice(seen)) stamped.push({ atMs: drive.nowMs, event });
  return stamped;
}

describe('what one run showed', () => {
  test('is how long each server took, without its soak', () => {
    const measured = durationsOf(sailed(), plan);
    expect(measured.get(setAsideKey)).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((second) => second * SECOND));
  });

  test.each([
    ['an engine that died', { type: 'engine', pid: 2, host: 'h', neap: '0' }],
    ['a machine that slept', { type: 'jumped', sort: 'slept', byMs: 3_600_000 }],
  ] as const)('counts nothing that %s was in', (_, event) => {
    const events = sailed([event]);
    const confirms = events.flatMap(({ event: each }) =>
      each.type === 'intended' && each.effect.effect === 'confirm' ? [each.effect.id] : [],
    );
    const late = confirms.map((id): Stamped => ({ atMs: 9_000_000, event: { type: 'confirmed', id } }));
    expect(durationsOf([...events, ...late], plan).get(setAsideKey)).toBeUndefined();
  });
});

describe('what is expected of a step', () => {
  const expected = (tookMs: readonly number[]) => {
    const [step] = withHistory(plan.header.steps, new Map([[setAsideKey, { runs: 2, tookMs }]]));
    return step?.step === 'act' ? { ms: step.expectedMs, from: step.expectedFrom } : null;
  };

  test('is the median of five times and more, and the window reckons with the slow ones', () => {
    expect(expected([9_000, 1_000, 2_000, 3_000, 4_000])).toEqual({
      ms: 3_000,
      from: { from: 'history', runs: 2, samples: 5, medianMs: 3_000, p95Ms: 9_000, kindMs: 1_000 },
    });
  });

  test('is what its kind says while there are fewer, which are shown', () => {
    expect(expected([9_000, 9_000, 9_000, 9_000])).toMatchObject({ ms: 1_000, from: { samples: 4, medianMs: 9_000 } });
  });

  test('is never next to nothing', () => {
    expect(expected([0, 0, 0, 0, 0, 0])).toMatchObject({ ms: 100 });
  });

  test('of another input is not known', () => {
    const other = withHistory(
      plan.header.steps,
      new Map([[historyKey('set-aside', { forMs: 1 }, 'perform'), { runs: 1, tookMs: [1, 1, 1, 1, 1] }]]),
    );
    expect(other).toEqual(plan.header.steps);
  });
});

describe('earlier runs of a state folder', () => {
  let stateDir: string;
  beforeAll(async () => {
    stateDir = await mkdtemp(join(tmpdir(), 'neap-history-'));
    await run('2026-01-01-aaaaaa', sailed());
    await run('2026-01-02-bbbbbb', sailed());
    await run(
      '2026-01-03-cccccc',
      sailed().filter(({ event }) => event.type !== 'closed'),
    );
  });
  afterAll(() => rm(stateDir, { recursive: true }));

  async function run(name: string, events: readonly Stamped[]): Promise<void> {
    const dir = join(stateDir, 'runs', name);
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await writeFile(join(dir, 'plan.json'), JSON.stringify(plan));
    await writeFile(join(dir, 'order.json'), '{}');
    const journal = await createJournal(join(dir, 'journal.db'), { run: name });
    if (events.length > 0)
      await journal.append(events.map(({ atMs, event }) => ({ atMs, event: event as unknown as JsonObject })));
    await journal.close();
  }

  test('count when they are over, are of the same fleet and of the same time, and are read once', async () => {
    const fleet = paperFleet({ servers: 8 });
    const first = await historyOf(stateDir, fleet);
    expect(first.get(setAsideKey)).toMatchObject({ runs: 2 });
    expect(first.get(setAsideKey)?.tookMs).toHaveLength(16);
    expect(
      JSON.parse(await readFile(join(stateDir, 'runs', '2026-01-01-aaaaaa', 'durations.json'), 'utf8')),
    ).toMatchObject({ fleet: 'paper', rate: 1 });
    await rm(join(stateDir, 'runs', '2026-01-01-aaaaaa', 'journal.db'));
    await writeFile(join(stateDir, 'runs', '2026-01-01-aaaaaa', 'journal.db'), '');
    expect(await historyOf(stateDir, fleet)).toEqual(first);
    await rm(join(stateDir, 'runs', '2026-01-03-cccccc'), { recursive: true });
    expect((await historyOf(stateDir, { ...fleet, name: 'other' })).size).toBe(0);
    expect((await historyOf(stateDir, { ...fleet, clock: { anchorRealMs: 0, anchorPlanMs: 0, rate: 20 } })).size).toBe(
      0,
    );
  });
});
