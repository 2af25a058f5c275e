import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { splitWords } from '../../src/lab/words.ts';
import { shellWords } from '../../src/transport/index.ts';

test.each([
  ['a  b', ['a', 'b']],
  [`sh -c 'a "b"' neap "c d" e\\ f`, ['sh', '-c', 'a "b"', 'neap', 'c d', 'e f']],
  [`'it'\\''s'`, ["it's"]],
  [`""`, ['']],
  [`"a\\"b\\\\c\\d"`, ['a"b\\c\\d']],
  ['', []],
])('%s', (line, words) => {
  expect(splitWords(line)).toEqual(words);
});

test.each(['a; b', 'a | b', 'a && b', 'a > b', 'a $b', 'a `b`', '"$a"', `'open`, `"open`, 'a\\', 'a *'])(
  '%s needs a shell',
  (line) => {
    expect(splitWords(line)).toBeNull();
  },
);

test('what the transport quotes is read back as it was', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' }).map((word) => word.replaceAll('\0', ''))), (words) => {
      expect(splitWords(shellWords(words))).toEqual(words);
    }),
  );
});
