import { describe, expect, test } from 'vitest';
import { defineRunbook, gate, inSlots, question, refreshCaches, z, type GateOptions } from '../../src/index.ts';
import type { Plan, Runbook } from '../../src/model/index.ts';
import { Drive, goesWell, seen, type Script } from '../support/drive.ts';
import { paperFleet } from '../support/fleet.ts';
import { setAside } from '../support/kinds.ts';
import { compiled, outlineOf } from '../support/plans.ts';

const ANSWERS = { yes: 'go-on', 'not yet': 'ask-again', failed: 'go-home' } as const;

function planWith(
  options: Partial<GateOptions>,
  answers: Readonly<Record<string, 'go-on' | 'ask-again' | 'go-home'>> = ANSWERS,
): Plan {
  const runbook = defineRunbook({
    title: 'made up',
    reach: { api: ['ssh'] },
    inputs: z.strictObject({}),
    budget: { failures: 2 },
    window: { limitMs: 24 * 3_600_000 },
    steps: ({ api }) => [
      inSlots({ perSecond: 1000, fraction: 1 }, refreshCaches(api)),
      question('Go on?', { role: 'any', onTimeout: 'hold', answers, ...options }),
      setAside(api),
    ],
  }) as unknown as Runbook;
  const fleet = paperFleet({ servers: 2 });
  return compiled({ runbook, fleet, laid: outlineOf(runbook, fleet) });
}

function at(options: Partial<GateOptions>, script?: Script): Drive {
  return new Drive(planWith(options), script).until(10);
}

describe('a gate', () => {
  test('is asked once, and lets nothing through until it is answered', () => {
    const drive = at({}).until(3_600_000);
    expect(drive.gate()).toEqual({ phase: 'asked', asks: 1 });
    expect(drive.made('perform')).toEqual(['api-1', 'api-2']);
    expect(drive.answer('2', 'yes').closed.outcome).toBe('done');
  });

  test.each([
    ['perhaps', '2'],
    ['yes', '3'],
    ['yes', 'c1:2'],
    ['toString', '2'],
    ['__proto__', '2'],
  ])('the answer %j to gate %j moves nothing', (answer, id) => {
    const drive = at({});
    const before = drive.state.tracks;
    expect(drive.answer(id, answer).state.tracks).toEqual(before);
  });

  test('"not yet" is asked again after a while, not at once', () => {
    const drive = at({}).answer('2', 'not yet');
    expect(drive.gate()).toEqual({ phase: 'waiting', asks: 1 });
    drive.until(drive.nowMs + 4_999);
    expect(drive.gate()?.asks).toBe(1);
    drive.until(drive.nowMs + 1);
    expect(drive.gate()).toEqual({ phase: 'asked', asks: 2 });
  });

  test('"no" goes home, and an answer after it changes nothing', () => {
    const drive = at({}).answer('2', 'failed').answer('2', 'yes');
    expect(drive.closed).toMatchObject({ outcome: 'home', exitCode: 1 });
  });

  test('an answer that is too old when it could be acted upon is asked again', () => {
    const drive = at({ freshMs: 30_000 }).until(100_000).answer('2', 'yes', 69_999);
    expect(drive.gate()).toEqual({ phase: 'asked', asks: 2 });
    expect(drive.answer('2', 'yes', 70_000).closed.outcome).toBe('done');
  });

  test('an answer that became old while the run was halted is asked again', () => {
    const drive = at({ freshMs: 30_000 }).say({ type: 'halted', by: 'somebody' }).answer('2', 'yes').until(40_000);
    expect(drive.gate()).toEqual({ phase: 'answered', asks: 1 });
    drive.say({ type: 'unhalted', by: 'somebody' }).settle();
    expect(drive.gate()).toEqual({ phase: 'asked', asks: 2 });
  });

  test('an engine that died between question and answer asks again', () => {
    const drive = at({}).say({ type: 'engine', pid: 2, host: 'h', neap: '0' }).settle();
    expect(drive.gate()).toEqual({ phase: 'asked', asks: 2 });
  });

  test('nobody answers: abort goes home at its time, also while halted; hold waits on', () => {
    expect(at({ onTimeout: 'abort', expiresMs: 60_000 }).until(59_000).state.mode).toBe('forward');
    expect(at({ onTimeout: 'abort', expiresMs: 60_000 }).until(60_100).closed).toMatchObject({ outcome: 'home' });
    expect(
      at({ onTimeout: 'abort', expiresMs: 60_000 }).say({ type: 'halted', by: 'somebody' }).until(60_100).state.homeWhy
        ?.code,
    ).toBe('timeout');
    expect(at({ onTimeout: 'hold', expiresMs: 60_000 }).until(600_000).gate()?.phase).toBe('asked');
  });

  test('while nobody answers the fuse burns: before it is too short everything is refreshed again, and not earlier', () => {
    const clocks = (nowMs: number): unknown => ({
      clocks: [{ name: 'sessions', whenExpired: 'fatal', ageMs: 0, ttlMs: 200_000, readAtMs: nowMs }],
    });
    const script: Script = (effect, nowMs) =>
      effect.effect === 'confirm'
        ? { type: 'confirmed', id: effect.id, readings: clocks(nowMs) as never }
        : goesWell()(effect, nowMs);
    const drive = at({ fuse: { outageMs: 120_000, marginMs: 20_000 } }, script);
    drive.until(59_000);
    expect(drive.made('perform')).toHaveLength(2);
    drive.until(61_000);
    expect(drive.made('perform')).toHaveLength(4);
    expect(drive.gate()).toEqual({ phase: 'asked', asks: 2 });
    expect(new Set(drive.effects.map(({ id }) => id)).size).toBe(drive.effects.length);
  });

  test('a late answer to a gate whose fuse is too short by then is not acted upon', () => {
    const short = { clocks: [{ name: 'sessions', whenExpired: 'fatal', ageMs: 0, ttlMs: 200_000, readAtMs: 0 }] };
    let slow = false;
    const script: Script = (effect, nowMs) => {
      if (effect.effect === 'confirm')
        return {
          type: 'confirmed',
          id: effect.id,
          readings: { clocks: [{ ...short.clocks[0], readAtMs: nowMs }] } as never,
        };
      return slow && effect.effect === 'look' ? undefined : goesWell()(effect, nowMs);
    };
    const drive = at({ fuse: { outageMs: 120_000, marginMs: 20_000 } }, script);
    slow = true;
    drive.nowMs = 100_000;
    drive.answer('2', 'yes');
    expect(drive.events.some(({ type }) => type === 'renewed')).toBe(true);
    expect(drive.gate()).toBeNull();
  });
});

test('gate() is yes or no', () => {
  expect(gate('Go?', { role: 'any', onTimeout: 'hold' }).answers).toEqual({ yes: 'go-on', no: 'go-home' });
  expect(seen(null).repeatable).toBe(true);
});
