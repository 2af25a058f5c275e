import { createHash } from 'node:crypto';
import { createContext, runInContext } from 'node:vm';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalJson, sha256Hex } from '../../src/plan/index.ts';

test('what is read back from the canonical text is the value', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'binary', maxDepth: 4 }), (value) => {
      const plain: unknown = JSON.parse(JSON.stringify(value));
      expect(JSON.parse(canonicalJson(value))).toStrictEqual(plain);
    }),
  );
});

test('the order in which keys were set does not show', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(fc.string(), fc.jsonValue()), { selector: ([key]) => key, maxLength: 12 }),
      fc.infiniteStream(fc.nat()),
      (entries, chance) => {
        const shuffled = entries
          .map((entry) => ({ entry, at: chance.next().value ?? 0 }))
          .sort((a, b) => a.at - b.at)
          .map(({ entry }) => entry);
        expect(canonicalJson(Object.fromEntries(shuffled))).toBe(canonicalJson(Object.fromEntries(entries)));
      },
    ),
  );
});

test('keys stand in order of their UTF-16 code units, without white space', () => {
  // U+FB33 comes after U+1F600 by code unit (D83D), before it by code point.
  expect(canonicalJson({ '\u{FB33}': 1, '\u{1F600}': 2, b: [1, { d: null, c: 'x' }], a: -0, B: 1e21 })).toBe(
    '{"B":1e+21,"a":0,"b":[1,{"c":"x","d":null}],"\u{1F600}":2,"\u{FB33}":1}',
  );
});

test.each([
  [{ a: [1, { b: undefined }] }, '$.a[1].b: undefined'],
  [{ a: Number.NaN }, '$.a: NaN'],
  [[Number.NEGATIVE_INFINITY], '$[0]: -Infinity'],
  [{ when: new Date(0) }, '$.when: an object of a class'],
  [new Map([[1, 2]]), '$: an object of a class'],
  [Object.create({ inherited: 1 }), '$: an object of a class'],
  [[() => 1], '$[0]: function'],
  [{ n: 1n }, '$.n: bigint'],
  [{ [Symbol('s')]: 1 }, '$: a symbol'],
  // oxlint-disable-next-line no-sparse-arrays
  [[1, , 3], '$[1]: undefined'],
])('what JSON cannot hold is refused by its path: %#', (value, message) => {
  expect(() => canonicalJson(value)).toThrow(TypeError);
  expect(() => canonicalJson(value)).toThrow(message);
});

test('a value that holds itself is refused', () => {
  const loop: { self?: unknown } = {};
  loop.self = [loop];
  expect(() => canonicalJson(loop)).toThrow('nested deeper than 200 levels');
});

test('a plain object of another realm is plain', () => {
  expect(canonicalJson(runInContext('({ b: [1], a: {} })', createContext()))).toBe('{"a":{},"b":[1]}');
});

test('the hash is SHA-256 of the UTF-8 text', () => {
  expect(sha256Hex('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(sha256Hex(text)).toBe(createHash('sha256').update(text, 'utf8').digest('hex'));
    }),
  );
});
