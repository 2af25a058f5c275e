import type { Kernel } from './kernel.ts';
import type { Service } from './service.ts';

/**
 * Waits so long for an answer and no longer. The service behind it is not told: it works on, and its late answer is
 * heard by nobody. `wasted` counts those that it served too late.
 */
export function withTimeout(
  kernel: Kernel,
  timeoutMs: number,
  service: Service,
): { readonly ask: Service; readonly wasted: () => number } {
  let wasted = 0;
  const ask: Service = (key, done) => {
    let waits = true;
    const due = kernel.after(timeoutMs, () => {
      waits = false;
      done('timed-out');
    });
    service(key, (outcome) => {
      if (!waits) {
        wasted += outcome === 'served' ? 1 : 0;
        return;
      }
      waits = false;
      kernel.cancel(due);
      done(outcome);
    });
  };
  return { ask, wasted: () => wasted };
}
