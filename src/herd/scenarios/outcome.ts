/** What a case came to: data for a terminal, a page, or a script. All instants count from the scenario's zero. */
export interface Outcome {
  readonly figures: Figures;
  /** At most `POINTS_MAX` points each, over the same instants; a share is that of the time since the point before. */
  readonly curves: readonly Curve[];
  /** What somebody did, or what happened to all. */
  readonly marks: readonly Mark[];
}

/** The few numbers that matter. Null: it did not happen. */
export interface Figures {
  /** When a request first failed or was refused. */
  readonly firstFailedMs: number | null;
  readonly firstDeadMs: number | null;
  readonly halfDeadMs: number | null;
  readonly lastDeadMs: number | null;
  /** Servers hung at the same time, at most. */
  readonly deadAtMost: number;
  /** Requests waiting on one server, at most. */
  readonly peakInFlight: number;
  readonly peakRefreshesPerSecond: number;
  readonly peakConnectionsPerSecond: number;
  readonly arrived: number;
  /** Failed, late or at once, or refused. */
  readonly failed: number;
  /** Got the maintenance page with its Retry-After. */
  readonly paged: number;
  /** The share that failed or was refused, from the first trouble to its end. */
  readonly failedShare: number;
  /** From the first request that was not answered until all are again, for good; null: not within what was looked at. */
  readonly troubleMs: number | null;
}

export interface Curve {
  readonly name: string;
  readonly unit: 'servers' | 'clients' | 'share' | 'requests' | 'per second' | 'seconds';
  readonly points: readonly (readonly [atMs: number, value: number])[];
}

export interface Mark {
  readonly atMs: number;
  readonly what: string;
}

/** No curve has more points. */
export const POINTS_MAX = 601;

/** How a case ended, the worst that is true of it. */
export type Verdict =
  /** Servers hung. */
  | 'collapse'
  /** Servers lived; requests failed or were refused. */
  | 'errors'
  /** Users saw the maintenance page, and nothing failed. */
  | 'page'
  | 'unharmed'
  /** neap would not have begun. */
  | 'refused';

/** The worst that is true of an outcome. One failed request in ten thousand is no trouble that anybody finds. */
export function verdictOf({ deadAtMost, failed, paged, arrived }: Figures): Verdict {
  if (deadAtMost > 0) return 'collapse';
  if (failed > arrived * 1e-4) return 'errors';
  return paged > arrived * 1e-4 ? 'page' : 'unharmed';
}
