import type { ActStep } from '../../model/index.ts';
import { SAMPLES_MIN } from '../../plan/index.ts';
import { duration } from '../../run/index.ts';

/** What earlier runs showed; few times are shown, and what the kind says is expected. */
export function takesWords({ expectedMs, expectedFrom }: ActStep): string | null {
  if (expectedFrom.from === 'kind') return null;
  const { runs, samples, medianMs, p95Ms } = expectedFrom;
  const times = `${samples} ${samples === 1 ? 'time' : 'times'} in ${runs} ${runs === 1 ? 'run' : 'runs'}`;
  return samples < SAMPLES_MIN
    ? `takes ${briefly(expectedMs)} by its kind (${briefly(medianMs)} before, only ${times})`
    : `takes ${briefly(expectedMs)}, 95 % within ${briefly(p95Ms)} (${times})`;
}

function briefly(ms: number): string {
  return ms < 10_000 ? `${Math.round(ms / 100) / 10} s` : duration(ms);
}
