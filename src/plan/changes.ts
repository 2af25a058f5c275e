import { FailureError, type Decider, type Json } from '../model/index.ts';

/**
 * A change as a journal or a plan holds it, in the form of today's kind: parsed by the schema of the version that wrote
 * it, and brought forward by what that version was followed by. Throws FailureError where the kind knows that version no
 * more, or the change is not one of it: then nothing can be said of it, and everything stays as it is.
 */
export function readChange(kind: Decider, version: number, change: Json, where: string): Json {
  const earlier = version === kind.version ? null : kind.changes?.[version];
  if (earlier === undefined) throw unreadable(kind, version, where, change, `this neap reads ${versionsOf(kind)}`);
  const own = (earlier?.schema ?? kind.change).safeParse(change);
  if (!own.success) throw unreadable(kind, version, where, change, 'it is not such a change');
  if (earlier === null) return own.data as Json;
  const forward = kind.change.safeParse(earlier.upgrade(own.data as never));
  if (!forward.success)
    throw unreadable(
      kind,
      version,
      where,
      change,
      `what it is brought forward to is no change of version ${kind.version}`,
    );
  return forward.data as Json;
}

function versionsOf({ version, changes = {} }: Decider): string {
  const all = [...Object.keys(changes), String(version)];
  return all.length === 1 ? `version ${version} only` : `versions ${all.join(', ')}`;
}

function unreadable({ name }: Decider, version: number, where: string, change: Json, why: string): FailureError {
  return new FailureError({
    kind: 'output',
    what: `the change was written by version ${version} of the step kind ${name}, and ${why}`,
    where,
    state: 'Everything was left as it is',
    remedy: `Use the neap and the step kind that made it, or take it back by hand: ${JSON.stringify(change).slice(0, 200)}`,
  });
}
