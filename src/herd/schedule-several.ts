import type { Slot, SlotServer } from './schedule.ts';
import { interleaved } from './schedule-order.ts';

/**
 * Something that a slot takes one token of: a database, one of its shards, logins from here, pages. Tokens come one
 * every `everyMs`, and none is saved up, so no window of length w sees more than floor(w / everyMs) + 1 of them spent.
 */
export interface SlotResource {
  readonly name: string;
  readonly everyMs: number;
  /** Which part of it a server draws on (`shard` of a database); a server without one draws on none. Null: all draw on the same. */
  readonly of: Readonly<Record<string, string>> | null;
}

/** The buckets that a server's slot takes a token from, as keys that are unique over all resources. */
export function bucketsOf(
  resources: readonly SlotResource[],
  server: string,
): readonly { readonly key: string; readonly everyMs: number }[] {
  return resources.flatMap(({ name, everyMs, of }) => {
    const part = of === null ? '' : Object.hasOwn(of, server) ? of[server] : undefined;
    return part === undefined ? [] : [{ key: part === '' ? name : `${name} ${part}`, everyMs }];
  });
}

interface Job {
  readonly server: string;
  readonly startByMs: number;
  readonly buckets: readonly { readonly key: string; readonly everyMs: number }[];
  /** Place among equals. */
  readonly rank: number;
}

/**
 * Slots that need a token of several resources each: whoever must begin first goes first, as soon as there is a token of
 * everything it needs. By when one must begin counts those behind it on the same part: of two on one shard the first has
 * to go a whole interval before the second must. `everyMs` is how long a slot lasts for its deadline's sake.
 *
 * Where all parts have one interval that is a multiple of the shortest, this is list scheduling of chains with equal
 * delays by modified due dates, which is optimal (J. Bruno, J. W. Jones, K. So, IEEE Transactions on Computers C-29,
 * 1980); with other intervals it is a heuristic that keeps every bound.
 */
export function scheduleSeveral(rule: {
  readonly servers: readonly SlotServer[];
  readonly resources: readonly SlotResource[];
  readonly startMs: number;
  readonly everyMs: number;
  readonly seed: number;
  /** When the next token of a bucket comes, where one was spent before. */
  readonly nextMs?: ReadonlyMap<string, number>;
}): readonly Slot[] {
  const queues = queuesOf(jobsOf(rule));
  const nextMs = new Map(rule.nextMs);
  const slots: Slot[] = [];
  let nowMs = rule.startMs;
  while (queues.length > 0) {
    let best: Queue | null = null;
    let soonestMs = Infinity;
    for (const queue of queues) {
      const freeMs = queue.buckets.reduce((latest, { key }) => Math.max(latest, nextMs.get(key) ?? -Infinity), nowMs);
      soonestMs = Math.min(soonestMs, freeMs);
      if (freeMs <= nowMs && (best === null || isBefore(queue.head, best.head))) best = queue;
    }
    if (best === null) {
      nowMs = soonestMs;
      continue;
    }
    slots.push({ server: best.head.server, atMs: nowMs });
    for (const { key, everyMs } of best.buckets) nextMs.set(key, nowMs + everyMs);
    const next = best.behind.pop();
    if (next) best.head = next;
    else queues.splice(queues.indexOf(best), 1);
  }
  return slots;
}

/** Servers that draw on the same buckets wait in one line: only its head can be next. */
interface Queue {
  readonly buckets: Job['buckets'];
  head: Job;
  /** The others, the last of them first. */
  readonly behind: Job[];
}

function queuesOf(jobs: readonly Job[]): Queue[] {
  const lines = new Map<string, Job[]>();
  for (const job of jobs) {
    const key = JSON.stringify(job.buckets.map((bucket) => bucket.key));
    const line = lines.get(key);
    if (line === undefined) lines.set(key, [job]);
    else line.push(job);
  }
  return [...lines.values()].flatMap((line) => {
    const behind = line.toSorted((a, b) => (isBefore(a, b) ? 1 : -1));
    const head = behind.pop();
    return head ? [{ buckets: head.buckets, head, behind }] : [];
  });
}

function isBefore(a: Job, b: Job): boolean {
  return a.startByMs === b.startByMs ? a.rank < b.rank : a.startByMs < b.startByMs;
}

function jobsOf({ servers, resources, everyMs, seed }: Parameters<typeof scheduleSeveral>[0]): Job[] {
  const fair = interleaved(servers, seed);
  const rank = new Map(fair.map(({ name }, at) => [name, at]));
  const startBy = new Map(servers.map(({ name, deadlineMs }) => [name, deadlineMs - everyMs]));
  const buckets = new Map(servers.map(({ name }) => [name, bucketsOf(resources, name)]));
  for (const part of partsOf(resources, fair)) {
    const line = part.members.toSorted((a, b) => (startBy.get(b) ?? 0) - (startBy.get(a) ?? 0));
    let behindMs = Infinity;
    for (const server of line) {
      behindMs = Math.min(startBy.get(server) ?? Infinity, behindMs - part.everyMs);
      startBy.set(server, behindMs);
    }
  }
  return fair.map(({ name }) => ({
    server: name,
    startByMs: startBy.get(name) ?? Infinity,
    buckets: buckets.get(name) ?? [],
    rank: rank.get(name) ?? 0,
  }));
}

/** Who shares a part of a resource. One that all share changes nobody's order. */
function partsOf(
  resources: readonly SlotResource[],
  servers: readonly SlotServer[],
): readonly { readonly everyMs: number; readonly members: readonly string[] }[] {
  return resources.flatMap(({ of, everyMs }) => {
    if (of === null) return [];
    const parts = new Map<string, string[]>();
    for (const { name } of servers) {
      const part = Object.hasOwn(of, name) ? of[name] : undefined;
      if (part !== undefined) parts.set(part, [...(parts.get(part) ?? []), name]);
    }
    return [...parts.values()].map((members) => ({ everyMs, members }));
  });
}
