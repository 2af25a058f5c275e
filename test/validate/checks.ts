import { backoffs } from './backoffs.ts';
import { bimodal } from './bimodal.ts';
import { caches } from './caches.ts';
import { earlyRefresh } from './early-refresh.ts';
import { hitRates } from './hit-rates.ts';
import { mechanismClasses } from './mechanisms.ts';
import { recovery } from './recovery.ts';
import { retries } from './retries.ts';
import type { Check } from './row.ts';
import { timers } from './timers.ts';

/** Everything that is reproduced, in the order of the table. */
export const checks: readonly Check[] = [
  bimodal,
  retries,
  caches,
  hitRates,
  mechanismClasses,
  earlyRefresh,
  timers,
  backoffs,
  recovery,
];
