import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Guard } from '../../src/model/index.ts';
import { judge, silentAtMs, unread, type GuardReading, type Judged } from '../../src/run/index.ts';

// Goal: what many readings of a guard make of it (promise 7). Method: readings by hand at chosen instants, and at random.

const guard = (times: Partial<Guard> = {}): Guard => ({
  id: 'g1',
  title: 'Load',
  read: { guard: 'command', run: ['load'], timeoutMs: 1_000 },
  everyMs: 5_000,
  forMs: 20_000,
  clearForMs: 30_000,
  noDataMs: 15_000,
  covers: ['1'],
  onTrip: 'home',
  ...times,
});

type Sort = GuardReading['sort'];
const reading = (sort: Sort): GuardReading => ({ sort, seen: sort });

/** Reads every 5 s from `fromMs`, as these letters say: good, warn, bad, silence. */
function read(rule: Guard, letters: string, from: Judged = unread(0), fromMs = 0): Judged[] {
  const sorts: Record<string, Sort> = { g: 'good', w: 'warn', b: 'bad', '-': 'no-data' };
  let judged = from;
  return letters.split('').map((letter, at) => {
    judged = judge(rule, judged, reading(sorts[letter]!), fromMs + at * 5_000);
    return judged;
  });
}
const standings = (rule: Guard, letters: string) => read(rule, letters).map(({ standing }) => standing);

describe('bad for so long', () => {
  test('trips it, with the first bad reading as its onset; before that it warns', () => {
    const all = read(guard(), 'gbbbbb');
    expect(all.map(({ standing }) => standing)).toEqual(['clear', 'warn', 'warn', 'warn', 'warn', 'trip']);
    expect(all.at(-1)).toMatchObject({ onsetAtMs: 5_000, seen: 'bad' });
  });

  test('with forMs 0 the first one does', () => {
    expect(standings(guard({ forMs: 0 }), 'gb')).toEqual(['clear', 'trip']);
    expect(standings(guard({ forMs: 0 }), 'b')).toEqual(['trip']);
  });

  test('who was never seen otherwise stays unread until it trips, or is seen good', () => {
    expect(standings(guard(), 'bbbbb')).toEqual([null, null, null, null, 'trip']);
    expect(standings(guard(), 'bbg')).toEqual([null, null, 'clear']);
  });

  test('one good or warning reading begins it anew', () => {
    expect(standings(guard(), 'gbbbbgbbbb').at(-1)).toBe('warn');
    expect(standings(guard(), 'gbbbbwbbbb').at(-1)).toBe('warn');
  });

  test('silence shorter than noDataMs does not break it', () => {
    expect(read(guard(), 'gbb--b').at(-1)).toMatchObject({ standing: 'trip', onsetAtMs: 5_000 });
  });

  test('after a longer silence it begins anew: nobody saw what was between', () => {
    const early = read(guard(), 'gb').at(-1)!;
    const late = judge(guard(), early, reading('bad'), 60_000);
    expect(late).toMatchObject({ standing: 'warn', badSinceMs: 60_000 });
  });
});

describe('clear for so long', () => {
  test('clears it again, and not before', () => {
    const all = read(guard({ forMs: 0 }), 'bggggggg');
    expect(all.map(({ standing }) => standing)).toEqual([...Array(7).fill('trip'), 'clear']);
    expect(all.at(-1)?.onsetAtMs).toBe(5_000);
  });

  test('a bad reading, or a missing one, begins it anew', () => {
    expect(standings(guard({ forMs: 0 }), 'bggggbggggg').at(-1)).toBe('trip');
    expect(standings(guard({ forMs: 0 }), 'bgggg-ggggg').at(-1)).toBe('trip');
  });

  test('a warning is calm, and does not stop', () => {
    expect(standings(guard({ forMs: 0 }), 'bwwwwwww').at(-1)).toBe('warn');
    expect(standings(guard(), 'gw')).toEqual(['clear', 'warn']);
  });
});

describe('silence', () => {
  test('is no data after noDataMs, since the first reading that brought none', () => {
    const all = read(guard(), 'gg----');
    expect(all.map(({ standing }) => standing)).toEqual(['clear', 'clear', 'clear', 'clear', 'no-data', 'no-data']);
    expect(all.at(-1)?.onsetAtMs).toBe(10_000);
  });

  test('is no data too when a reading is still under way', () => {
    const [, judged] = read(guard(), 'gg');
    expect(silentAtMs(guard(), judged!)).toBe(20_000);
    expect(judge(guard(), judged!, null, 19_999).standing).toBe('clear');
    expect(judge(guard(), judged!, null, 20_000)).toMatchObject({
      standing: 'no-data',
      seen: 'no reading came in time',
    });
  });

  test('leaves what is tripped tripped, and a reading must clear it', () => {
    expect(standings(guard({ forMs: 0 }), 'b-----------').at(-1)).toBe('trip');
    expect(standings(guard({ forMs: 0 }), '----g').at(-1)).toBe('no-data');
    expect(standings(guard({ forMs: 0 }), '----ggggggg').at(-1)).toBe('clear');
  });
});

describe('whatever comes', () => {
  const sorts = fc.array(fc.constantFrom<Sort>('good', 'warn', 'bad', 'no-data'), { maxLength: 60 });

  test('silence never trips: where no reading is bad, nothing does', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom<Sort>('good', 'warn', 'no-data')), fc.nat(60_000), (all, forMs) => {
        let judged = unread(0);
        for (const [at, sort] of all.entries()) {
          judged = judge(guard({ forMs }), judged, reading(sort), at * 5_000);
          expect(judged.standing).not.toBe('trip');
        }
      }),
    );
  });

  test('flapping faster than forMs never trips', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 20 }), (streaks) => {
        const letters = streaks.map((bad) => `${'b'.repeat(bad)}g`).join('');
        expect(standings(guard(), letters)).not.toContain('trip');
      }),
    );
  });

  test('a trip has bad readings and no calm one from its onset on, for at least forMs', () => {
    fc.assert(
      fc.property(sorts, (all) => {
        let judged = unread(0);
        for (const [at, sort] of all.entries()) {
          const before = judged;
          judged = judge(guard(), judged, reading(sort), at * 5_000);
          if (judged.standing !== 'trip' || before.standing === 'trip') continue;
          const { onsetAtMs } = judged;
          const since = all.slice(onsetAtMs / 5_000, at + 1);
          expect(at * 5_000 - onsetAtMs).toBeGreaterThanOrEqual(20_000);
          expect([since[0], since.at(-1)]).toEqual(['bad', 'bad']);
          expect(since.some((each) => each === 'good' || each === 'warn')).toBe(false);
        }
      }),
    );
  });

  test('what stops is left by calm readings alone, without a break, for clearForMs', () => {
    fc.assert(
      fc.property(sorts, (all) => {
        let judged = unread(0);
        for (const [at, sort] of all.entries()) {
          const before = judged.standing;
          judged = judge(guard({ forMs: 0 }), judged, reading(sort), at * 5_000);
          if ((before !== 'trip' && before !== 'no-data') || judged.standing === before || judged.standing === 'trip')
            continue;
          expect(all.slice(at - 6, at + 1).every((each) => each === 'good' || each === 'warn')).toBe(true);
        }
      }),
    );
  });
});
