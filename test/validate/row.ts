/** What is reproduced: one figure of a published result, by many seeds. */
export interface Row {
  readonly what: string;
  /** As its source has it, in words and figures. */
  readonly published: string;
  /** Ours, one for each seed. */
  readonly ours: readonly number[];
  readonly unit: string;
  /** A median in here is the published result. */
  readonly same: Range;
  /** A median in here is near enough, and its difference is explained by `why`. Outside, the validation fails. */
  readonly stated?: Range;
  readonly why?: string;
}

export type Range = readonly [low: number, high: number];

/** One published result with the figures that are reproduced of it. */
export interface Check {
  readonly id: string;
  readonly title: string;
  readonly source: string;
  /** What the source does not publish and had to be chosen. */
  readonly chosen: string;
  readonly rows: (seeds: readonly number[]) => readonly Row[];
}

export type Verdict = 'as published' | 'explained' | 'OFF';

/** A deviation without an explanation is a defect of the check, and thrown. */
export function verdictOf(row: Row): Verdict {
  const { median } = spreadOf(row.ours);
  if (within(median, row.same)) return 'as published';
  if (row.stated === undefined || !within(median, row.stated)) return 'OFF';
  if (row.why === undefined) throw new Error(`"${row.what}" deviates, and nothing says why`);
  return 'explained';
}

/** Median and the 5th and 95th percentile; of few seeds these are the outermost. Infinity is a value too. */
export function spreadOf(values: readonly number[]): {
  readonly median: number;
  readonly p5: number;
  readonly p95: number;
} {
  const sorted = values.toSorted((a, b) => (a < b ? -1 : 1));
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;
  return { median: at(0.5), p5: at(0.05), p95: at(0.95) };
}

/** A value and so large a share of it to either side. */
export function around(value: number, share: number): Range {
  return [value * (1 - share), value * (1 + share)];
}

/** How many of the runs did it: 1 is all of them. */
export const ALWAYS: Range = [1, 1];

function within(value: number, [low, high]: Range): boolean {
  return value >= low && value <= high;
}
