import type { BudgetSpec } from '../model/index.ts';
import { refuse } from './refuse.ts';

/** How many of a run's servers may fail: the smaller of the count and the percentage, which is rounded down and at least one. */
export function failuresOf({ failures, percent }: BudgetSpec, servers: number): number {
  if (!Number.isInteger(failures) || failures < 1)
    refuse(`a budget of ${failures} failures is not a whole number above 0`, 'budget', 'Say how many servers may fail');
  if (percent === undefined) return failures;
  if (!(percent > 0 && percent <= 100))
    refuse(
      `a budget of ${percent} percent is not above 0 and at most 100`,
      'budget',
      'Say a percentage of the servers',
    );
  return Math.min(failures, Math.max(1, Math.floor((servers * percent) / 100)));
}
