import type { RunEvent } from '../../src/run/index.ts';

export type { RunEvent } from '../../src/run/index.ts';

interface ClockRead {
  readonly whenExpired: string;
  readonly ageMs: number;
  readonly ttlMs: number;
  readonly readAtMs: number;
}

/** Which server's first fatal expiry an event tells, and when it is. */
export function readingOf(event: RunEvent): readonly (readonly [string, number])[] {
  if (event.type !== 'looked' && event.type !== 'confirmed') return [];
  const readings =
    event.type === 'confirmed' ? event.readings : 'failure' in event.outcome ? null : event.outcome.readings;
  if (
    typeof readings !== 'object' ||
    readings === null ||
    !('clocks' in readings) ||
    !Array.isArray(readings['clocks'])
  )
    return [];
  // `track/step.wave/server/word/attempt`
  const server = event.id.split('/')[2];
  const ends = (readings['clocks'] as unknown as ClockRead[])
    .filter(({ whenExpired }) => whenExpired === 'fatal')
    .map(({ readAtMs, ttlMs, ageMs }) => readAtMs + ttlMs - ageMs);
  return server === undefined || ends.length === 0 ? [] : [[server, Math.min(...ends)]];
}
