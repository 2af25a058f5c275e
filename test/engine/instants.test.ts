import { describe, expect, test } from 'vitest';
import { durationOf, instantOf, instantText } from '../../src/engine/index.ts';

// Goal: what a person says becomes one instant or is refused with what it could mean; this machine's zone has no part in it.

const said = (text: string, zone = 'Europe/Amsterdam'): string =>
  new Date(instantOf(text, zone, '--opens')).toISOString();

describe('an instant as a person says it', () => {
  test.each([
    ['2026-12-01T02:00', 'Europe/Amsterdam', '2026-12-01T01:00:00.000Z'],
    ['2026-07-01 02:00', 'Europe/Amsterdam', '2026-07-01T00:00:00.000Z'],
    ['2026-12-01T02:00', 'UTC', '2026-12-01T02:00:00.000Z'],
    ['2026-12-01T02:00Z', 'Europe/Amsterdam', '2026-12-01T02:00:00.000Z'],
    ['2026-12-01T02:00:30+05:30', 'Europe/Amsterdam', '2026-11-30T20:30:30.000Z'],
    ['2028-02-29T23:30', 'America/New_York', '2028-03-01T04:30:00.000Z'],
    // Said with its offset, an hour that comes twice is one instant.
    ['2026-10-25T02:30+02:00', 'Europe/Amsterdam', '2026-10-25T00:30:00.000Z'],
    ['2026-10-25T02:30+01:00', 'Europe/Amsterdam', '2026-10-25T01:30:00.000Z'],
  ])('%s in %s', (text, zone, instant) => expect(said(text, zone)).toBe(instant));

  test('that comes twice or not at all is refused, with both readings', () => {
    expect(() => said('2026-10-25T02:30')).toThrow(/comes twice .* 2026-10-25T02:30\+02:00 or 2026-10-25T02:30\+01:00/);
    expect(() => said('2026-03-29T02:30')).toThrow(
      /does not exist .* 2026-03-29T01:30\+01:00 or 2026-03-29T03:30\+02:00/,
    );
    expect(() => said('2026-11-01T01:30', 'America/New_York')).toThrow(/comes twice/);
  });

  test.each(['2026-02-30T02:00', '2026-12-01T24:00', '2026-13-01T02:00', 'tomorrow', '02:00', ''])(
    '%j is none',
    (text) => expect(() => said(text)).toThrow('is no date and time'),
  );

  test('in a zone that there is not', () =>
    expect(() => said('2026-12-01T02:00', 'Mars/Olympus')).toThrow('no time zone'));

  test('a window over a change of the clocks is as long as it really is', () => {
    const hours = (opens: string, closes: string): number =>
      (instantOf(closes, 'Europe/Amsterdam', '') - instantOf(opens, 'Europe/Amsterdam', '')) / 3_600_000;
    expect(hours('2026-10-25T01:00', '2026-10-25T05:00')).toBe(5);
    expect(hours('2026-03-29T01:00', '2026-03-29T05:00')).toBe(3);
    expect(hours('2026-12-01T01:00', '2026-12-01T05:00')).toBe(4);
  });

  test('is shown in its zone and in UTC, with the day where that differs', () => {
    expect(instantText(Date.parse('2026-12-01T01:00Z'), 'Europe/Amsterdam')).toBe(
      'Tue 2026-12-01 02:00 Europe/Amsterdam (01:00 UTC)',
    );
    expect(instantText(Date.parse('2026-12-01T23:30:15Z'), 'Europe/Amsterdam')).toBe(
      'Wed 2026-12-02 00:30:15 Europe/Amsterdam (Tue 2026-12-01 23:30:15 UTC)',
    );
    expect(instantText(Date.parse('2026-12-01T01:00Z'), null)).toBe('Tue 2026-12-01 01:00 UTC');
  });
});

test.each([
  ['45m', 45 * 60_000],
  ['1h30m', 90 * 60_000],
  ['90s', 90_000],
  ['2 h', 7_200_000],
  ['5 min', 300_000],
  ['0m', null],
  ['', null],
  ['45', null],
  ['-5m', null],
  ['later', null],
])('a length of time: %j', (text, ms) => expect(durationOf(text)).toBe(ms));
