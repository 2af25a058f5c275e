import { z } from 'zod';
import { FailureError, type Server } from '../model/index.ts';
import type { Reader } from '../ports/index.ts';

export const clockReadingSchema = z.strictObject({
  name: z.string(),
  whenExpired: z.enum(['fatal', 'stale-served', 'not-needed']),
  ageMs: z.number(),
  ttlMs: z.number(),
  /** Plan time of the reading. */
  readAtMs: z.number(),
});
export type ClockReading = z.output<typeof clockReadingSchema>;

const answerSchema = z.object({ ageMs: z.number(), ttlMs: z.number() });

/**
 * Reads every clock that the fleet lists for a server. A negative age, a TTL of zero or one far from the declared
 * range (seconds given for milliseconds) is a failure: a forecast fed with it would be believed.
 */
export async function readClocks(server: Server, read: Reader, nowMs: number): Promise<ClockReading[]> {
  const readings: ClockReading[] = [];
  for (const clock of server.service.clocks) {
    const text = await askOrAbsent(read, clock.name);
    // A value that is not there is as good as expired.
    if (text === null) {
      readings.push({
        name: clock.name,
        whenExpired: clock.whenExpired,
        ageMs: clock.ttlMs.max,
        ttlMs: clock.ttlMs.max,
        readAtMs: nowMs,
      });
      continue;
    }
    const answer = parseAnswer(text);
    const fault = answer === null ? 'is not JSON with numbers ageMs and ttlMs' : faultOf(answer, clock.ttlMs);
    if (answer === null || fault !== null) {
      throw new FailureError({
        kind: 'output',
        what: `the reading of clock ${clock.name} ${fault} (it answered ${JSON.stringify(text.slice(0, 80))})`,
        where: server.name,
        state: 'Nothing was changed by reading it',
        remedy: `Mend service.clocks ${clock.name}.read or its declared ttlMs, then run \`neap fleet check\``,
      });
    }
    readings.push({
      name: clock.name,
      whenExpired: clock.whenExpired,
      ageMs: answer.ageMs,
      ttlMs: answer.ttlMs,
      readAtMs: nowMs,
    });
  }
  return readings;
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

function parseAnswer(text: string): z.output<typeof answerSchema> | null {
  try {
    return answerSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

function faultOf(answer: { ageMs: number; ttlMs: number }, declared: { min: number; max: number }): string | null {
  if (answer.ageMs < 0) return `has a negative age (${answer.ageMs} ms): the clocks disagree`;
  if (answer.ttlMs < declared.min * 0.5 || answer.ttlMs > declared.max * 2) {
    return `has a TTL of ${answer.ttlMs} ms, far from the declared ${declared.min} to ${declared.max} ms: is the unit right?`;
  }
  return null;
}
