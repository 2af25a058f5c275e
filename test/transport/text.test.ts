import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { REDACTED, createPace, redactor, sanitise } from '../../src/transport/index.ts';

describe('sanitise', () => {
  test.each([
    ['plain ü 日本 😀', 'plain ü 日本 😀'],
    ['a\r\nb\tc', 'a\nb\tc'],
    ['\u001B[31mred\u001B[0m', 'red'],
    ['\u001B]0;title\u0007x', 'x'],
    ['\u001B]8;;http://evil\u001B\\link\u001B]8;;\u001B\\', 'link'],
    ['\u009B2Jx', 'x'],
    ['\u001Bcx', 'x'],
    ['over\rwrite\b\b', 'overwrite'],
    ['\u202Egnp.exe\u202C', 'gnp.exe'],
    ['a\u200Bb\uFEFFc\u2028d', 'abcd'],
    ['\uD800broken', '\uFFFDbroken'],
    ['unfinished \u001B[', 'unfinished '],
  ])('%j', (text, shown) => {
    expect(sanitise(text)).toBe(shown);
  });

  test('whatever comes in, nothing that a terminal obeys goes out, and it is bounded', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), fc.integer({ min: 1, max: 100 }), (text, atMost) => {
        const shown = sanitise(text, atMost);
        expect(shown).not.toMatch(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/);
        expect(shown.length).toBeLessThanOrEqual(atMost);
        expect(shown.isWellFormed()).toBe(true);
        expect(sanitise(shown, atMost)).toBe(shown);
      }),
    );
  });

  test('a flood is cut quickly', () => {
    expect(sanitise('\u001B['.repeat(5_000_000), 10)).toBe('');
    expect(sanitise('x'.repeat(10_000_000), 10)).toBe('xxxxxxxxx…');
  });
});

describe('redactor', () => {
  test('a secret, and the forms in which it travels', () => {
    const { redact } = redactor(['p"ss wörd']);
    expect(redact('a p"ss wörd b')).toBe(`a ${REDACTED} b`);
    expect(redact(JSON.stringify({ x: 'p"ss wörd' }))).toBe(`{"x":"${REDACTED}"}`);
    expect(redact(`?q=${encodeURIComponent('p"ss wörd')}`)).toBe(`?q=${REDACTED}`);
    expect(redact(Buffer.from('p"ss wörd').toString('base64'))).toBe(REDACTED);
  });

  test('of two secrets of which one begins the other, the longer goes whole', () => {
    expect(redactor(['hunter', 'hunter22']).redact('hunter22 hunter2')).toBe(`${REDACTED} ${REDACTED}2`);
  });

  test('too short to be told from text: left alone', () => {
    expect(redactor(['', 'a']).redact('banana')).toBe('banana');
  });

  test('however a text is cut into pieces, the stream says what the whole would', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('secret', 'secre', 'sesecret', 's', 'x', 'tokentoken', 'token'), { maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 7 })),
        (words, cuts) => {
          const known = redactor(['secret', 'tokentoken', 'secretx']);
          const text = words.join('');
          const stream = known.stream();
          let [out, at] = ['', 0];
          for (const cut of cuts) {
            out += stream.push(text.slice(at, at + cut));
            at += cut;
          }
          out += stream.push(text.slice(at)) + stream.end();
          expect(out).toBe(known.redact(text));
          expect(out).not.toContain('secret');
        },
      ),
    );
  });

  test('a stream holds back no more than a secret is long', () => {
    const stream = redactor(['secret']).stream();
    expect([stream.push('a se'), stream.push('a'), stream.push('secre'), stream.end()]).toEqual([
      'a ',
      'sea',
      '',
      'secre',
    ]);
  });
});

test('a pace runs no more at once than it says, in order, and survives failures', async () => {
  const pace = createPace(3);
  let [now, most] = [0, 0];
  const order: number[] = [];
  const works = Array.from({ length: 20 }, (_, index) =>
    pace(async () => {
      order.push(index);
      most = Math.max(most, (now += 1));
      await Promise.resolve();
      now -= 1;
      if (index % 3 === 0) throw new Error('failed');
    }),
  );
  const results = await Promise.allSettled(works);
  expect([most, order, results.filter((result) => result.status === 'rejected').length]).toEqual([
    3,
    Array.from({ length: 20 }, (_, index) => index),
    7,
  ]);
});
