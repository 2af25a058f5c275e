import type { Report, TimelineRow } from '../report.ts';
import { shownRows, stepText, turnoutText, type ShownRow } from '../texts.ts';
import { spanOf, timeOf } from '../words.ts';
import { html, type Html } from './markup.ts';
import { table } from './table.ts';

/** What happened in which order, and how long it took against what was expected. */
export function timelineSection(report: Report): Html {
  const columns = [
    { title: 'Step', kind: 'name' },
    { title: 'Began', kind: 'now' },
    { title: 'Took', kind: 'num' },
    { title: 'Expected', kind: 'num' },
    { title: 'Servers', kind: 'wide' },
    { title: 'When', kind: 'gantt' },
  ] as const;
  const rows = shownRows(report.timeline).map((shown) => [
    nameOf(shown),
    shown.row.startedAtMs === null ? shown.row.state : timeOf(shown.row.startedAtMs, report.openedAtMs),
    took(shown),
    shown.expectedMs === null ? null : spanOf(shown.expectedMs),
    turnoutText(shown.row),
    bar(shown.row, report),
  ]);
  return html`<section aria-labelledby="timeline"><h2 id="timeline">Timeline</h2>${table('Every step in the order in which it began. Times are plan time in UTC; expected is what the plan said.', columns, rows)}</section>`;
}

function nameOf(shown: ShownRow): Html {
  const { trackKind, track } = shown.row;
  const line = trackKind === 'home' ? 'way home' : trackKind === 'contingency' ? `contingency ${track}` : '';
  return html`${stepText(shown)}${line === '' ? null : html`<span class="sub">${line}</span>`}`;
}

/** A step that took half as long again as expected is said to be late, from this on. */
const LATE_MIN_MS = 10_000;

function took({ tookMs, expectedMs }: ShownRow): Html | null {
  if (tookMs === null) return null;
  const lateMs = expectedMs === null ? 0 : tookMs - expectedMs;
  const isLate = expectedMs !== null && lateMs > Math.max(LATE_MIN_MS, expectedMs / 2);
  return html`${spanOf(tookMs)}${isLate ? html`<span class="sub late">${spanOf(lateMs)} late</span>` : null}`;
}

const FILLS = { main: 'var(--accent)', home: 'var(--warn)', contingency: 'var(--bad)', doubt: 'var(--bad)' } as const;

/** Where in the run a step lies; for eyes only, since the figures stand beside it. */
function bar(row: TimelineRow, report: Report): Html | null {
  if (row.startedAtMs === null || report.tookMs <= 0) return null;
  const share = (atMs: number): number =>
    Math.min(100, Math.max(0, ((atMs - report.openedAtMs) / report.tookMs) * 100));
  const from = Math.min(99.2, share(row.startedAtMs));
  const to = share(row.endedAtMs ?? report.seenUntilMs);
  return html`<svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect width="100" height="10" fill="var(--panel)"/><rect x="${Math.round(from * 10) / 10}" width="${Math.round(Math.max(0.8, to - from) * 10) / 10}" height="10" fill="${FILLS[row.trackKind]}"/></svg>`;
}
