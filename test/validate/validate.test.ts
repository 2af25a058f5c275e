import { expect, test } from 'vitest';
import { backoffs } from './backoffs.ts';
import { checks } from './checks.ts';
import { HIGH, smallestDrop } from './hit-rates.ts';
import { recovery } from './recovery.ts';
import { type Row, spreadOf, verdictOf } from './row.ts';
import { summaryOf, tableOf } from './table.ts';
import { timers } from './timers.ts';

/** What is reproduced cheaply, here too; the whole table with its spread is `npm run validate`. */
test.each([
  [backoffs, [1]],
  [recovery, [1]],
  [timers, [1]],
])('$id is reproduced', (check, seeds) => {
  const rows = check.rows(seeds);
  expect(rows.filter((row) => verdictOf(row) === 'OFF').map(({ what, ours }) => ({ what, ours }))).toEqual([]);
});

test('one drop in hit rate of V5 is reproduced: 0.765 at 600 QPS', () => {
  expect(Math.abs(smallestDrop(1, HIGH, 600) - 0.765)).toBeLessThan(0.1);
});

test('every result has its source, and says what was chosen', () => {
  expect(checks.map(({ id }) => id)).toEqual(['V1', 'V2', 'V3', 'V5', 'V7', 'V8', 'V10', 'V12', 'V13']);
  for (const { source, chosen } of checks) expect([source.length > 20, chosen.length > 10]).toEqual([true, true]);
});

const row = (ours: readonly number[], more: Partial<Row> = {}): Row => ({
  what: 'load',
  published: '560 QPS',
  ours,
  unit: 'QPS',
  same: [550, 570],
  ...more,
});

test('the median decides: as published, explained with its reason, or off', () => {
  const wide = { stated: [500, 620], why: 'the formula knows means only' } as const;
  expect(verdictOf(row([9_999, 560, 561]))).toBe('as published');
  expect(verdictOf(row([600], wide))).toBe('explained');
  expect(verdictOf(row([700], wide))).toBe('OFF');
  expect(verdictOf(row([600]))).toBe('OFF');
  expect(verdictOf(row([Number.NaN], wide))).toBe('OFF');
  expect(verdictOf(row([Infinity], { same: [Infinity, Infinity] }))).toBe('as published');
  expect(() => verdictOf(row([600], { stated: [500, 620] }))).toThrow('nothing says why');
});

test('a spread is of the seeds, and never is a value', () => {
  const values = Array.from({ length: 21 }, (_, at) => 21 - at);
  expect(spreadOf(values)).toEqual({ median: 11, p5: 2, p95: 20 });
  expect(spreadOf([Infinity, 1, Infinity])).toEqual({ median: Infinity, p5: 1, p95: Infinity });
});

test('the table names what is off and why the rest differs, and one that is off is not good', () => {
  const rows = [row([560]), row([600, 601, 602], { stated: [500, 620], why: 'chance' }), row([7_000])];
  const check = { id: 'V0', title: 'Test', source: 'nowhere', chosen: 'nothing', rows: () => rows };
  const table = tableOf(check, rows).split('\n');
  expect(table.slice(5).map((line) => line.replaceAll(/ {2,}/g, ' | '))).toEqual([
    ' | load | 560 QPS | 560 QPS | as published',
    ' | load | 560 QPS | 601 QPS (600 .. 602) | explained (1)',
    ' | load | 560 QPS | 7,000 QPS | OFF: 550 to',
    ' | 570',
    ' | (1) chance',
  ]);
  expect(summaryOf(rows)).toEqual({
    text: '3 figures: 1 as published, 1 that differ as explained, 1 off',
    good: false,
  });
  expect(summaryOf(rows.slice(0, 2)).good).toBe(true);
});
