import { type Backoff, backoffMs } from './backoff.ts';
import type { Kernel } from './kernel.ts';
import type { Service } from './service.ts';
import type { Stream } from './stream.ts';

export interface RetryRules {
  /** Attempts in all; 1 never tries again. */
  readonly attempts: number;
  readonly backoff: Backoff;
  readonly stream: Stream;
  /** A bucket that successes fill and retries empty, shared by all requests that come through here. */
  readonly budget?: RetryBudget;
}

/** Every success puts `perSuccess` into the bucket, up to `tokensMax`; a retry takes 1, and there is none without it. */
export interface RetryBudget {
  readonly perSuccess: number;
  readonly tokensMax: number;
}

/** Tries again whatever was not served. `retried` counts the attempts beyond the first. */
export function withRetries(
  kernel: Kernel,
  rules: RetryRules,
  service: Service,
): { readonly ask: Service; readonly retried: () => number } {
  const { attempts, backoff, stream, budget } = rules;
  let tokens = budget?.tokensMax ?? 0;
  let retried = 0;
  const spend = (): boolean => {
    if (budget === undefined) return true;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
  const ask: Service = (key, done) => {
    let attempt = 1;
    let beforeMs: number | null = null;
    const again = (): void =>
      service(key, (outcome) => {
        if (outcome === 'served' && budget !== undefined) {
          tokens = Math.min(budget.tokensMax, tokens + budget.perSuccess);
        }
        if (outcome === 'served' || attempt >= attempts || !spend()) {
          done(outcome);
          return;
        }
        beforeMs = backoffMs(backoff, attempt, beforeMs, stream);
        attempt += 1;
        retried += 1;
        // Through the kernel even without a wait: refusals at once would otherwise pile up on the stack.
        kernel.after(beforeMs, again);
      });
    again();
  };
  return { ask, retried: () => retried };
}
