import { openSmallDatabase } from '../../journal/index.ts';
import { localClaims, openLocalStore } from '../../lease/index.ts';
import type { LeaseStore } from '../../ports/index.ts';
import { wallClockMs } from '../clock.ts';
import type { Config } from '../config.ts';

/** The store of claims that a configuration names. Rejects with FailureError where it cannot be used. */
export async function openLease(_setting: Config['lease'], stateDir: string): Promise<LeaseStore> {
  return openLocalStore(await openSmallDatabase(localClaims.path(stateDir), localClaims), wallClockMs);
}
