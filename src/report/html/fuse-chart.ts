import type { FusePart, FuseSpan, Outage } from '../report.ts';
import { spanOf, timeOf } from '../words.ts';
import { html, type Html } from './markup.ts';

const [WIDTH, HEIGHT] = [900, 300];
const PLOT = { left: 64, right: 880, top: 34, bottom: 252 };
/** What the words beside an outage take, about. */
const LABEL_WIDTH = 150;

/** What is drawn, in plan time: the fuse up to the end of the outage, not what burnt when nothing hung on it any more. */
interface Frame {
  readonly fromMs: number;
  readonly toMs: number;
  readonly topMs: number;
  readonly openedAtMs: number;
  readonly x: (atMs: number) => number;
  readonly y: (leftMs: number) => number;
}

/** The fuse counting down, the outage between its gates, and the margin, as an inline picture. Null: nothing burnt. */
export function fuseChart({ spans, outage }: FusePart, openedAtMs: number): Html | null {
  const shown = shownSpans(spans, outage);
  const frame = frameOf(shown, outage, openedAtMs);
  if (frame === null) return null;
  const words = describe(shown, outage);
  return html`<figure><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="fuse-title fuse-words"><title id="fuse-title">The fuse over time</title><desc id="fuse-words">${words}</desc>
${grid(frame)}${outage ? outageBand(outage, frame) : null}${outage ? marginLine(outage, frame) : null}${shown.map((span) => burning(span, frame))}
<line x1="${PLOT.left}" y1="${PLOT.bottom}" x2="${PLOT.right}" y2="${PLOT.bottom}" stroke="var(--soft)"/>
<text class="soft" x="${PLOT.left - 52}" y="16">fuse left</text></svg><figcaption>${words}</figcaption></figure>`;
}

function shownSpans(spans: readonly FuseSpan[], outage: Outage | null): readonly FuseSpan[] {
  const endMs = outage?.endMs ?? null;
  if (endMs === null) return spans;
  return spans.filter((span) => span.fromMs < endMs);
}

function frameOf(spans: readonly FuseSpan[], outage: Outage | null, openedAtMs: number): Frame | null {
  const [first] = spans;
  if (!first) return null;
  // A burnt fuse says no more the longer one looks at it.
  const ends = spans.map(({ toMs, expiresAtMs }) => Math.min(toMs, expiresAtMs + 30_000));
  const marks = outage ? [outage.startMs + outage.plannedMs + outage.marginMs, outage.endMs ?? outage.startMs] : [];
  const fromMs = first.fromMs;
  const toMs = Math.max(...ends, ...marks, fromMs + 10_000);
  const topMs = Math.max(10_000, ...spans.map((span) => span.expiresAtMs - span.fromMs)) * 1.08;
  const x = (atMs: number): number =>
    round(PLOT.left + ((Math.min(Math.max(atMs, fromMs), toMs) - fromMs) / (toMs - fromMs)) * (PLOT.right - PLOT.left));
  const y = (leftMs: number): number =>
    round(PLOT.bottom - (Math.min(Math.max(leftMs, 0), topMs) / topMs) * (PLOT.bottom - PLOT.top));
  return { fromMs, toMs, topMs, openedAtMs, x, y };
}

function grid(frame: Frame): Html {
  const rises = ticks(0, frame.topMs, 5).map(
    (leftMs) =>
      html`<line x1="${PLOT.left}" x2="${PLOT.right}" y1="${frame.y(leftMs)}" y2="${frame.y(leftMs)}" stroke="var(--line)"/><text class="soft" text-anchor="end" x="${PLOT.left - 8}" y="${frame.y(leftMs) + 4}">${spanOf(leftMs)}</text>`,
  );
  const times = ticks(frame.fromMs, frame.toMs, 6).map(
    (atMs) =>
      html`<line x1="${frame.x(atMs)}" x2="${frame.x(atMs)}" y1="${PLOT.bottom}" y2="${PLOT.bottom + 5}" stroke="var(--soft)"/><text class="soft" text-anchor="middle" x="${frame.x(atMs)}" y="${PLOT.bottom + 20}">${timeOf(atMs, frame.openedAtMs)}</text>`,
  );
  return html`${rises}${times}<text class="soft" text-anchor="end" x="${PLOT.left - 8}" y="${PLOT.bottom + 20}">UTC</text>`;
}

