import { execFile } from 'node:child_process';
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { reading } from '../../src/index.ts';
import { clockSchema, type Clock } from '../../src/model/index.ts';
import { clockTold } from '../../src/steps/clock-answer.ts';

// Goal: what a clock's reading says is taken in its own unit and by its own idea of the time, and what a wrong unit or a
// wrong clock makes of it is refused with a word on what is wrong. Method: the readers that ship, on answers as they come;
// the file's by a real shell.

const NOW = 1_790_000_000_000;
const TTL = { min: 180_000, max: 240_000 };

function clock(read: Clock['read'], ttlMs = TTL): Clock {
  return clockSchema.parse({ name: 'config', read, refresh: { run: 'true' }, ttlMs });
}
const told = (read: Clock['read'], text: string, ttlMs = TTL) => clockTold(text, clock(read, ttlMs), NOW);

const redis = reading.redisTtl({ host: 'cache-1', key: 'config' });
const ages = reading.http({ url: 'http://api-1/cache?token=x', unit: 's', age: 'cache.age', ttl: 'cache.ttl' });
const expiry = reading.command({ run: 'tokenctl', unit: 's', expiresAt: null });

describe('what a reading means', () => {
  test.each([
    [undefined, '{"ageMs":30000,"ttlMs":200000}', 30_000, 200_000],
    [redis, '150000\n', 90_000, 240_000],
    [ages, '{"cache":{"age":"40","ttl":200}}', 40_000, 200_000],
    [expiry, String(NOW / 1000 + 100), 140_000, 240_000],
    // What is told is only an age: of the time to live the lowest is certain.
    [reading.prometheus({ url: 'http://p', query: 'age', is: 'age', unit: 's' }), '60', 60_000, 180_000],
    // Drawn a little longer than declared, it counts as it is.
    [redis, '250000', 0, 250_000],
    // The other clock is a little ahead.
    [ages, '{"cache":{"age":-1,"ttl":200}}', 0, 200_000],
  ])('%j, %s', (read, text, ageMs, ttlMs) => {
    expect(told(read, text)).toEqual({ told: 'age', ageMs, ttlMs });
  });

  test('a key that is not there is absent; one that never expires is no clock', () => {
    expect(told(redis, '-2')).toEqual({ told: 'absent' });
    expect(told(redis, '-1')).toMatchObject({ told: 'fault', what: expect.stringContaining('no clock') });
  });
});

describe('what cannot be true is refused, and said why', () => {
  test.each([
    [redis, 'NOAUTH Authentication required.', /is no number/],
    [redis, '210000000', /would live for another 210000 s.*milliseconds where seconds are declared/],
    [
      undefined,
      '{"ageMs":30,"ttlMs":210}',
      /TTL of 210 ms, far from the declared 180 s to 240 s.*seconds where milliseconds/,
    ],
    [ages, '{"cache":{"age":40,"ttl":200000}}', /milliseconds where seconds are declared/],
    [ages, '{"cache":{"age":40}}', /has no number at cache\.ttl/],
    [ages, '{"cache":{"age":-60,"ttl":200}}', /age of -60 s: the clock that it was set by is 60 s ahead/],
    [expiry, String(NOW), /would live for another/],
    [reading.command({ run: 'x', unit: 's', setAt: null }), String(NOW / 1000 + 90), /90 s ahead/],
    [undefined, 'Segmentation fault', /is not JSON/],
  ])('%j, %s', (read, text, why) => {
    expect(told(read, text)).toMatchObject({ told: 'fault', what: expect.stringMatching(why) });
  });

  test('the declared range itself is in seconds', () => {
    expect(told(undefined, '{"ageMs":30000,"ttlMs":210000}', { min: 180, max: 240 })).toMatchObject({
      told: 'fault',
      what: expect.stringContaining('milliseconds where seconds are declared'),
    });
  });
});

test('no answer, however odd, makes a value live longer than twice what is declared, or gives it a negative age', () => {
  const reads = fc.constantFrom(undefined, redis, ages, expiry);
  const numbers = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(NOW, NOW / 1000, 1e300));
  const texts = fc.oneof(
    fc.string(),
    numbers.map(String),
    fc.tuple(numbers, numbers).map(([age, ttl]) => JSON.stringify({ ageMs: age, ttlMs: ttl, cache: { age, ttl } })),
  );
  fc.assert(
    fc.property(reads, texts, (read, text) => {
      const answer = told(read, text);
      if (answer.told !== 'age') return;
      expect(answer.ageMs).toBeGreaterThanOrEqual(0);
      expect(answer.ttlMs - answer.ageMs).toBeLessThanOrEqual(2 * TTL.max);
    }),
    { numRuns: 2_000 },
  );
});

test("a file's age is told by the server's own clock, and a file that is not there is no answer", async () => {
  const dir = await mkdtemp(join(tmpdir(), "neap it's "));
  try {
    const path = join(dir, 'sessions.db');
    const read = reading.fileAge({ path });
    const run = 'run' in read ? read.run : '';
    const sh = promisify(execFile);
    await expect(sh('sh', ['-c', run])).rejects.toMatchObject({ code: 1 });
    await writeFile(path, '');
    const { stdout: now } = await sh('date', ['+%s']);
    await utimes(path, Number(now) - 70, Number(now) - 70);
    const { stdout } = await sh('sh', ['-c', run]);
    const age = clockTold(stdout, clock(read), 0);
    expect(age).toMatchObject({ told: 'age', ttlMs: TTL.min });
    expect(age.told === 'age' ? age.ageMs : 0).toBeGreaterThanOrEqual(70_000);
    expect(age.told === 'age' ? age.ageMs : Infinity).toBeLessThan(80_000);
  } finally {
    await rm(dir, { recursive: true });
  }
});
