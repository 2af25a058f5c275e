/** What a dependency that is away does to who asks it: refuses at once, drops what is sent, or accepts and never answers. */
export type AwayManner = 'refuse' | 'drop' | 'hang';

/** How a server asks a dependency. */
export interface Asking {
  /** How long a request waits for it, attempts included, where nothing more is known. */
  readonly timeoutMs: number;
  readonly tries?: Tries | undefined;
}

/** How one request tries, in the client's own settings. */
export interface Tries {
  readonly attempts: number;
  /** Until a connection that nobody answers is given up. */
  readonly connectTimeoutMs: number;
  /** Until an answer on a connection that was accepted is given up. */
  readonly answerTimeoutMs: number;
  /** Until a refusal has come. */
  readonly refusedMs: number;
  /** Between two attempts; the last one counts for all further ones. */
  readonly backoffMs: readonly number[];
}

/**
 * How long a request waits for a dependency that is away, D: all of its attempts, and what it waits between them. How it
 * is away decides which of the client's timeouts count; without a word on that (null) the longest does.
 */
export function waitMs({ timeoutMs, tries }: Asking, manner: AwayManner | null): number {
  if (tries === undefined) return timeoutMs;
  if (manner === null)
    return Math.max(...(['refuse', 'drop', 'hang'] as const).map((each) => waitMs({ timeoutMs, tries }, each)));
  const each = { refuse: tries.refusedMs, drop: tries.connectTimeoutMs, hang: tries.answerTimeoutMs }[manner];
  return tries.attempts * each + backoffsMs(tries);
}

/** What is waited between the attempts. */
function backoffsMs({ attempts, backoffMs }: Tries): number {
  const between = Array.from({ length: attempts - 1 }, (_, at) => backoffMs[Math.min(at, backoffMs.length - 1)] ?? 0);
  return between.reduce((sum, ms) => sum + ms, 0);
}
