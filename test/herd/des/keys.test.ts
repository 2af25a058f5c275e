import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Stream, WarmKeys, Zipf } from '../../../src/herd/des/index.ts';

/** The definition, key by key. */
function shares(keys: number, exponent: number): readonly number[] {
  const sums = [0];
  for (let key = 1; key <= keys; key += 1) sums.push((sums[key - 1] ?? 0) + key ** -exponent);
  return sums.map((sum) => sum / (sums[keys] ?? 1));
}

test.each([0, 0.6, 1, 1.00001, 1.14165, 2.5])('Zipf with exponent %d is the sum of its definition', (exponent) => {
  const keys = 20_000;
  const [zipf, exact] = [new Zipf(keys, exponent), shares(keys, exponent)];
  for (const key of [1, 2, 1_023, 1_024, 1_025, 1_500, 19_999, 20_000]) {
    expect(zipf.share(key)).toBeCloseTo(exact[key] ?? 0, 10);
    // The middle of a key's own share is that key, on both sides of where the table ends.
    expect(zipf.keyOf(((exact[key - 1] ?? 0) + (exact[key] ?? 0)) / 2)).toBe(key);
  }
});

test('a key of any share is the smallest that has it', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40_000_000 }),
      fc.double({ min: 0, max: 2, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
      (keys, exponent, share) => {
        const zipf = new Zipf(keys, exponent);
        const key = zipf.keyOf(share);
        expect(key).toBeGreaterThanOrEqual(1);
        expect(key).toBeLessThanOrEqual(keys);
        expect(zipf.share(key)).toBeGreaterThanOrEqual(share - 1e-12);
        expect(key === 1 || zipf.share(key - 1) < share + 1e-12).toBe(true);
      },
    ),
  );
});

test('keys are drawn as often as their share', () => {
  const [zipf, stream, draws] = [new Zipf(34_511_000, 1.14165), new Stream(3, 'keys'), 50_000];
  let top = 0;
  for (let at = 0; at < draws; at += 1) top += zipf.draw(stream) <= 1_000 ? 1 : 0;
  expect(top / draws).toBeCloseTo(zipf.share(1_000), 1);
});

test('warm keys are a set, in one bit a key', () => {
  const commands = fc.array(
    fc.record({ what: fc.constantFrom('warm', 'cool', 'warmUpTo', 'coolUpTo'), key: fc.nat(100) }),
  );
  fc.assert(
    fc.property(commands, (all) => {
      const warm = new WarmKeys(100);
      const set = new Set<number>();
      for (const { what, key } of all) {
        warm[what](key);
        const from = what.endsWith('UpTo') ? 0 : key;
        for (let each = from; each <= key; each += 1)
          if (what.startsWith('warm')) set.add(each);
          else set.delete(each);
      }
      expect(Array.from({ length: 101 }, (_, key) => warm.has(key))).toEqual(
        Array.from({ length: 101 }, (_, key) => set.has(key)),
      );
    }),
  );
});
