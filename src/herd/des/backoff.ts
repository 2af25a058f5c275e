import type { Stream } from './stream.ts';

/**
 * How long a client waits before the next attempt, as the AWS Architecture Blog names the ways (M. Brooker,
 * "Exponential Backoff And Jitter", 2015): doubling from `baseMs` up to `capMs`, then as it is, evenly between half
 * and all of it, evenly from 0, or at random between `baseMs` and three times the wait before.
 */
export type Backoff =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'exponential' | 'equal' | 'full' | 'decorrelated';
      readonly baseMs: number;
      readonly capMs: number;
    };

/** The wait after the failure of attempt `attempt` (1 is the first); `beforeMs` is the wait before that, if there was one. */
export function backoffMs(backoff: Backoff, attempt: number, beforeMs: number | null, stream: Stream): number {
  if (backoff.kind === 'none') return 0;
  const { kind, baseMs, capMs } = backoff;
  if (kind === 'decorrelated') {
    return Math.min(capMs, baseMs + stream.draw() * Math.max(0, 3 * (beforeMs ?? baseMs) - baseMs));
  }
  const wholeMs = Math.min(capMs, baseMs * 2 ** attempt);
  if (kind === 'exponential') return wholeMs;
  return kind === 'equal' ? wholeMs / 2 + (stream.draw() * wholeMs) / 2 : stream.draw() * wholeMs;
}
