import { html, type Html } from './markup.ts';

export interface Column {
  readonly title: string;
  readonly kind?: 'num' | 'now' | 'wide' | 'gantt' | 'name' | undefined;
}

/** A table that a screen reader can follow: a caption, headers with their scope, the first cell of a row as its header. */
export function table(
  caption: string,
  columns: readonly Column[],
  rows: readonly (readonly (Html | string | number | null)[])[],
): Html {
  const head = columns.map(({ title, kind }) =>
    kind === 'num' ? html`<th scope="col" class="num">${title}</th>` : html`<th scope="col">${title}</th>`,
  );
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table><caption>${caption}</caption><thead><tr>${head}</tr></thead>
<tbody>${rows.map((cells) => html`<tr>${cells.map((cell, at) => cellOf(cell, at, columns[at]?.kind))}</tr>\n`)}</tbody></table></div>`;
}

function cellOf(cell: Html | string | number | null, at: number, kind: Column['kind']): Html {
  const content = cell === null ? html`<span class="soft">–</span>` : html`${cell}`;
  if (at === 0)
    return kind ? html`<th scope="row" class="${kind}">${content}</th>` : html`<th scope="row">${content}</th>`;
  return kind ? html`<td class="${kind}">${content}</td>` : html`<td>${content}</td>`;
}

/** A word in a frame; its colour says no more than the word does. */
export function badge(word: string, tone: 'good' | 'warn' | 'bad' | 'plain'): Html {
  return html`<span class="badge ${tone}">${word}</span>`;
}
