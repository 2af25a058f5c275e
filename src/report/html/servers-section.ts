import type { Report, ServerRow } from '../report.ts';
import { endingsText } from '../standing.ts';
import { deedLines } from '../texts.ts';
import { counted, timeOf } from '../words.ts';
import { html, type Html } from './markup.ts';
import { badge, table } from './table.ts';

/** Up to so many servers are all open to the eye; larger fleets show those with a story and fold the others by domain. */
const OPEN_MAX = 60;

const TONES: Readonly<Record<ServerRow['ended'], 'good' | 'warn' | 'bad' | 'plain'>> = {
  done: 'good',
  recovered: 'warn',
  home: 'plain',
  untouched: 'plain',
  quarantined: 'warn',
  out: 'bad',
  'not proven': 'bad',
  'left out': 'plain',
  'under way': 'plain',
};

/** What was done to each server, by name: nobody is left out of this part. */
export function serversSection(report: Report): Html {
  const { servers } = report;
  const special = servers.filter(hasStory);
  const others = servers.filter((server) => !hasStory(server));
  const tables = [
    ...(special.length > 0
      ? [
          html`<h3>With a story of their own</h3>${serverTable('Servers that failed, were left out or were recovered, with the reason.', special, report)}`,
        ]
      : []),
    ...(special.length > 0 && others.length > 0 ? [html`<h3>All others</h3>`] : []),
    others.length <= OPEN_MAX
      ? others.length > 0
        ? serverTable('What was done to each server, with the time at which it was proven.', others, report)
        : null
      : folded(others, report),
  ];
  return html`<section aria-labelledby="servers"><h2 id="servers">Servers</h2><p>${counted(servers.length, 'server')}: ${endingsText(report)}.</p>${tables}</section>`;
}

function hasStory(server: ServerRow): boolean {
  return (
    server.why !== null ||
    server.resets.length > 0 ||
    server.ended === 'not proven' ||
    server.ended === 'out' ||
    server.ended === 'quarantined' ||
    server.boots.length > 1
  );
}

function folded(servers: readonly ServerRow[], report: Report): Html[] {
  const byDomain = Map.groupBy(servers, ({ domain }) => domain ?? 'no domain');
  return [...byDomain].map(
    ([domain, members]) =>
      html`<details><summary>${domain}: ${counted(members.length, 'server')}, ${endingsText({ ...report, servers: members })}</summary>${serverTable(`Servers of ${domain}`, members, report)}</details>`,
  );
}

function serverTable(caption: string, servers: readonly ServerRow[], report: Report): Html {
  const columns = [
    { title: 'Server' },
    { title: 'Ended' },
    { title: 'What was done', kind: 'wide' },
    { title: 'Boots and resets', kind: 'wide' },
  ] as const;
  const rows = servers.map((server) => [
    html`${server.name}${server.group === null ? null : html`<span class="sub">${server.group} · ${server.domain}</span>`}`,
    badge(server.ended, TONES[server.ended]),
    html`${reasonOf(server, report)}${deedList(server, report)}`,
    boots(server, report),
  ]);
  return table(caption, columns, rows);
}

function reasonOf({ why, outAt, outAtMs, remedy, ended }: ServerRow, { openedAtMs }: Report): Html | null {
  if (why === null) return null;
  const where = outAtMs === null ? '' : `Out at ${timeOf(outAtMs, openedAtMs)}, at "${outAt ?? ''}": `;
  return html`<p>${ended === 'left out' ? 'Left out of the plan: ' : where}${why}${remedy === null ? null : html` <span class="sub">${remedy}</span>`}</p>`;
}

function deedList({ deeds, checks, why }: ServerRow, report: Report): Html | null {
  if (deeds.length === 0 && checks === 0) return html`<span class="soft">nothing</span>`;
  const items = deedLines(deeds).map(
    ({ text, atMs }) => html`<li>${text} <span class="soft">${timeOf(atMs, report.openedAtMs)}</span></li>`,
  );
  return html`<ul class="${why === null ? 'deeds inline' : 'deeds'}">${items}${checks > 0 ? html`<li class="soft">${counted(checks, 'step')} found nothing to change</li>` : null}</ul>`;
}

function boots({ boots: seen, resets }: ServerRow, { openedAtMs }: Report): Html | null {
  if (seen.length === 0 && resets.length === 0) return null;
  const resetLines = resets.map((reset) => {
    const proof =
      reset.state === 'done'
        ? `, a new boot proven at ${timeOf(reset.endedAtMs ?? reset.startedAtMs, openedAtMs)}`
        : `, ${reset.state}`;
    return html`<li>hard reset ${reset.attempts > 1 ? `sent ${reset.attempts} times, first ` : ''}at ${timeOf(reset.startedAtMs, openedAtMs)}${proof}</li>`;
  });
  return html`<ul class="deeds">${seen.map(({ bootId }, at) => html`<li>${at === 0 ? null : 'then '}<code>${bootId}</code></li>`)}${resetLines}</ul>`;
}
