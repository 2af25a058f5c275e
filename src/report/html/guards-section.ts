import type { Report } from '../report.ts';
import { timeOf } from '../words.ts';
import { html, type Html } from './markup.ts';
import { table } from './table.ts';

/** How the guards stood; nothing where the plan has none. */
export function guardsSection({ guards, plan, openedAtMs }: Report): Html | null {
  if (plan.guards.length === 0) return null;
  const columns = [
    { title: 'At', kind: 'now' },
    { title: 'Guard' },
    { title: 'Stood' },
    { title: 'Since', kind: 'now' },
    { title: 'Seen', kind: 'wide' },
  ] as const;
  const rows = guards.map(({ atMs, guard, title, standing, onsetAtMs, seen }) => [
    timeOf(atMs, openedAtMs),
    `${guard} ${title}`,
    standing,
    timeOf(onsetAtMs, openedAtMs),
    seen,
  ]);
  return html`<section aria-labelledby="guards"><h2 id="guards">Guards</h2>${rows.length > 0 ? table('How each guard stood, from one change to the next.', columns, rows) : html`<p>None was read.</p>`}</section>`;
}
