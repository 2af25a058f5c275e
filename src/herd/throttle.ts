/**
 * The closed loop over a schedule: additive increase, multiplicative decrease (D.-M. Chiu and R. Jain, 1989), on what the
 * database shows. The computed bound is its ceiling: it only ever takes from that.
 */
export interface ThrottleRule {
  /** How far back is looked, and how long a change is given to show. */
  readonly windowMs: number;
  /** The least delay of a window above this halves the pace: a spike passes, a standing queue does not (CoDel, RFC 8289). */
  readonly delayMs: number;
  readonly freezeDelayMs: number;
  /** Refreshes that failed, of those that ended in a window: above this the pace is halved, or frozen. */
  readonly errorShare: number;
  readonly freezeErrorShare: number;
}

/** Never slower than this share of the bound, unless frozen: something must be tried to learn that it is well again. */
const LEAST_SHARE = 1 / 16;

/** Added in each calm window. */
const RAISE = 1 / 8;

/** One failure is an accident, and so few of them freeze nothing. */
const FREEZE_FAILURES_MIN = 3;

/** What is known, and what follows from it. Plain data. */
export interface Throttle {
  /** Of the computed bound; 0: frozen. */
  readonly share: number;
  /** With what it goes on after a freeze. */
  readonly thawed: number;
  /** Since when it is so: what was seen before says nothing of this pace. */
  readonly sinceMs: number;
  readonly delays: readonly { readonly atMs: number; readonly delayMs: number }[];
  readonly ended: readonly { readonly atMs: number; readonly failed: boolean }[];
  /** Why it is so, in words with numbers. */
  readonly why: string;
}

/** At the start, and when another engine takes over, nothing is known. */
export function unthrottled(atMs: number, share = 1): Throttle {
  const thawed = share > 0 ? share : LEAST_SHARE;
  return { share, thawed, sinceMs: atMs, delays: [], ended: [], why: 'not read yet' };
}

/**
 * Takes in what happened until `atMs`. `delayMs`: what a query waits now; Infinity where it was not answered in time;
 * null: there was no reading. `reads`: whether a delay is read at all.
 */
export function throttle(
  rule: ThrottleRule,
  before: Throttle,
  seen: {
    readonly atMs: number;
    readonly delayMs: number | null;
    readonly ended?: readonly boolean[];
    readonly reads: boolean;
  },
): Throttle {
  const { atMs, delayMs } = seen;
  const fromMs = Math.max(before.sinceMs, atMs - rule.windowMs);
  const recent = <T extends { readonly atMs: number }>(all: readonly T[]): T[] =>
    all.filter((each) => each.atMs > fromMs);
  const delays = recent([...before.delays, ...(delayMs === null ? [] : [{ atMs, delayMs }])]);
  const ended = recent([...before.ended, ...(seen.ended ?? []).map((failed) => ({ atMs, failed }))]);
  const now = { ...before, delays, ended };
  const isWhole = atMs - before.sinceMs >= rule.windowMs;
  const failed = ended.filter((each) => each.failed).length;
  const errors = ended.length === 0 ? 0 : failed / ended.length;
  const least = isWhole && delays.length > 0 ? Math.min(...delays.map((each) => each.delayMs)) : null;
  const tooMany = failed >= FREEZE_FAILURES_MIN && errors > rule.freezeErrorShare;
  const errorWords = `${failed} of ${ended.length} refreshes failed`;
  const delayWords = `the delay was ${wordsOf(least ?? 0)} at least for ${Math.round(rule.windowMs / 1000)} s`;
  if (tooMany) return frozen(now, atMs, errorWords);
  if (!isWhole) return now;
  if (least !== null && least > rule.freezeDelayMs) return frozen(now, atMs, delayWords);
  if (least !== null && least > rule.delayMs) return halved(now, atMs, delayWords);
  if (errors > rule.errorShare) return halved(now, atMs, errorWords);
  // Silence is no reading that it is well: going slower is always safe, and standing still for ever is not.
  if (seen.reads && least === null)
    return before.share === 0 ? raised(now, atMs, 'no reading came') : halved(now, atMs, 'no reading came');
  return raised(now, atMs, 'it is calm');
}

function frozen(now: Throttle, atMs: number, why: string): Throttle {
  if (now.share === 0) return { ...now, sinceMs: atMs, why };
  return { ...now, share: 0, thawed: Math.max(LEAST_SHARE, rounded(now.share / 2)), sinceMs: atMs, why };
}

function halved(now: Throttle, atMs: number, why: string): Throttle {
  // A freeze is not ended by less of what began it.
  const share = now.share === 0 ? 0 : Math.max(LEAST_SHARE, rounded(now.share / 2));
  return { ...now, share, sinceMs: atMs, why };
}

function raised(now: Throttle, atMs: number, why: string): Throttle {
  const share = now.share === 0 ? now.thawed : Math.min(1, now.share + RAISE);
  return { ...now, share, sinceMs: atMs, why };
}

/** So that it stays a number that people read. */
function rounded(share: number): number {
  return Math.round(share * 10_000) / 10_000;
}

function wordsOf(delayMs: number): string {
  return delayMs === Infinity ? 'longer than its timeout' : `${Math.round(delayMs)} ms`;
}
