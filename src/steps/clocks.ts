import { z } from 'zod';
import { FailureError, type Clock, type Server } from '../model/index.ts';
import type { Reader, StepContext } from '../ports/index.ts';
import { clockTold } from './clock-answer.ts';

export const clockReadingSchema = z.strictObject({
  name: z.string(),
  whenExpired: z.enum(['fatal', 'stale-served', 'not-needed']),
  ageMs: z.number(),
  ttlMs: z.number(),
  /** Plan time of the reading. */
  readAtMs: z.number(),
  /** Where it comes from, in a few words. */
  source: z.string().optional(),
  /** Its age cannot be read, and it was not refreshed in this run: it counts as expired until it is. */
  unknown: z.literal(true).optional(),
});
export type ClockReading = {
  readonly name: string;
  readonly whenExpired: Clock['whenExpired'];
  readonly ageMs: number;
  readonly ttlMs: number;
  readonly readAtMs: number;
  readonly source?: string;
  readonly unknown?: true;
};

/** What the run knows of a server's clocks from before: of one whose age cannot be read, a refresh that was confirmed. */
export type KnownClocks = NonNullable<StepContext['known']>;

/**
 * Reads every clock that the fleet lists for a server. A negative age, a time to live that is far from the declared
 * range, an answer of another unit is a failure: a forecast fed with it would be believed. Of a clock whose age cannot be
 * read, what is left of the refresh that is known counts.
 */
export async function readClocks(
  server: Server,
  read: Reader,
  nowMs: number,
  known: KnownClocks = [],
): Promise<ClockReading[]> {
  const readings: ClockReading[] = [];
  for (const clock of server.service.clocks) {
    if (clock.read === undefined) readings.push(unreadable(clock, nowMs, known));
    else readings.push(await readOne(server, clock, read, nowMs));
  }
  return readings;
}

/** A clock that was refreshed and confirmed just now, of whose time to live only the lowest is certain. */
export function refreshedAt({ name, whenExpired, ttlMs }: Clock, sinceMs: number, nowMs: number): ClockReading {
  return { name, whenExpired, ageMs: nowMs - sinceMs, ttlMs: ttlMs.min, readAtMs: nowMs, source: 'refreshed by neap' };
}

/** Where a clock's readings come from, in a few words. */
export function sourceOf({ read }: Pick<Clock, 'read'>): string {
  if (read === undefined) return 'refreshes of neap';
  if (read.source !== undefined) return read.source;
  const call = 'run' in read ? read.run : 'get' in read ? `GET ${read.get.split('?')[0]}` : `prometheus ${read.query}`;
  return call.slice(0, 120);
}

async function readOne(server: Server, clock: Clock, read: Reader, nowMs: number): Promise<ClockReading> {
  const text = await askOrAbsent(read, clock.name);
  const { name, whenExpired } = clock;
  const told = text === null ? ({ told: 'absent' } as const) : clockTold(text, clock, nowMs);
  const from = { name, whenExpired, readAtMs: nowMs, source: sourceOf(clock) };
  // A value that is not there is as good as expired.
  if (told.told === 'absent') return { ...from, ageMs: clock.ttlMs.max, ttlMs: clock.ttlMs.max };
  if (told.told === 'age') return { ...from, ageMs: told.ageMs, ttlMs: told.ttlMs };
  throw new FailureError({
    kind: 'output',
    what: `the reading of clock ${name} ${told.what} (it answered ${JSON.stringify((text ?? '').slice(0, 80))}, from ${from.source})`,
    where: server.name,
    state: 'Nothing was changed by reading it',
    remedy: `Mend service.clocks ${name}.read or its declared ttlMs, then run \`neap fleet check\``,
  });
}

function unreadable({ name, whenExpired, ttlMs }: Clock, nowMs: number, known: KnownClocks): ClockReading {
  const last = known.find((each) => each.name === name && each.unknown !== true);
  const base = { name, whenExpired, readAtMs: nowMs };
  if (!last) return { ...base, ageMs: ttlMs.min, ttlMs: ttlMs.min, unknown: true };
  return { ...base, ageMs: last.ageMs + (nowMs - last.readAtMs), ttlMs: last.ttlMs, source: 'refreshed by neap' };
}

/** Null where the server's own reading says that there is no such value. */
async function askOrAbsent(read: Reader, clock: string): Promise<string | null> {
  try {
    return await read.ask(`clock:${clock}`);
  } catch (error) {
    if (error instanceof FailureError && error.failure.kind === 'command') return null;
    throw error;
  }
}
