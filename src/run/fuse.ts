import type { RunState } from './state.ts';

/** Whether the fuse no longer covers a gate's outage and margin: work that began now could not end in time. */
export function fuseTooShort(
  state: RunState,
  { fuse }: { readonly fuse: { readonly outageMs: number; readonly marginMs: number } | null },
): boolean {
  return fuse !== null && state.fuse !== null && state.nowMs + fuse.outageMs + fuse.marginMs >= state.fuse.expiresAtMs;
}
