import { REHEARSAL_COLUMNS, rehearsalCells } from '../rehearsal-cells.ts';
import type { Report } from '../report.ts';
import { html, type Html } from './markup.ts';
import { table } from './table.ts';

const WIDE = new Set<string>(['Why', 'Software']);

/** What the run's rehearsals showed; nothing where it had none. */
export function rehearsalsSection({ rehearsals, openedAtMs }: Report): Html | null {
  if (rehearsals.length === 0) return null;
  const columns = REHEARSAL_COLUMNS.map((title) => ({ title, kind: WIDE.has(title) ? ('wide' as const) : undefined }));
  const rows = rehearsals.map((rehearsal) => rehearsalCells(rehearsal, openedAtMs));
  return html`<section aria-labelledby="rehearsal"><h2 id="rehearsal">Rehearsal</h2>${table('How long a server in offline mode went on answering with its path cut.', columns, rows)}</section>`;
}
