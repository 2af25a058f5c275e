import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expandCalendar } from '../../src/engine/calendars/expand.ts';
import { readFreezes } from '../../src/engine/calendars/index.ts';

// Goal: what a calendar says is what is frozen, and what cannot be read is said. This machine's zone has no part in it.

const AMSTERDAM = 'Europe/Amsterdam';

function calendar(...events: readonly (readonly string[])[]): string {
  const lines = events.flatMap((event) => ['BEGIN:VEVENT', ...event, 'END:VEVENT']);
  return ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//test//EN', ...lines, 'END:VCALENDAR', ''].join('\r\n');
}

/** Title and UTC span of everything frozen from October to December 2026. */
function frozen(text: string, zone = AMSTERDAM): string[] {
  const { spans } = expandCalendar(text, zone, Date.parse('2026-10-01T00:00Z'), Date.parse('2026-12-31T00:00Z'));
  const short = (ms: number): string => new Date(ms).toISOString().slice(5, 16);
  return spans.map(({ title, fromMs, toMs }) => `${title} ${short(fromMs)} ${short(toMs)}`);
}

const weekly = (...more: string[]): string[] => [
  'UID:w',
  'SUMMARY:Pay day',
  `DTSTART;TZID=${AMSTERDAM}:20261019T220000`,
  `DTEND;TZID=${AMSTERDAM}:20261020T040000`,
  ...more,
];

let here: string;
beforeAll(() => {
  // A zone that no test speaks of: nothing may depend on it.
  here = process.env['TZ'] ?? '';
  process.env['TZ'] = 'Pacific/Marquesas';
});
afterAll(() => {
  process.env['TZ'] = here;
});

