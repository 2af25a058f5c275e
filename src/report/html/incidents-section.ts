import type { Report } from '../report.ts';
import { engineText, sentText, viewText } from '../texts.ts';
import { counted, timeOf } from '../words.ts';
import { html, type Html } from './markup.ts';
import { table } from './table.ts';

/** Failure budget, pages, and what became of engines and terminals. */
export function incidentsSection(report: Report): Html {
  return html`${budget(report)}${pages(report)}${engines(report)}`;
}

function budget({ budget: { failures, spent, entries }, openedAtMs }: Report): Html {
  const rows = entries.map(({ atMs, name, isPath, why }) => [
    isPath ? `path ${name}` : name,
    timeOf(atMs, openedAtMs),
    why,
  ]);
  const columns = [{ title: 'What failed' }, { title: 'At', kind: 'now' }, { title: 'Why', kind: 'wide' }] as const;
  return html`<section aria-labelledby="budget"><h2 id="budget">Failure budget</h2><p>${spent} of ${counted(failures, 'failure')} spent.</p>${rows.length > 0 ? table('Each failure that the budget counted, once.', columns, rows) : null}</section>`;
}

function pages({ pages: sent, openedAtMs }: Report): Html {
  const rows = sent.map((page) => [
    timeOf(page.atMs, openedAtMs),
    html`<pre>${page.text}</pre>`,
    sentText(page, openedAtMs),
  ]);
  const columns = [{ title: 'At' }, { title: 'Page', kind: 'wide' }, { title: 'Delivery' }] as const;
  return html`<section aria-labelledby="pages"><h2 id="pages">Pages</h2>${rows.length > 0 ? table('What people were told without asking.', columns, rows) : html`<p>Nobody was paged.</p>`}</section>`;
}

function engines({ engines: came, views, openedAtMs }: Report): Html {
  const resumes = came.filter(({ resumed }) => resumed).length;
  const rows = [
    ...came.map((engine) => ({ atMs: engine.atMs, text: engineText(engine) })),
    ...views.map((view) => ({ atMs: view.atMs, text: viewText(view) })),
  ]
    .toSorted((a, b) => a.atMs - b.atMs)
    .map(({ atMs, text }) => [timeOf(atMs, openedAtMs), text]);
  const columns = [{ title: 'At' }, { title: 'What', kind: 'wide' }] as const;
  const sentence =
    resumes === 0
      ? 'One engine did the whole run.'
      : `The engine was lost and the run resumed ${resumes === 1 ? 'once' : `${resumes} times`}.`;
  return html`<section aria-labelledby="engine"><h2 id="engine">Engine and terminals</h2><p>${sentence}</p>${table('Engines and terminals that came and went.', columns, rows)}</section>`;
}
