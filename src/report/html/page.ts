import type { Report } from '../report.ts';
import { verdictOf } from '../standing.ts';
import { spanOf, timeOf } from '../words.ts';
import { fuseChart } from './fuse-chart.ts';
import { guardsSection } from './guards-section.ts';
import { head } from './head.ts';
import { incidentsSection } from './incidents-section.ts';
import { html, type Html } from './markup.ts';
import { peopleSection } from './people-section.ts';
import { planSection } from './plan-section.ts';
import { rehearsalsSection } from './rehearsals-section.ts';
import { serversSection } from './servers-section.ts';
import { style } from './style.ts';
import { table } from './table.ts';
import { timelineSection } from './timeline-section.ts';

/** The report as one page that needs nothing else: no script, no font, no picture from anywhere. */
export function toHtml(report: Report): string {
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<title>${report.title}: ${verdictOf(report).word} (${report.run})</title><style>${style}</style></head>
<body>${head(report)}${navigation(report)}<main>${timelineSection(report)}${fuseSection(report)}${rehearsalsSection(report)}${peopleSection(report)}${serversSection(report)}${guardsSection(report)}${incidentsSection(report)}${planSection(report)}</main>
<footer class="soft">Made from the journal of run ${report.run}. Times are plan time in UTC.</footer></body></html>
`;
  return page.markup;
}

function navigation({ fuse, rehearsals, plan }: Report): Html {
  const parts = [
    'Timeline',
    ...(fuse ? ['Fuse'] : []),
    ...(rehearsals.length > 0 ? ['Rehearsal'] : []),
    'People',
    'Servers',
    ...(plan.guards.length > 0 ? ['Guards'] : []),
    'Budget',
    'Pages',
    'Engine',
    'Plan',
  ];
  return html`<nav aria-label="Parts of this report">${parts.map((part) => html`<a href="#${part.toLowerCase()}">${part}</a>`)}</nav>`;
}

function fuseSection({ fuse, openedAtMs }: Report): Html | null {
  if (fuse === null) return null;
  const columns = [
    { title: 'From', kind: 'now' },
    { title: 'To', kind: 'now' },
    { title: 'First expiry', kind: 'now' },
    { title: 'Of', kind: 'wide' },
    { title: 'Left at the end', kind: 'num' },
  ] as const;
  const rows = fuse.spans.map((span) => [
    timeOf(span.fromMs, openedAtMs),
    timeOf(span.toMs, openedAtMs),
    timeOf(span.expiresAtMs, openedAtMs),
    `${span.clock} on ${span.server}`,
    spanOf(span.expiresAtMs - span.toMs),
  ]);
  return html`<section aria-labelledby="fuse"><h2 id="fuse">The fuse</h2>${fuseChart(fuse, openedAtMs)}${rows.length > 0 ? html`<details><summary>The readings behind it</summary>${table('Which expiry was the first one, as it was read.', columns, rows)}</details>` : null}</section>`;
}
