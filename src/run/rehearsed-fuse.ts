import { lineOf, trackOf, type PlanIndex } from './lines.ts';
import type { Fuse, RunState } from './state.ts';

/** What expires there is not known by name. */
const CLOCK = 'what was rehearsed';

/**
 * The end of what rehearsals have shown, from each server's last reset or refresh on: for groups that have no clock to
 * be read, and for those whose measured fuse is shorter than their clocks say. Null: there are none.
 */
export function rehearsedFuse(state: RunState, index: PlanIndex): Fuse | null {
  const limits = limitsOf(state, index);
  if (limits.size === 0) return null;
  const reset = resetsOf(state, index);
  let first: Fuse | null = null;
  for (const { servers } of index.plan.slices)
    for (const { name, group } of servers) {
      const lastedMs = limits.get(group);
      const sinceMs = reset.get(name);
      if (lastedMs === undefined || sinceMs === undefined || state.out[name]) continue;
      const expiresAtMs = sinceMs + lastedMs;
      if (first === null || expiresAtMs < first.expiresAtMs) first = { server: name, clock: CLOCK, expiresAtMs };
    }
  return first;
}

/** For how long each such group was seen to go on; this run's own rehearsal counts before an earlier one. */
function limitsOf({ rehearsed }: RunState, { plan: { header } }: PlanIndex): ReadonlyMap<string, number> {
  return new Map(
    (header.rehearsals ?? []).flatMap(({ group, blind, result, lastedMs }) => {
      const own = rehearsed?.findLast((each) => each.group === group && each.result !== 'void');
      const shown = own ?? (result === null || lastedMs === null ? null : { result, lastedMs });
      return shown !== null && (blind || shown.result === 'failed') ? [[group, shown.lastedMs] as const] : [];
    }),
  );
}

/** When each server's caches were last reset or refreshed by the main line. */
function resetsOf(state: RunState, index: PlanIndex): ReadonlyMap<string, number> {
  const resets = new Map<string, number>();
  const main = trackOf(state, 'main');
  const line = main ? lineOf(index, main) : [];
  for (const act of main?.steps ?? []) {
    const step = line[act.plan];
    if (act.step !== 'act' || step?.step !== 'act' || !step.alters.includes('cache')) continue;
    for (const { targets } of act.waves)
      for (const [server, { phase, dirty, sinceMs }] of Object.entries(targets))
        if (phase === 'done' && dirty && sinceMs !== null)
          resets.set(server, Math.max(sinceMs, resets.get(server) ?? -Infinity));
  }
  return resets;
}