function burning(span: FuseSpan, { x, y }: Frame): Html {
  const leftMs = (atMs: number): number => span.expiresAtMs - atMs;
  const endMs = Math.min(span.toMs, Math.max(span.expiresAtMs, span.fromMs));
  const line = `M${x(span.fromMs)} ${y(leftMs(span.fromMs))}L${x(endMs)} ${y(leftMs(endMs))}`;
  return html`<path d="${line}L${x(endMs)} ${PLOT.bottom}L${x(span.fromMs)} ${PLOT.bottom}Z" fill="var(--band)"/><path d="${line}" stroke="var(--accent)" stroke-width="2.5" fill="none"><title>${span.clock} on ${span.server} expires first</title></path>
${span.expiresAtMs < span.toMs ? html`<text class="strong" x="${x(span.expiresAtMs) + 4}" y="${PLOT.bottom - 6}">burnt down</text>` : null}`;
}

function outageBand(outage: Outage, { x, y, toMs }: Frame): Html {
  const { startMs, endMs, plannedMs, leftMs } = outage;
  const [from, to, planned] = [x(startMs), x(endMs ?? toMs), x(startMs + plannedMs)];
  return html`<rect x="${from}" y="${PLOT.top}" width="${Math.max(2, to - from)}" height="${PLOT.bottom - PLOT.top}" fill="var(--warnbg)"/><line x1="${from}" x2="${from}" y1="${PLOT.top}" y2="${PLOT.bottom}" stroke="var(--warn)"/><line x1="${to}" x2="${to}" y1="${PLOT.top}" y2="${PLOT.bottom}" stroke="var(--warn)"/>
<line x1="${planned}" x2="${planned}" y1="${PLOT.top}" y2="${PLOT.bottom}" stroke="var(--warn)" stroke-dasharray="2 4"/><text class="soft" text-anchor="middle" x="${planned}" y="${PLOT.top - 8}">planned end</text>
${outageLabels(outage, from, to)}${endMs === null || leftMs === null ? null : html`<circle cx="${to}" cy="${y(leftMs)}" r="4.5" fill="var(--accent)"/>`}`;
}

/** Inside the band where it is wide enough, else beside it; at the foot, where the falling line is not. */
function outageLabels({ startMs, endMs, leftMs }: Outage, from: number, to: number): Html {
  const inside = to - from > LABEL_WIDTH;
  const beforeEdge = !inside && to + LABEL_WIDTH > PLOT.right;
  const x = inside ? from + 8 : beforeEdge ? from - 8 : to + 8;
  const anchor = beforeEdge ? 'end' : 'start';
  const left =
    endMs === null || leftMs === null
      ? null
      : html`<text text-anchor="${anchor}" x="${x}" y="${PLOT.bottom - 44}">${spanOf(leftMs)} of fuse left</text>`;
  return html`<text class="strong" text-anchor="${anchor}" x="${x}" y="${PLOT.bottom - 60}">outage ${endMs === null ? 'so far' : spanOf(endMs - startMs)}</text>${left}`;
}

function marginLine({ marginMs }: Outage, { y }: Frame): Html {
  return html`<line x1="${PLOT.left}" x2="${PLOT.right}" y1="${y(marginMs)}" y2="${y(marginMs)}" stroke="var(--bad)" stroke-width="1.5" stroke-dasharray="6 4"/><text text-anchor="end" x="${PLOT.right}" y="${y(marginMs) - 5}" style="fill:var(--bad)">margin ${spanOf(marginMs)}</text>`;
}

function describe(spans: readonly FuseSpan[], outage: Outage | null): string {
  const last = spans.at(-1);
  const burnt = last
    ? `The fuse was ${spanOf(last.expiresAtMs - last.fromMs)} long when it was last read: ${last.clock} on ${last.server} would expire first.`
    : '';
  if (outage === null) return `${burnt} No hardware work was let start.`;
  const length = outage.endMs === null ? 'is not over' : `took ${spanOf(outage.endMs - outage.startMs)}`;
  const left =
    outage.leftMs === null
      ? ''
      : ` ${spanOf(outage.leftMs)} of fuse ${outage.endMs === null ? 'are left now' : 'were left at its end'}, ${outage.leftMs >= outage.marginMs ? 'more than' : 'less than'} the margin of ${spanOf(outage.marginMs)}.`;
  return `${burnt} The outage between its gates ${length}, planned were ${spanOf(outage.plannedMs)}.${left}`.trim();
}

/** Round numbers between two instants or spans, about `count` of them: whole seconds, minutes or hours. */
function ticks(fromMs: number, toMs: number, count: number): number[] {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400].map(
    (seconds) => seconds * 1000,
  );
  const step = steps.find((each) => (toMs - fromMs) / each <= count) ?? Math.ceil((toMs - fromMs) / count);
  const first = Math.ceil(fromMs / step) * step;
  return Array.from({ length: Math.max(0, Math.floor((toMs - first) / step) + 1) }, (_, at) => first + at * step);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
