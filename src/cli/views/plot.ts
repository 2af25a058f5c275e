/** A curve as columns of plain characters. */
export interface PlotStyle {
  readonly columns: number;
  readonly rows: number;
  /** What the top line stands for; the foot is 0. */
  readonly top: number;
  readonly label: (value: number) => string;
  readonly time: (atMs: number) => string;
}

type Point = readonly [atMs: number, value: number];

/**
 * Draws a curve, with its axis: `#` up to the lowest value of a column, `.` from there to the highest. Nothing but ASCII, so that it is the same in a log, a ticket and a terminal without
 * colour. Lines are at most `columns` wide.
 */
export function plot(points: readonly Point[], style: PlotStyle): readonly string[] {
  const { columns, rows, top, label } = style;
  const margin = Math.max(label(top).length, label(0).length) + 1;
  const width = Math.max(10, columns - margin - 1);
  const heights = columnsOf(points, width).map((column) =>
    column === null ? null : column.map((value) => Math.max(0, Math.min(1, value / (top || 1))) * rows),
  );
  const lines = Array.from({ length: rows }, (_, at) => {
    const row = rows - 1 - at;
    const axis = at === 0 ? label(top) : at === rows - 1 ? label(0) : '';
    return `${axis.padStart(margin - 1)} |${heights.map((height) => cell(height, row)).join('')}`.trimEnd();
  });
  return [...lines, `${' '.repeat(margin)}+${'-'.repeat(width)}`, timeLine(points, margin, width, style.time)];
}

/** The lowest and the highest value of a column. */
type Span = readonly [low: number, high: number];

function cell(span: readonly number[] | null, row: number): string {
  const [low = 0, high = 0] = span ?? [];
  if (low - row >= 0.5) return '#';
  return high - row > 0.02 ? '.' : ' ';
}

/** What falls into each column; a column without a point is as the one before it. */
function columnsOf(points: readonly Point[], width: number): readonly (Span | null)[] {
  const [first] = points;
  const last = points.at(-1);
  const spans: (Span | null)[] = Array.from({ length: width }, () => null);
  if (!first || !last) return spans;
  const spanMs = Math.max(1, last[0] - first[0]);
  for (const [atMs, value] of points) {
    const at = Math.min(width - 1, Math.floor(((atMs - first[0]) / spanMs) * width));
    const [low, high] = spans[at] ?? [value, value];
    spans[at] = [Math.min(low, value), Math.max(high, value)];
  }
  let before: Span | null = null;
  return spans.map((span) => (before = span ?? before));
}

function timeLine(points: readonly Point[], margin: number, width: number, time: (atMs: number) => string): string {
  const [fromMs, toMs] = [points[0]?.[0] ?? 0, points.at(-1)?.[0] ?? 0];
  const marks = [0, 0.25, 0.5, 0.75].map((share) => time(fromMs + share * (toMs - fromMs)));
  let line = ' '.repeat(margin + 1);
  for (const [at, mark] of marks.entries()) line = line.padEnd(margin + 1 + Math.floor((at / 4) * width)) + mark;
  const end = time(toMs);
  return `${line.padEnd(margin + 1 + width - end.length)}${end}`.slice(0, margin + 1 + width);
}
