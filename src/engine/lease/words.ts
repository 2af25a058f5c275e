import { FailureError } from '../../model/index.ts';
import type { Holding } from '../../ports/index.ts';

/** The run or some of its servers are another's: nothing was begun (exit code 4). */
export class NotOurs extends FailureError {}

/** Another engine has taken the run over: this one stops at once (exit code 5). */
export class StaleEngine extends FailureError {}

/** Who holds what, since when, and when that was last heard of. */
export function holdingText({ run, by, user, host, pid, epoch, sinceMs, silentMs }: Holding): string {
  const whom = user === '' || user === by ? by : `${by} (${user})`;
  const where = host === '' ? '' : ` on ${host}, process ${pid},`;
  return `run ${run}, by ${whom}${where} since ${new Date(sinceMs).toISOString()}, last seen ${ago(silentMs)} ago, epoch ${epoch}`;
}

/** Servers that a claim wanted and others hold, and what to do about each of those runs. */
export function conflictFailure(run: string, conflicts: readonly Holding[]): NotOurs {
  const parts = conflicts.map((each) => `${serversText(each.servers)} belong to ${holdingText(each)}`);
  const first = conflicts[0]?.run ?? run;
  return new NotOurs({
    kind: 'condition',
    what: parts.join('; '),
    where: `run ${run}`,
    state: 'Nothing was done to any server',
    remedy: `See it: neap status ${first}. If its engine is gone: neap resume ${first}, or take it home: neap abort ${first}. If nobody has it any more: neap fleet unfence ${first} --reason "..."`,
  });
}

export function serversText(servers: readonly string[]): string {
  const names = servers.map((server) => server.slice(server.indexOf('/') + 1));
  return names.length > 3 ? `${names.length} of its servers (${names.slice(0, 3).join(', ')} ...)` : names.join(', ');
}

function ago(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`;
}
