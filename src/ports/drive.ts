/** Requests that a kind wants sent to its server, at a steady rate and for as long as it looks. */
export interface DriveWish {
  /** What the rate is meant to be of production's, and that rate for one server; null: not known. */
  readonly share: number;
  readonly productionPerSecond: number | null;
  /** In plan time, all requests together. */
  readonly perSecond: number;
  /** Sent in turn. A request fails on its status, on silence, and on taking longer than `withinMs` (real milliseconds). */
  readonly requests: readonly {
    readonly name: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly withinMs: number;
  }[];
}

/** What became of such requests so far, in plan time. */
export interface Driven {
  readonly share: number;
  readonly productionPerSecond: number | null;
  /** As it was really sent. */
  readonly perSecond: number;
  readonly fromMs: number;
  /** Whatever was sent before this instant has come to its end. */
  readonly untilMs: number;
  readonly sent: number;
  /** Failures that stood alone: the next request of the same sort was answered well. */
  readonly alone: number;
  /** The first of several failures: when that request was sent, which one it was, and what it met. */
  readonly failure: { readonly atMs: number; readonly request: string; readonly why: string } | null;
  /** Why it proves nothing for a time in between; null: it went without a gap. */
  readonly gap: string | null;
}
