import { FailureError, type Server } from '../../model/index.ts';
import type { FenceRecord } from '../../ports/index.ts';
import { FenceRefused, holderText } from '../../transport/index.ts';
import { eachAtOnce } from '../at-once.ts';
import type { Reach } from '../reach/index.ts';
import { FENCES_AT_ONCE } from './limits.ts';
import { NotOurs } from './words.ts';

/** How the servers of a run took the claim of their fences. */
export interface Fenced {
  readonly claimed: readonly string[];
  /** Who could not be asked, and why: their own record is claimed by the first command that writes there. */
  readonly missed: readonly Missed[];
  /** Who belongs to somebody else. */
  readonly refused: readonly Refused[];
}

export interface Missed {
  readonly server: string;
  readonly why: string;
}

export interface Refused {
  readonly server: string;
  readonly standing: FenceRefused['standing'];
  readonly record: FenceRecord | null;
}

/** Claims the fence of every server that can be reached; `onEach` is told how far it is. */
export async function claimFences(
  reach: Reach,
  servers: readonly Server[],
  onEach: (done: number) => void,
): Promise<Fenced> {
  const claimed: string[] = [];
  const missed: Missed[] = [];
  const refused: Refused[] = [];
  let done = 0;
  await eachAtOnce(servers, FENCES_AT_ONCE, async (server) => {
    try {
      await reach.fence(server).claim();
      claimed.push(server.name);
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
      const isHeld = error instanceof FenceRefused && error.standing !== 'busy' && error.standing !== 'broken';
      if (isHeld) refused.push({ server: server.name, standing: error.standing, record: error.record });
      else missed.push({ server: server.name, why: error.failure.what });
    }
    done += 1;
    onEach(done);
  });
  // Answers come in any order; people are told the fleet's.
  const at = new Map(servers.map(({ name }, index) => [name, index]));
  refused.sort((a, b) => (at.get(a.server) ?? 0) - (at.get(b.server) ?? 0));
  return { claimed, missed, refused };
}

/** Lets go of the fences of these servers. Resolves to whom it could not be told, and why; never rejects for a server. */
export async function releaseFences(reach: Reach, servers: readonly Server[]): Promise<readonly Missed[]> {
  const missed: Missed[] = [];
  await eachAtOnce(servers, FENCES_AT_ONCE, async (server) => {
    try {
      await reach.fence(server).release('release');
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
      missed.push({ server: server.name, why: error.failure.what });
    }
  });
  return missed;
}

/** Servers whose own records say that they are another run's (exit code 4). */
export function fencedFailure(run: string, refused: readonly Refused[]): NotOurs {
  const byRun = Map.groupBy(refused, ({ record }) => (record === null ? 'another run' : holderText(record)));
  const parts = [...byRun].map(([whom, held]) => {
    const names = held.map(({ server }) => server).toSorted();
    return `${names.length > 3 ? `${names.length} of its servers (${names.slice(0, 3).join(', ')} ...)` : names.join(', ')} belong to ${whom}`;
  });
  const first = refused[0]?.record?.run ?? 'RUN';
  return new NotOurs({
    kind: 'condition',
    what: `${parts.join('; ')}, as the servers' own records say`,
    where: `run ${run}`,
    state: 'Nothing was changed on any server, and what was claimed was released',
    remedy: `Where it was started: neap status ${first}, neap resume ${first} or neap abort ${first}. If nobody has it any more: neap fleet unfence ${first} --reason "..."`,
  });
}
