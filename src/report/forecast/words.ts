import type { CaseForecast, Curve, Figures, Outcome, Verdict } from '../../herd/index.ts';

/** What each verdict is called. */
export const VERDICTS: Readonly<Record<Verdict, string>> = {
  collapse: 'COLLAPSE',
  errors: 'ERRORS',
  page: 'PAGE',
  unharmed: 'UNHARMED',
  refused: 'REFUSED',
};

/** The figures of a case that say something, in words; over all seeds where they differ between them. */
export function factsOf({ outcome, spread }: CaseForecast): readonly (readonly [name: string, value: string])[] {
  const { figures } = outcome;
  const when = (name: string, key: keyof Figures): [string, string][] => {
    const atMs = figures[key];
    if (atMs === null) return [];
    return [[name, rangeText(spread[key] ?? { min: atMs, max: atMs }, clock, ' to ')]];
  };
  const count = (name: string, key: keyof Figures, unit = ''): [string, string][] =>
    (figures[key] ?? 0) > 0 ? [[name, `${counted(spread[key]?.max ?? figures[key] ?? 0)}${unit}`]] : [];
  return [
    ...when('first request failed', 'firstFailedMs'),
    ...when('first server hung', 'firstDeadMs'),
    ...when('half of them hung', 'halfDeadMs'),
    ...when('last server hung', 'lastDeadMs'),
    ...count('hung at most', 'deadAtMost'),
    ...count('waiting on a server', 'peakInFlight', ' at most'),
    ...count('cache refreshes', 'peakRefreshesPerSecond', '/s at most'),
    ...count('new connections', 'peakConnectionsPerSecond', '/s at most'),
    ['failed or refused', figures.failed < 0.5 ? 'none' : counted(figures.failed)],
    ...(figures.failedShare > 0 ? [['failed meanwhile', `${percent(figures.failedShare)} of requests`] as const] : []),
    ...(figures.paged > 0 ? [['got the page', percent(figures.paged / Math.max(1, figures.arrived))] as const] : []),
    ['whole again', troubleText({ outcome, spread })],
  ];
}

/** How long it took until everybody got his answer again. */
export function troubleText({ outcome, spread }: Pick<CaseForecast, 'outcome' | 'spread'>): string {
  const { troubleMs } = outcome.figures;
  if (troubleMs === null) return 'not by itself';
  if (troubleMs === 0) return 'always was';
  return `after ${rangeText(spread.troubleMs ?? { min: troubleMs, max: troubleMs }, spanText, ' to ')}`;
}

/** What a case came to, in two or three words. */
export function briefOf({ verdict, outcome }: CaseForecast): string {
  const { deadAtMost, failedShare } = outcome.figures;
  if (verdict === 'collapse') return `${counted(deadAtMost)} hung`;
  if (verdict !== 'errors') return '';
  const whole = Math.round(failedShare * 100);
  return `${whole === 0 ? '<1' : whole === 100 && failedShare < 1 ? '>99' : whole}% failed`;
}

function rangeText(
  { min, max }: { readonly min: number; readonly max: number },
  text: (value: number) => string,
  between: string,
): string {
  return text(min) === text(max) ? text(min) : `${text(min)}${between}${text(max)}`;
}

/** A curve's name with its unit, where the name does not say it. */
export function curveTitle({ name, unit }: Curve): string {
  if (unit === 'share') return `${name}, share of requests`;
  return unit === 'per second' ? `${name}, per second` : name;
}

/** The curves that change at all. */
export function tellingCurves({ curves }: Outcome): readonly Curve[] {
  return curves.filter(({ points }) => points.some(([, value]) => value !== points[1]?.[1]));
}

/** Where a curve is worth looking at: what comes long after the end of the trouble says nothing. */
export function tellingUntilMs({ figures, curves }: Outcome): number {
  const points = curves[0]?.points ?? [];
  const [fromMs, lastMs] = [points[0]?.[0] ?? 0, points.at(-1)?.[0] ?? 0];
  const { firstFailedMs, troubleMs } = figures;
  if (troubleMs === null || (firstFailedMs === null && troubleMs === 0)) return lastMs;
  const endMs = Math.max(0, firstFailedMs ?? 0) + troubleMs;
  return Math.min(lastMs, endMs + Math.max(30_000, 0.1 * (endMs - fromMs)));
}

/** The full scale of a curve: everything, or a round number above its peak. */
export function topOf({ unit, points }: Curve): number {
  if (unit === 'share') return 1;
  const peak = Math.max(1e-9, ...points.map(([, value]) => value));
  const power = 10 ** Math.floor(Math.log10(peak));
  return ([1, 2, 2.5, 5, 10].find((step) => step * power >= peak - 1e-9) ?? 10) * power;
}

/** A value on a curve's scale. */
export function scaleText(unit: Curve['unit'], value: number): string {
  return unit === 'share' ? percent(value) : counted(value);
}

/** `T+3:09` from a scenario's zero. */
export function clock(atMs: number): string {
  const seconds = Math.round(Math.abs(atMs) / 1_000);
  const sign = atMs < -499 ? '-' : '+';
  const hours = Math.floor(seconds / 3_600);
  const minutes = Math.floor((seconds % 3_600) / 60);
  const rest = String(seconds % 60).padStart(2, '0');
  return `T${sign}${hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}` : minutes}:${rest}`;
}

/** `52 min`, `2 min 44 s`, `40 s`. */
export function spanText(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds >= 6 * 3_600) return `${(seconds / 3_600).toFixed(1)} h`;
  const rest = seconds % 60;
  return seconds >= 600 || rest === 0 ? `${Math.round(seconds / 60)} min` : `${Math.floor(seconds / 60)} min ${rest} s`;
}

/** A count as people read it: `1,400`, `27 million`. */
export function counted(value: number): string {
  if (value >= 1e6) return `${Number((value / 1e6).toPrecision(3))} million`;
  if (value > 0 && value < 10 && !Number.isInteger(value)) return value.toFixed(1);
  return String(Math.round(value)).replaceAll(/\B(?=(\d{3})+$)/g, ',');
}

/** A share; neither 0% nor 100% is said of something in between. */
export function percent(share: number): string {
  if (share > 0 && share < 0.001) return '<0.1%';
  if (share < 1 && share > 0.999) return '>99.9%';
  return `${Number((share * 100).toFixed(1))}%`;
}
