import { type Check, type Row, spreadOf, type Verdict, verdictOf } from './row.ts';

const WIDTHS = [54, 28, 28, 14] as const;
const HEAD = ['what', 'published', 'ours: median (p5 .. p95)', 'verdict'];

/** One result as a table, with its source above and its explanations below. Fits 132 columns. */
export function tableOf({ id, title, source, chosen }: Check, rows: readonly Row[]): string {
  const notes: string[] = [];
  const lines = rows.flatMap((row) => {
    const verdict = verdictOf(row);
    const [expected] = [(row.stated ?? row.same).map(figure).join(' to ')];
    if (verdict === 'explained' && row.why !== undefined && !notes.includes(row.why)) notes.push(row.why);
    const mark = verdict === 'explained' ? `explained (${notes.indexOf(row.why ?? '') + 1})` : verdict;
    return lineOf([row.what, row.published, oursOf(row), verdict === 'OFF' ? `OFF: ${expected}` : mark]);
  });
  return [
    `${id}  ${title}`,
    ...wrap(`source: ${source}`, 126).map((line) => `    ${line}`),
    ...wrap(`chosen: ${chosen}`, 126).map((line) => `    ${line}`),
    ...lineOf(HEAD),
    `  ${WIDTHS.map((width) => '-'.repeat(width)).join('  ')}`,
    ...lines,
    ...notes.flatMap((why, at) => wrap(`(${at + 1}) ${why}`, 126).map((line) => `  ${line}`)),
  ].join('\n');
}

function oursOf({ ours, unit }: Row): string {
  const { median, p5, p95 } = spreadOf(ours);
  if (!Number.isFinite(median) && p5 === median) return 'never';
  const spread = p5 === p95 ? '' : ` (${figure(p5)} .. ${figure(p95)})`;
  return `${figure(median)}${unit === '%' ? unit : ` ${unit}`.trimEnd()}${spread}`;
}

/** Three digits: more would be chance. */
function figure(value: number): string {
  if (!Number.isFinite(value)) return 'never';
  if (Math.abs(value) >= 1e9) return value.toExponential(0).replace('e+', 'e');
  if (Math.abs(value) < 100) return Number(value.toPrecision(3)).toString();
  return value.toFixed(0).replaceAll(/\B(?=(?:\d{3})+$)/g, ',');
}

/** One row of cells, on as many lines as its longest cell needs. */
function lineOf(cells: readonly string[]): readonly string[] {
  const wrapped = cells.map((cell, at) => wrap(cell, WIDTHS[at] ?? 0));
  const height = Math.max(...wrapped.map((lines) => lines.length));
  return Array.from({ length: height }, (_, line) =>
    `  ${wrapped.map((lines, at) => (lines[line] ?? '').padEnd(WIDTHS[at] ?? 0)).join('  ')}`.trimEnd(),
  );
}

function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

/** How many figures are as published, how many differ and how; good where none is off. */
export function summaryOf(rows: readonly Row[]): { readonly text: string; readonly good: boolean } {
  const verdicts = rows.map(verdictOf);
  const of = (verdict: Verdict): number => verdicts.filter((one) => one === verdict).length;
  return {
    text: `${rows.length} figures: ${of('as published')} as published, ${of('explained')} that differ as explained, ${of('OFF')} off`,
    good: of('OFF') === 0,
  };
}
