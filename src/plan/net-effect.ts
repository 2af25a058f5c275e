import type { Aspect, Failure, Json } from '../model/index.ts';
import { canonicalJson } from './canonical.ts';

/** What a run did to one server in one step, as its journal tells. */
export interface Deed {
  /** The track on which it was done: the main line, or a contingency that was armed. */
  readonly track: string;
  /** The step's id in the run's plan. */
  readonly step: string;
  readonly server: string;
  readonly wave: number;
  readonly change: Json;
  /** Places in the journal where it was first and last begun: what the order of things is told by. */
  readonly begun: number;
  readonly lastBegun: number;
  /** The run confirmed it. Otherwise it may have been done, or half done. */
  readonly proven: boolean;
  /** The run itself took it back. */
  readonly takenBack: boolean;
}

/** How a server stands now towards one deed, by the step's own observe and decide. */
export type Standing =
  | { readonly stands: 'before' }
  | { readonly stands: 'after' }
  /** Neither: `seen` is what the step would do there now, in words. */
  | { readonly stands: 'other'; readonly seen: readonly string[] }
  | { readonly stands: 'unread'; readonly failure: Failure };

/** A deed with what is needed to judge it. */
export interface Judged {
  readonly deed: Deed;
  /** The kind's name. */
  readonly kind: string;
  readonly reads: readonly Aspect[];
  readonly alters: readonly Aspect[];
  /** Why it has no way back; null where undo takes it back. `whole`: everything that it alters is another from then on. */
  readonly noWayBack: { readonly why: string; readonly whole: boolean } | null;
  readonly standing: Standing;
}

export type Fate =
  | { readonly fate: 'take-back' }
  | { readonly fate: 'nothing' }
  | { readonly fate: 'no-way-back'; readonly why: string }
  | { readonly fate: 'drift'; readonly seen: readonly string[] }
  | { readonly fate: 'unread'; readonly failure: Failure };

/** Aspects of which a server has many: two deeds on its configuration need not be about the same thing. */
const MANIFOLD: ReadonlySet<Aspect> = new Set(['config', 'path']);

/**
 * What is to be taken back of all that was done to one server, `deeds` in the order in which it was done. The goal is
 * the server as it stood before the first of them.
 *
 * - A deed before which the server stands as it stands now has nothing to take back, and nor has any later deed on the
 *   same thing that alters no more than it does: whatever was done there since, by the run or by others, is back
 *   already. So an offline mode that was entered and left again costs nothing.
 * - Unless something later on the same thing is taken back: who goes back to a former configuration goes the whole
 *   way, out of the balancer first, as on the way in.
 * - What was done over something that has no way back stays with it: a server that was reset and then mended, or mended
 *   by a reload and then given traffic, is in service, and what was before cannot be had again.
 * - A deed that shows neither before nor after is drift, unless what is taken back over it accounts for that.
 */
export function netEffect(deeds: readonly Judged[]): Fate[] {
  const able = deeds.filter((each) => each.noWayBack === null && !deeds.some((base) => isBase(base, each, deeds)));
  const still = new Set(able.filter(({ standing }) => standing.stands === 'before'));
  for (;;) {
    const covered = new Set(
      able.filter((each) => still.has(each) || [...still].some((earlier) => covers(earlier, each, able))),
    );
    const left = able.filter((each) => !covered.has(each));
    const disturbed = [...still].filter((each) => left.some((later) => isOver(later, each, able)));
    if (disturbed.length === 0) return deeds.map((each) => fateOf(each, left, able, deeds));
    for (const each of disturbed) still.delete(each);
  }
}

function covers(earlier: Judged, later: Judged, able: readonly Judged[]): boolean {
  if (later.deed.begun <= earlier.deed.begun || later.alters.length === 0) return false;
  if (!later.alters.every((aspect) => earlier.alters.includes(aspect))) return false;
  return !later.alters.some((aspect) => MANIFOLD.has(aspect)) || isChained(earlier, later, able);
}

/** Whether `base` has no way back, and `later` was done over it. */
function isBase(base: Judged, later: Judged, deeds: readonly Judged[]): boolean {
  if (base.noWayBack === null) return false;
  const swept = base.noWayBack.whole && later.alters.some((aspect) => base.alters.includes(aspect));
  return base.deed.begun < later.deed.begun && (swept || isOver(later, { ...base, reads: [] }, deeds));
}

/** Whether taking `later` back moves what `earlier` is judged by. */
function isOver(later: Judged, earlier: Judged, able: readonly Judged[]): boolean {
  if (later.deed.begun <= earlier.deed.begun) return false;
  const shared = later.alters.filter((aspect) => earlier.alters.includes(aspect) || earlier.reads.includes(aspect));
  return shared.some((aspect) => !MANIFOLD.has(aspect)) || (shared.length > 0 && isChained(earlier, later, able));
}

/** Whether one kind led from `earlier` to `later`, each of its changes beginning where the one before had ended. */
function isChained(earlier: Judged, later: Judged, able: readonly Judged[]): boolean {
  const first = wayOf(earlier.deed.change);
  if (first === null) return false;
  let at = first.to;
  for (const each of able) {
    const way = each.kind === earlier.kind && each.deed.begun > earlier.deed.begun ? wayOf(each.deed.change) : null;
    if (way === null || way.of !== first.of || way.from !== at) continue;
    if (each === later) return true;
    at = way.to;
  }
  return false;
}

/** Whether what was done over it since accounts for all of what is not as it left it. */
function explains(over: readonly Judged[], { alters }: Judged): boolean {
  return over.length > 0 && alters.every((aspect) => over.some((later) => later.alters.includes(aspect)));
}

/** A change from one value to another, and of what. */
function wayOf(change: Json): { readonly from: string; readonly to: string; readonly of: string } | null {
  if (typeof change !== 'object' || change === null || !('from' in change) || !('to' in change)) return null;
  const { from, to, ...rest } = change;
  return { from: canonicalJson(from), to: canonicalJson(to), of: canonicalJson(rest) };
}

function fateOf(each: Judged, left: readonly Judged[], able: readonly Judged[], deeds: readonly Judged[]): Fate {
  if (each.noWayBack !== null) return { fate: 'no-way-back', why: each.noWayBack.why };
  const base = able.includes(each) ? undefined : deeds.find((other) => isBase(other, each, deeds));
  if (base) return { fate: 'no-way-back', why: `it was done over step ${base.deed.step}, which has none` };
  if (!left.includes(each)) return { fate: 'nothing' };
  const { standing } = each;
  if (standing.stands === 'unread') return { fate: 'unread', failure: standing.failure };
  const over = left.filter((later) => isOver(later, each, able));
  if (standing.stands === 'other' && !explains(over, each)) return { fate: 'drift', seen: standing.seen };
  if (over.length > 0) return { fate: 'take-back' };
  // The run left it as before; that it shows again is somebody else's doing.
  return each.deed.takenBack
    ? { fate: 'drift', seen: ['the run took it back, and it is there again'] }
    : { fate: 'take-back' };
}
