import type { RunState } from './state.ts';

/** Whether the fuse no longer covers a gate's outage and margin: work that began now could not end in time. Nobody is stopped by it who decided against it. */
export function fuseTooShort(
  state: RunState,
  { fuse }: { readonly fuse: { readonly outageMs: number; readonly marginMs: number } | null },
): boolean {
  return !isFuseOverridden(state) && fuseFallsShort(state, fuse);
}

/** The same, whatever anybody decided. */
export function fuseFallsShort(
  { nowMs, fuse: burning }: RunState,
  fuse: { readonly outageMs: number; readonly marginMs: number } | null,
): boolean {
  return fuse !== null && burning !== null && nowMs + fuse.outageMs + fuse.marginMs >= burning.expiresAtMs;
}

/** Whether a person decided that the outage begins although the fuse does not cover it. */
export function isFuseOverridden({ overrides }: RunState): boolean {
  return overrides.some((each) => each.class === 'fuse');
}