describe('single events', () => {
  test.each([
    ['in UTC', ['DTSTART:20261101T020000Z', 'DTEND:20261101T040000Z'], '11-01T02:00 11-01T04:00'],
    ['floating, in the zone given', ['DTSTART:20261101T020000', 'DTEND:20261101T040000'], '11-01T01:00 11-01T03:00'],
    [
      'in a zone of its own',
      ['DTSTART;TZID=America/New_York:20261101T030000', 'DURATION:PT2H'],
      '11-01T08:00 11-01T10:00',
    ],
    [
      'in a zone as Windows calls it',
      ['DTSTART;TZID="W. Europe Standard Time":20261101T020000', 'DURATION:PT2H'],
      '11-01T01:00 11-01T03:00',
    ],
    ['a whole day', ['DTSTART;VALUE=DATE:20261201'], '11-30T23:00 12-01T23:00'],
    ['a whole day of 25 hours', ['DTSTART;VALUE=DATE:20261025'], '10-24T22:00 10-25T23:00'],
    ['several days', ['DTSTART;VALUE=DATE:20261127', 'DTEND;VALUE=DATE:20261130'], '11-26T23:00 11-29T23:00'],
    ['days by their number', ['DTSTART;VALUE=DATE:20261127', 'DURATION:P1W'], '11-26T23:00 12-03T23:00'],
    [
      'one that began long before',
      ['DTSTART;VALUE=DATE:20260801', 'DTEND;VALUE=DATE:20261002'],
      '07-31T22:00 10-01T22:00',
    ],
  ])('%s', (_, lines, span) => {
    expect(frozen(calendar(['UID:1', 'SUMMARY:F', ...lines]))).toEqual([`F ${span}`]);
  });

  test('that were cancelled, or end at once, freeze nothing; tentative ones do', () => {
    const when = ['DTSTART:20261101T020000Z', 'DTEND:20261101T040000Z'];
    expect(frozen(calendar(['UID:1', 'STATUS:CANCELLED', ...when], ['UID:2', 'DTSTART:20261101T020000Z']))).toEqual([]);
    expect(frozen(calendar(['UID:1', 'SUMMARY:T', 'STATUS:TENTATIVE', ...when]))).toHaveLength(1);
  });

  test('that are marked as free freeze nothing, and are named', () => {
    const text = calendar(['UID:1', 'SUMMARY:Fair', 'TRANSP:TRANSPARENT', 'DTSTART;VALUE=DATE:20261201']);
    const { spans, free } = expandCalendar(text, AMSTERDAM, Date.parse('2026-11-01'), Date.parse('2026-12-31'));
    expect({ spans, free }).toEqual({ spans: [], free: ['Fair'] });
  });

  test('of one UID are two events, and a title is one plain line', () => {
    const when = ['DTSTART:20261101T020000Z', 'DTEND:20261101T040000Z'];
    expect(
      frozen(
        calendar(
          ['UID:1', 'SUMMARY:A\\nB\u001b[2J, c', ...when],
          ['UID:1', `SUMMARY:${'x'.repeat(70)}\r\n ${'y'.repeat(90)}`, ...when],
        ),
      ),
    ).toEqual([expect.stringMatching(/^A B \[2J, c /), expect.stringMatching(/^x{70}y{50} /)]);
  });
});

describe('recurring events', () => {
  test('stay at their time on the wall when the clocks change', () => {
    expect(frozen(calendar(weekly('RRULE:FREQ=WEEKLY;COUNT=2')))).toEqual([
      'Pay day 10-19T20:00 10-20T02:00',
      'Pay day 10-26T21:00 10-27T03:00',
    ]);
  });

  test('come without what is left out, and with what was moved or cancelled', () => {
    const exceptions = calendar(
      [
        'UID:w',
        'SUMMARY:gone',
        'STATUS:CANCELLED',
        `RECURRENCE-ID;TZID=${AMSTERDAM}:20261109T220000`,
        `DTSTART;TZID=${AMSTERDAM}:20261109T220000`,
      ],
      weekly('RRULE:FREQ=WEEKLY;COUNT=5', `EXDATE;TZID=${AMSTERDAM}:20261026T220000`),
      [
        'UID:w',
        'SUMMARY:moved',
        `RECURRENCE-ID;TZID=${AMSTERDAM}:20261102T220000`,
        'DTSTART:20261203T100000Z',
        'DTEND:20261203T110000Z',
      ],
    );
    expect(frozen(exceptions)).toEqual([
      'Pay day 10-19T20:00 10-20T02:00',
      'Pay day 11-16T21:00 11-17T03:00',
      'moved 12-03T10:00 12-03T11:00',
    ]);
  });

  test('of whole days keep their days over a change of the clocks, up to and with the last one', () => {
    const text = calendar([
      'UID:1',
      'SUMMARY:Sunday',
      'DTSTART;VALUE=DATE:20261018',
      'RRULE:FREQ=WEEKLY;UNTIL=20261108',
      'EXDATE;VALUE=DATE:20261101',
    ]);
    expect(frozen(text)).toEqual([
      'Sunday 10-17T22:00 10-18T22:00',
      'Sunday 10-24T22:00 10-25T23:00',
      'Sunday 11-07T23:00 11-08T23:00',
    ]);
  });

  test('that float are those of the zone given, exceptions too', () => {
    const text = calendar(
      [
        'UID:1',
        'SUMMARY:N',
        'DTSTART:20261024T220000',
        'DTEND:20261025T040000',
        'RRULE:FREQ=DAILY;COUNT=4',
        'EXDATE:20261025T220000',
      ],
      ['UID:1', 'SUMMARY:later', 'RECURRENCE-ID:20261026T220000', 'DTSTART:20261026T230000', 'DTEND:20261027T040000'],
    );
    expect(frozen(text)).toEqual([
      // Seven hours in the night in which the clocks change, and each of the series is as long as its first.
      'N 10-24T20:00 10-25T03:00',
      'later 10-26T22:00 10-27T03:00',
      'N 10-27T21:00 10-28T04:00',
    ]);
  });

  test('that began before the time in question, and last into it, count', () => {
    const text = calendar([
      'UID:1',
      'SUMMARY:Turn of the year',
      'DTSTART;VALUE=DATE:19991220',
      'DTEND;VALUE=DATE:20000105',
      'RRULE:FREQ=YEARLY',
    ]);
    const { spans } = expandCalendar(text, AMSTERDAM, Date.parse('2027-01-02'), Date.parse('2027-02-01'));
    expect(spans).toHaveLength(1);
  });
});

describe('what is not understood is not passed over', () => {
  const start = 'DTSTART:20261101T020000Z';
  test.each([
    ['no calendar', '<html>Please log in</html>', /no iCalendar file/],
    ['an empty file', '', /no iCalendar file/],
    ['one that is cut off', calendar(['UID:1', start]).slice(0, -20), /line 7 ends what was not begun/],
    ['one that ends in the middle', calendar(['UID:1', start]).slice(0, -40), /cut off/],
    ['dates that are none', calendar(['UID:1', 'DTSTART:20261399T020000Z']), /no date and time/],
    [
      'a zone that nobody knows',
      calendar(['UID:1', 'DTSTART;TZID=Mars/Olympus:20261101T020000']),
      /time zone is not known/,
    ],
    ['a rule that is none', calendar(['UID:1', start, 'RRULE:FREQ=SOMETIMES']), /cannot be read/],
    ['dates of their own', calendar(['UID:1', 'SUMMARY:S', start, 'RDATE:20261108T020000Z']), /"S" has an RDATE/],
    [
      'a change of all that follow',
      calendar(['UID:1', start, 'RECURRENCE-ID;RANGE=THISANDFUTURE:20261101T020000Z']),
      /RANGE/,
    ],
    ['every second', calendar(['UID:1', start, 'RRULE:FREQ=SECONDLY']), /more often than hourly/],
    [
      'too many of them',
      calendar(weekly('RRULE:FREQ=HOURLY'), ['UID:h', start, 'DTEND:20261101T023000Z', 'RRULE:FREQ=HOURLY']),
      /more than 2000/,
    ],
  ])('%s', (_, text, why) => expect(() => frozen(text)).toThrow(why));
});

describe('reading calendars', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'neap-calendars-'));
    await writeFile(join(folder, 'good.ics'), calendar(['UID:1', 'SUMMARY:F', 'DTSTART;VALUE=DATE:20261201']));
    await writeFile(join(folder, 'large.ics'), Buffer.alloc(4 * 1024 * 1024 + 1, 'x'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test('gives what each says, in its zone, and one sentence for each that cannot be read, without its address', async () => {
    const at = (name: string) => ({ calendar: join(folder, name) });
    const { freezes, unread } = await readFreezes(
      [
        { ...at('good.ics'), zone: 'Asia/Tokyo' },
        at('none.ics'),
        at('large.ics'),
        { calendar: 'https://127.0.0.1:1/s3cret.ics?token=s3cret' },
      ],
      'UTC',
      Date.parse('2026-11-01'),
      Date.parse('2026-12-31'),
    );
    expect(freezes).toEqual([
      { title: 'F', fromMs: Date.parse('2026-11-30T15:00Z'), toMs: Date.parse('2026-12-01T15:00Z') },
    ]);
    expect(unread).toEqual([
      'none.ics: there is no such file',
      'large.ics: it is larger than 4 MiB',
      expect.stringMatching(/^127\.0\.0\.1:1: /),
    ]);
    expect(unread.join(' ')).not.toContain('s3cret');
  });
});
