import type { Fence, FenceRecord } from '../../ports/index.ts';
import { parseFence, readFenceCommand, unfenceCommand, type FenceRefused } from '../../transport/index.ts';
import type { Lane } from './lane.ts';
import { failedOn, quoted } from './lane.ts';
import { FENCE_CLAIM_WAIT_MS, FENCE_TIMEOUT_MS } from './limits.ts';

/** Who writes: what Hands are given for, by the one engine that holds the run's lease. */
export interface Guard {
  /** What this engine writes on every server. */
  readonly fence: Fence;
  /** A server did not let it through. */
  readonly refused: (refusal: FenceRefused) => void;
  /** Right before what no server can check; rejects when this engine is stale or cannot know. */
  readonly ask: () => Promise<void>;
}

/** One server's fence: who may write on it. */
export interface FenceHands {
  /** Takes the server for this engine. Rejects with FenceRefused where it is another's, as Hands do. */
  claim(waitMs?: number): Promise<void>;
  /** Lets go of what this engine holds, or with `force` of what any engine of a run does. False: it is not that run's. */
  release(verb: 'release' | 'force', run?: string): Promise<boolean>;
}

/** The fence of one server, for whoever writes there. */
export function openFence(lane: Lane, guard: Guard): FenceHands {
  return {
    claim: async (waitMs = FENCE_CLAIM_WAIT_MS) => {
      const fence = { ...guard.fence, waitMs };
      await lane.run(':', { timeoutMs: FENCE_TIMEOUT_MS, writes: true, fence, label: 'claim the fence' });
    },
    release: async (verb, run = guard.fence.run) => {
      const ran = await lane.run(unfenceCommand({ ...guard.fence, run, waitMs: FENCE_CLAIM_WAIT_MS }, verb), {
        timeoutMs: FENCE_TIMEOUT_MS,
        writes: true,
        fence: null,
        label: `${verb} the fence`,
      });
      const said = ran.stdout.trim();
      if (ran.code === 0 && (said === 'released' || said === 'not-held')) return said === 'released';
      throw failedOn(
        lane,
        'command',
        `its fence was not released: ${quoted(lane, ran.stderr === '' ? ran.stdout : ran.stderr)}`,
        'Its record says as before who has it',
        `Release it by hand when it answers: neap fleet unfence ${run} --reason "..."`,
      );
    },
  };
}

/** Who has the server, as its record says; null: nobody. Writes nothing. */
export async function readFence(lane: Lane, directory: string): Promise<FenceRecord | null> {
  const ran = await lane.run(readFenceCommand(directory), {
    timeoutMs: FENCE_TIMEOUT_MS,
    writes: false,
    fence: null,
    label: 'read the fence',
  });
  const record = ran.code === 0 ? parseFence(ran.stdout) : null;
  if (record !== null) return record === 'absent' ? null : record;
  throw failedOn(
    lane,
    'output',
    `its fence record cannot be read: ${quoted(lane, ran.stderr === '' ? ran.stdout : ran.stderr)}`,
    'Nothing was changed',
    'Look at it there (fence.HOSTNAME in the fence directory); a damaged one is replaced by neap fleet unfence',
  );
}
