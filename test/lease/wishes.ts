import type { ClaimWish, Holder } from '../../src/ports/index.ts';

/** Somebody's engine, wherever it may run. */
export function holder(by: string, over: Partial<Holder> = {}): Holder {
  return { by, user: by, host: `${by}-laptop`, machine: 'm', boot: 'b', pid: 7, ...over };
}

export function wish(run: string, servers: readonly string[], over: Partial<ClaimWish> = {}): ClaimWish {
  return { run, servers, holder: holder('ada'), atLeast: 0, supersedes: null, ...over };
}
