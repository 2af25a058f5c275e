import type { Report } from '../report.ts';
import { wordText } from '../texts.ts';
import { spanOf, timeOf } from '../words.ts';
import { html, type Html } from './markup.ts';
import { table } from './table.ts';

/** Who decided what, when, and how late. */
export function peopleSection({ people, waiting, openedAtMs }: Report): Html {
  const columns = [
    { title: 'Who' },
    { title: 'Said', kind: 'wide' },
    { title: 'At', kind: 'now' },
    { title: 'After the question', kind: 'num' },
    { title: 'Age when used', kind: 'num' },
    { title: 'What came of it' },
  ] as const;
  const rows = people.map((word) => [
    word.by,
    html`${wordText(word)}${word.reason === null ? null : html`<span class="sub">${word.reason}</span>`}`,
    timeOf(word.atMs, openedAtMs),
    word.waitedMs === null ? null : spanOf(word.waitedMs),
    word.ageMs === null ? null : spanOf(word.ageMs),
    word.fate,
  ]);
  const open = waiting.map(
    (gate) =>
      html`<p>Gate ${gate.gate} is open: ${gate.question} (role ${gate.role}${gate.sinceMs === null ? '' : `, asked at ${timeOf(gate.sinceMs, openedAtMs)}`})</p>`,
  );
  return html`<section aria-labelledby="people"><h2 id="people">Approvals and answers</h2>${table('Everything that a person said to this run.', columns, rows)}${open}</section>`;
}
