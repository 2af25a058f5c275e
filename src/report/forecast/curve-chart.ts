import type { Curve, Mark } from '../../herd/index.ts';
import { html, type Html } from '../html/markup.ts';
import { clock, scaleText, topOf } from './words.ts';

/** A curve in a picture, and how it is told from the others. */
export interface Line {
  readonly name: string;
  readonly curve: Curve;
  readonly tone: 'bad' | 'good' | 'accent' | 'soft';
}

export interface ChartParts {
  /** All of one unit. */
  readonly lines: readonly Line[];
  readonly marks: readonly Mark[];
  readonly untilMs: number;
  /** What there is to see, for who cannot. */
  readonly words: string;
  /** Tells this picture's title from those of others on the page. */
  readonly id: string;
  /** For a file of its own: carries its colours along. */
  readonly standalone?: boolean;
}

const [WIDTH, HEIGHT] = [900, 250];
const PLOT = { left: 78, right: 884, top: 34, bottom: 196 };

interface Frame {
  readonly x: (atMs: number) => number;
  readonly y: (value: number) => number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly top: number;
}

/** Curves over a scenario's time, with what happened at which moment, as one inline picture. */
export function curveChart(parts: ChartParts): Html {
  const { lines, marks, untilMs, words, id, standalone } = parts;
  const frame = frameOf(lines, untilMs);
  const shown = marks.filter(({ atMs }) => atMs <= frame.toMs);
  const height = HEIGHT + Math.max(0, Math.ceil(lines.length / 3) - 1) * 18;
  const root = standalone
    ? html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="${id}-title">${OWN_STYLE}<rect width="${WIDTH}" height="${height}" fill="var(--ground)"/>`
    : html`<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="${id}-title">`;
  return html`${root}<title id="${id}-title">${words}</title>
${axes(lines[0]?.curve.unit ?? 'share', frame)}${shown.map((mark, at) => markLine(mark, at, frame))}
${lines.map(({ curve, tone }) => html`<path d="${pathOf(curve, frame)}" stroke="var(--${tone})" stroke-width="${tone === 'soft' ? 1.2 : 2}" stroke-linejoin="round" fill="none"/>\n`)}${legend(lines)}</svg>`;
}

/** What the numbers in a picture stand for, as a list. */
export function marksList(marks: readonly Mark[], untilMs: number): Html | null {
  const shown = marks.filter(({ atMs }) => atMs <= untilMs);
  if (shown.length === 0) return null;
  return html`<ol class="deeds">${shown.map(({ atMs, what }, at) => html`<li>${at + 1}. <span class="mono">${clock(atMs)}</span> ${what}</li>`)}</ol>`;
}

const OWN_STYLE = html`<style>svg { --ink:#16202b; --soft:#52606d; --line:#d5dce3; --bad:#a3161a; --good:#0b6b3a; --accent:#0a5ca8; --ground:#ffffff; }
@media (prefers-color-scheme: dark) { svg { --ink:#e6ebf0; --soft:#a7b3bf; --line:#333e49; --bad:#ff9c9c; --good:#7fdca4; --accent:#7db9f5; --ground:#12171d; } }
text { fill:var(--ink); font:12px system-ui, "Liberation Sans", sans-serif; } text.soft { fill:var(--soft); }</style>`;

function frameOf(lines: readonly Line[], untilMs: number): Frame {
  const fromMs = Math.min(...lines.map(({ curve }) => curve.points[0]?.[0] ?? 0));
  const toMs = Math.max(fromMs + 1_000, untilMs);
  const top = Math.max(...lines.map(({ curve }) => topOf(curve)));
  const x = (atMs: number): number =>
    round(PLOT.left + ((Math.min(Math.max(atMs, fromMs), toMs) - fromMs) / (toMs - fromMs)) * (PLOT.right - PLOT.left));
  const y = (value: number): number =>
    round(PLOT.bottom - (Math.min(Math.max(value, 0), top) / top) * (PLOT.bottom - PLOT.top));
  return { x, y, fromMs, toMs, top };
}

function axes(unit: Curve['unit'], frame: Frame): Html {
  const rises = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const at = frame.y(share * frame.top);
    return html`<line x1="${PLOT.left}" x2="${PLOT.right}" y1="${at}" y2="${at}" stroke="var(--line)"/><text class="soft" text-anchor="end" x="${PLOT.left - 8}" y="${at + 4}">${scaleText(unit, share * frame.top)}</text>`;
  });
  const times = ticks(frame.fromMs, frame.toMs).map(
    (atMs) =>
      html`<line x1="${frame.x(atMs)}" x2="${frame.x(atMs)}" y1="${PLOT.bottom}" y2="${PLOT.bottom + 5}" stroke="var(--soft)"/><text class="soft" text-anchor="${frame.x(atMs) > PLOT.right - 28 ? 'end' : 'middle'}" x="${Math.min(PLOT.right + 12, frame.x(atMs) > PLOT.right - 28 ? frame.x(atMs) + 12 : frame.x(atMs))}" y="${PLOT.bottom + 20}">${clock(atMs)}</text>`,
  );
  return html`${rises}${times}<line x1="${PLOT.left}" x2="${PLOT.right}" y1="${PLOT.bottom}" y2="${PLOT.bottom}" stroke="var(--soft)"/>`;
}

/** A numbered line; what it stands for is in the list beside the picture. Two that fall together stand one above the other. */
function markLine({ atMs, what }: Mark, at: number, { x }: Frame): Html {
  const left = x(atMs);
  return html`<g><title>${what}</title><line x1="${left}" x2="${left}" y1="${PLOT.top - 4}" y2="${PLOT.bottom}" stroke="var(--soft)" stroke-dasharray="2 4"/><text class="soft" text-anchor="middle" x="${left}" y="${PLOT.top - 9 - (at % 2) * 13}">${at + 1}</text></g>`;
}

/** A line through the points; a value that stays is one stroke, however many points say so. */
function pathOf({ points, unit }: Curve, { x, y, toMs }: Frame): readonly string[] {
  const shown = points.filter(([atMs]) => atMs <= toMs);
  // A share is that of the time since the point before, so the first point says nothing.
  const from = unit === 'share' ? 1 : 0;
  const kept = shown.filter(
    ([, value], at) =>
      at >= from &&
      !(at > from && at < shown.length - 1 && shown[at - 1]?.[1] === value && shown[at + 1]?.[1] === value),
  );
  return kept.map(([atMs, value], at) => `${at === 0 ? 'M' : 'L'}${x(atMs)} ${y(value)}`);
}

function legend(lines: readonly Line[]): Html {
  return html`${lines.map(({ name, tone }, at) => {
    const [left, top] = [PLOT.left + (at % 3) * 270, PLOT.bottom + 44 + Math.floor(at / 3) * 18];
    return html`<line x1="${left}" x2="${left + 22}" y1="${top - 4}" y2="${top - 4}" stroke="var(--${tone})" stroke-width="3"/><text x="${left + 28}" y="${top}">${name}</text>`;
  })}`;
}

/** Round times, about seven of them. */
function ticks(fromMs: number, toMs: number): number[] {
  const steps = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200].map((seconds) => seconds * 1_000);
  const step = steps.find((each) => (toMs - fromMs) / each <= 8) ?? Math.ceil((toMs - fromMs) / 8);
  const first = Math.ceil(fromMs / step) * step;
  return Array.from({ length: Math.max(0, Math.floor((toMs - first) / step) + 1) }, (_, at) => first + at * step);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
