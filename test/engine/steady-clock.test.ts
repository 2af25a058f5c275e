import { describe, expect, test } from 'vitest';
import { steadyClock, type Jumped } from '../../src/engine/steady-clock.ts';
import type { TimeSource } from '../../src/engine/clock.ts';
import type { Fleet } from '../../src/model/index.ts';

const HOUR = 3_600_000;

/** Clocks of a machine that does what it is told: it is awake, it sleeps, its clock is set. */
class Machine implements TimeSource {
  #wall = 1_800_000_000_000;
  #awake = 5_000;
  #boot = 9_000;
  readonly tells: boolean;

  constructor(tells = true) {
    this.tells = tells;
  }

  wallMs = (): number => this.#wall;
  awakeMs = (): number => this.#awake;
  sinceBootMs = (): number | null => (this.tells ? this.#boot : null);

  lives(ms: number): void {
    this.#wall += ms;
    this.#awake += ms;
    this.#boot += ms;
  }

  sleeps(ms: number): void {
    this.#wall += ms;
    this.#boot += ms;
  }

  isSet(ms: number): void {
    this.#wall += ms;
  }
}

function clockOn(machine: Machine, fleet?: Fleet['clock']) {
  const jumps: Jumped[] = [];
  const clock = steadyClock(fleet, (event) => jumps.push(event), machine);
  const fromMs = clock.nowMs();
  return { clock, jumps, passedMs: () => clock.nowMs() - fromMs };
}

describe('plan time of an engine', () => {
  test.each([HOUR, -HOUR])('goes on evenly when the clock is set by %d ms, and that is told once', (byMs) => {
    const machine = new Machine();
    const { jumps, passedMs } = clockOn(machine);
    machine.lives(1_000);
    machine.isSet(byMs);
    machine.lives(1_000);
    expect(passedMs()).toBe(2_000);
    machine.lives(60_000);
    expect(passedMs()).toBe(62_000);
    expect(jumps).toEqual([{ type: 'jumped', sort: 'clock', byMs }]);
  });

  test('goes on through a sleep, which is told apart from a clock that was set meanwhile', () => {
    const machine = new Machine();
    const { jumps, passedMs } = clockOn(machine);
    machine.sleeps(8 * HOUR);
    expect(passedMs()).toBe(8 * HOUR);
    machine.sleeps(HOUR);
    machine.isSet(-2 * HOUR);
    expect(passedMs()).toBe(9 * HOUR);
    expect(jumps).toEqual([
      { type: 'jumped', sort: 'slept', byMs: 8 * HOUR },
      { type: 'jumped', sort: 'slept', byMs: HOUR },
      { type: 'jumped', sort: 'clock', byMs: -2 * HOUR },
    ]);
  });

  test('where the system does not tell of sleep, time that is missing counts as passed, and time set back does not', () => {
    const machine = new Machine(false);
    const { jumps, passedMs } = clockOn(machine);
    machine.isSet(HOUR);
    expect(passedMs()).toBe(HOUR);
    machine.isSet(-HOUR);
    expect(passedMs()).toBe(HOUR);
    expect(jumps.map(({ sort }) => sort)).toEqual(['slept', 'clock']);
  });

  test('drift is followed and not told', () => {
    const machine = new Machine();
    const { jumps, passedMs } = clockOn(machine);
    for (let second = 0; second < 1_000; second += 1) {
      machine.lives(1_000);
      machine.isSet(20);
      passedMs();
    }
    expect(passedMs()).toBe(1_000 * 1_020);
    expect(jumps).toEqual([]);
  });

  test('of a lab runs at its rate, and jumps are told in its time', () => {
    const machine = new Machine();
    const { jumps, passedMs } = clockOn(machine, { anchorRealMs: machine.wallMs(), anchorPlanMs: 0, rate: 20 });
    machine.lives(1_000);
    machine.isSet(-60_000);
    expect(passedMs()).toBe(20_000);
    expect(jumps).toEqual([{ type: 'jumped', sort: 'clock', byMs: -1_200_000 }]);
  });

  test('goes on where an earlier engine was, also when the clock was set back while there was none', () => {
    const machine = new Machine();
    const earlier = clockOn(machine);
    machine.isSet(HOUR);
    const lastMs = earlier.clock.nowMs();
    const later = clockOn(machine);
    later.clock.goOn(HOUR, lastMs);
    expect(later.clock.nowMs()).toBe(lastMs);
    expect(later.jumps).toEqual([]);
    machine.isSet(-3 * HOUR);
    const last = clockOn(machine);
    last.clock.goOn(HOUR, lastMs);
    expect(last.clock.nowMs()).toBe(lastMs);
    expect(last.jumps).toEqual([{ type: 'jumped', sort: 'clock', byMs: -3 * HOUR }]);
    machine.lives(500);
    expect(last.clock.nowMs()).toBe(lastMs + 500);
  });

  test('a wait that is under way when the clock is set back is no longer for it', () => {
    const machine = new Machine();
    const { clock } = clockOn(machine);
    const untilMs = clock.nowMs() + 10_000;
    machine.isSet(-HOUR);
    expect(clock.realMsUntil(untilMs)).toBe(10_000);
  });
});
