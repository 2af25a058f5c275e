import { appendFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FailureError, type Fleet } from '../../model/index.ts';
import type { Holding } from '../../ports/index.ts';
import { eachAtOnce } from '../at-once.ts';
import { wallClockMs } from '../clock.ts';
import type { Config } from '../config.ts';
import { createReach, FENCE_WAIT_MS } from '../reach/index.ts';
import { placeOf } from '../runs.ts';
import type { Missed } from './fencing.ts';
import { seenFromHere, thisHolder } from './holder.ts';
import { FENCES_AT_ONCE, SILENT_MS } from './limits.ts';
import { openLease } from './open.ts';
import { isOpen } from './over.ts';
import { holdingText, NotOurs } from './words.ts';

export interface UnfenceWish {
  /** The run that nobody has any more. */
  readonly run: string;
  readonly fleet: Fleet;
  readonly setting: Config['lease'];
  readonly stateDir: string;
  readonly by: string;
  readonly reason: string;
  /** A person is sure, although its engine may be there. */
  readonly force: boolean;
}

/** What became of it. */
export interface Unfenced {
  readonly released: readonly string[];
  readonly missed: readonly Missed[];
  /** The claim in the store that was released too. */
  readonly claim: Holding | null;
}

/**
 * Ends a run on its servers by a person's decision: their records let it go and remember that it is over, so that an
 * engine of it that wakes up again is refused, and its claim is released. For runs whose journal is lost; one that can
 * be resumed or aborted from here is not ended like this. Leaves a line in `unfenced.jsonl` of the state folder.
 */
export async function unfence(wish: UnfenceWish): Promise<Unfenced> {
  const { run, fleet, setting, stateDir, by, reason, force } = wish;
  if (await isOpen(placeOf(stateDir, run).journal))
    throw refused(
      run,
      'it is open, and its journal is here',
      `Go on with it: neap resume ${run}; or take it home: neap abort ${run}`,
    );
  const store = await openLease(setting, stateDir, fleet);
  const holder = thisHolder(by);
  const reach = createReach(fleet, {
    guard: {
      fence: {
        directory: fleet.fence?.directory ?? '',
        become: fleet.fence?.become ?? false,
        waitMs: FENCE_WAIT_MS,
        run,
        epoch: 0,
        token: 'unfence',
        sinceMs: wallClockMs(),
        by,
        host: holder.host,
      },
      refused: () => undefined,
      ask: () => Promise.resolve(),
    },
  });
  try {
    const claim = await store.holding(run);
    if (claim !== null && !force && mayLive(claim, store.name))
      throw refused(
        run,
        `its engine may be there: ${holdingText(claim)}`,
        `Look for it on ${claim.host} (process ${claim.pid}); when you have made certain that it is gone, add --force`,
      );
    const released: string[] = [];
    const missed: Missed[] = [];
    await eachAtOnce(fleet.servers, FENCES_AT_ONCE, async (server) => {
      try {
        const record = await reach.holder(server).catch((error: unknown) => {
          if (error instanceof FailureError && error.failure.kind === 'output') return 'damaged' as const;
          throw error;
        });
        if (record !== 'damaged' && (record?.run !== run || !record.open)) return;
        if (await reach.fence(server).release('force', run)) released.push(server.name);
      } catch (error) {
        if (!(error instanceof FailureError)) throw error;
        missed.push({ server: server.name, why: error.failure.what });
      }
    });
    if (claim !== null) await store.release(run, claim.epoch);
    await mkdir(stateDir, { recursive: true, mode: 0o700 });
    const line = { atMs: wallClockMs(), run, by, host: holder.host, reason, released, missed, claim };
    await appendFile(join(stateDir, 'unfenced.jsonl'), `${JSON.stringify(line)}\n`, { mode: 0o600 });
    return { released: released.toSorted(), missed, claim };
  } finally {
    await reach.close();
    store.close();
  }
}

function mayLive(claim: Holding, store: string): boolean {
  const seen = seenFromHere(claim, claim.run);
  return seen === 'alive' || (seen === 'unseen' && store !== 'local' && claim.silentMs < SILENT_MS);
}

function refused(run: string, what: string, remedy: string): NotOurs {
  return new NotOurs({ kind: 'condition', what, where: `run ${run}`, state: 'Nothing was changed', remedy });
}
