import { expect, test } from 'vitest';
import { Pacing } from '../../src/engine/pacing.ts';
import { delayReader } from '../../src/engine/delays.ts';
import { inSlots, probe, refreshCaches } from '../../src/index.ts';
import { FailureError, type Failure } from '../../src/model/index.ts';
import type { Clock, Reader } from '../../src/ports/index.ts';
import type { RunEvent } from '../../src/run/index.ts';
import { Drive, goesWell } from '../support/drive.ts';
import { paperFleet } from '../support/fleet.ts';
import { failureOf, planOf } from '../support/made-up.ts';

/** Time that a test lets pass. */
class HandClock implements Clock {
  #nowMs = 0;
  #due: { readonly atMs: number; readonly call: () => void }[] = [];

  nowMs = (): number => this.#nowMs;
  pauseRealMs = (): Promise<void> => Promise.resolve();
  realMsUntil = (atMs: number): number => Math.max(0, atMs - this.#nowMs);
  sleepUntil = (atMs: number): Promise<void> => new Promise((resolve) => void this.after(atMs, resolve));
  after = (atMs: number, call: () => void): (() => void) => {
    const due = { atMs, call };
    this.#due.push(due);
    return () => void (this.#due = this.#due.filter((each) => each !== due));
  };

  async pass(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      const [next] = this.#due.toSorted((a, b) => a.atMs - b.atMs);
      if (!next || next.atMs > untilMs) break;
      this.#due = this.#due.filter((each) => each !== next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.call();
    }
    this.#nowMs = untilMs;
  }
}

interface Stage {
  readonly clock: HandClock;
  readonly pacing: Pacing;
  readonly drive: Drive;
  readonly told: RunEvent[];
  delayMs: number | null;
  reads: number;
}

/** Twenty servers in slots of one a second, two of which are begun, watched by a loop. */
function stage(): Stage {
  const plan = planOf({
    servers: 20,
    failures: 20,
    steps: (api) => [inSlots({ perSecond: 1, fraction: 1 }, refreshCaches(api)), probe(api)],
  });
  const drive = new Drive(plan, goesWell({ refresh: ['sessions'] })).until(1_000);
  const clock = new HandClock();
  const told: RunEvent[] = [];
  const delayOf = async (): Promise<number | null> => {
    on.reads += 1;
    return on.delayMs;
  };
  const tell = (event: RunEvent): void => {
    told.push(event);
    pacing.follow(drive.say(event).state, [event]);
  };
  const pacing = new Pacing({ clock, index: drive.machine.index, delayOf, tell });
  const on: Stage = { clock, pacing, drive, told, delayMs: 3, reads: 0 };
  pacing.follow(drive.state, []);
  return on;
}

const sharesOf = (told: readonly RunEvent[]): number[] =>
  told.flatMap((event) => (event.type === 'paced' ? [event.share] : []));

test('tells a slower pace once a window while queries wait long, and a faster one when they do not', async () => {
  const on = stage();
  await on.clock.pass(20_000);
  expect(on.told).toEqual([]);
  on.delayMs = 80;
  await on.clock.pass(10_500);
  expect(sharesOf(on.told)).toEqual([0.5, 0.25]);
  expect(on.told[0]).toEqual({
    type: 'paced',
    track: 'main',
    step: '1',
    share: 0.5,
    why: 'the delay was 80 ms at least for 5 s',
  });
  on.delayMs = 2;
  await on.clock.pass(40_000);
  expect(sharesOf(on.told).slice(2)).toEqual([0.375, 0.5, 0.625, 0.75, 0.875, 1]);
  on.pacing.close();
});

test('freezes on failures of this step, whatever the delay, and not on those of another', async () => {
  const on = stage();
  const failed = (id: string): RunEvent => ({ type: 'confirmed', id, failure: failureOf('not-confirmed') });
  await on.clock.pass(500);
  on.pacing.follow(
    on.drive.state,
    [1, 2, 3].map((k) => failed(`main/1.0/api-${k}/confirm/0`)),
  );
  await on.clock.pass(1_500);
  expect(on.told).toEqual([]);
  on.pacing.follow(
    on.drive.state,
    [1, 2, 3].map((k) => failed(`main/0.0/api-0${k}/confirm/0`)),
  );
  await on.clock.pass(1_500);
  expect(on.told).toMatchObject([{ share: 0, why: '3 of 3 refreshes failed' }]);
  await on.clock.pass(5_500);
  expect(sharesOf(on.told)).toEqual([0, 0.5]);
  on.pacing.close();
});

test('ends with the step, and reads nothing more', async () => {
  const on = stage();
  await on.clock.pass(3_000);
  on.pacing.follow(on.drive.until(60_000).state, []);
  const { reads } = on;
  expect(reads).toBeGreaterThan(1);
  on.delayMs = 900;
  await on.clock.pass(60_000);
  expect([on.reads, on.told]).toEqual([reads, []]);
});

test('a delay is a number of milliseconds; no answer in time is the longest, and everything else is no reading', async () => {
  const fleet = paperFleet({ servers: 2 });
  let answer = '7.5';
  const asked: string[] = [];
  const reader = ({ name }: { readonly name: string }): Reader =>
    ({
      ask: (what: string) => {
        asked.push(`${name} ${what}`);
        if (/^[a-z]/.test(answer)) throw new FailureError(failureOf(answer as Failure['kind']));
        return Promise.resolve(answer);
      },
    }) as unknown as Reader;
  const delayOf = delayReader(fleet, { reader });
  const read = (): Promise<number | null> => delayOf('database', ['api-1', 'api-2'], asked.length);
  expect(await read()).toBe(7.5);
  answer = 'timeout';
  expect(await read()).toBe(Infinity);
  for (const nothing of ['command', 'unreachable', '', '-1', '12 ms', '99999999999'] as const) {
    answer = nothing;
    expect(await read()).toBeNull();
  }
  // One after the other is asked, so that one server that is slow itself does not slow all.
  expect(new Set(asked)).toEqual(new Set(['api-1 delay:database', 'api-2 delay:database']));
  expect(await delayOf('queue', ['api-1'], 0)).toBeNull();
});
