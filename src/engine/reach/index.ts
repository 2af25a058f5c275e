import type { Fleet, Server } from '../../model/index.ts';
import type { FenceRecord, Hands, Reader } from '../../ports/index.ts';
import type { Redactor } from '../../transport/index.ts';
import { createPace, openAddressBook, openJumps, redactor } from '../../transport/index.ts';
import { openControl } from './control.ts';
import { openFence, readFence, type FenceHands, type Guard } from './fence.ts';
import { openHands } from './hands.ts';
import type { ReachCommand, Lane, Shared } from './lane.ts';
import { openLane } from './lane.ts';
import { LOGINS_AT_ONCE } from './limits.ts';
import { openReader } from './reader.ts';
import type { Secrets } from './secrets.ts';
import { openSecrets } from './secrets.ts';

/** Every way to every server of a fleet, for one run or one preview. */
export interface Reach {
  readonly reader: (server: Server) => Reader;
  /** Throws Error where this reach was opened for reading only. */
  readonly hands: (server: Server) => Hands;
  /** Throws Error where this reach was opened for reading only. */
  readonly fence: (server: Server) => FenceHands;
  /** Who has the server, by its own record; null: nobody. */
  readonly holder: (server: Server) => Promise<FenceRecord | null>;
  /** Resolves references ahead of their use (promise 13). */
  readonly secrets: Secrets;
  /** Knows every secret that was resolved. */
  readonly redactor: Redactor;
  /** Whether every control target outside the fleet answers; null where there is none. Never rejects. */
  readonly control: () => Promise<'answers' | 'silent' | null>;
  readonly close: () => Promise<void>;
}

export interface ReachOptions {
  /** Told of every call as it is made, for the journal of commands. */
  readonly onCommand?: (entry: ReachCommand) => void;
  /** Who writes. Without it nobody can; null: somebody who is not neap, and goes past the fence. */
  readonly guard?: Guard | null;
}

/** Opens the ways to a fleet. Contacts nobody until the first call; one connection a server is then kept until `close`. */
export function createReach(fleet: Pick<Fleet, 'sshConfig' | 'control' | 'fence'>, options: ReachOptions = {}): Reach {
  const redact = redactor([]);
  const onCommand = options.onCommand ?? (() => undefined);
  const shared: Shared = {
    addresses: openAddressBook(fleet),
    jumps: openJumps(),
    pace: createPace(LOGINS_AT_ONCE),
    secrets: openSecrets(redact),
    redactor: redact,
    onCommand,
    guard: options.guard ?? null,
    control: openControl(fleet.control, (target) =>
      onCommand({ server: target.name, how: 'http', command: `GET ${target.get}`, become: false, writes: false }),
    ),
  };
  const lanes = new Map<string, Lane>();
  const laneOf = (server: Server): Lane => {
    const lane = lanes.get(server.name) ?? openLane(server, shared);
    lanes.set(server.name, lane);
    return lane;
  };
  return {
    reader: (server) => openReader(laneOf(server)),
    hands: (server) => {
      if (options.guard === undefined) throw new Error('this reach was opened for reading only');
      return openHands(laneOf(server));
    },
    fence: (server) => {
      if (!options.guard) throw new Error('this reach was opened for reading only');
      return openFence(laneOf(server), options.guard);
    },
    holder: (server) => readFence(laneOf(server), fleet.fence?.directory ?? ''),
    secrets: shared.secrets,
    redactor: redact,
    control: shared.control,
    close: async () => {
      await Promise.all([...lanes.values()].map((lane) => lane.close()));
      lanes.clear();
      shared.jumps.close();
    },
  };
}

export type { Guard } from './fence.ts';
export { FENCE_WAIT_MS } from './limits.ts';
export type { ReachCommand } from './lane.ts';
