import type { Json, Server, Verdict } from '../model/index.ts';
import { canonicalJson, type Standing } from '../plan/index.ts';
import type { Reader, StepContext, StepKind } from '../ports/index.ts';

/**
 * How a server stands towards a change that was made to it once: as before (the same step would make the same change
 * again), as after (it would do nothing, or reading it again confirms the change), or neither. Reads only.
 */
export async function standingOf(
  kind: StepKind,
  server: Server,
  verdict: Verdict,
  change: Json,
  read: Reader,
  context: StepContext,
): Promise<Exclude<Standing, { stands: 'unread' }>> {
  if (verdict.verdict === 'nothing') return { stands: 'after' };
  if (verdict.verdict === 'change' && canonicalJson(verdict.change) === canonicalJson(change))
    return { stands: 'before' };
  const confirmed = await kind.confirm(server, kind.change.parse(change) as never, read, context);
  if (confirmed.done) return { stands: 'after' };
  return { stands: 'other', seen: verdict.verdict === 'change' ? verdict.diff : [verdict.why] };
}
