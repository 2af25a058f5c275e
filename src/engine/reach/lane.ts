import { FailureError } from '../../model/index.ts';
import type { Server } from '../../model/index.ts';
import type { Fence, Power, Ran, RunOptions, Shell } from '../../ports/index.ts';
import { noPower, openPower } from '../../power/index.ts';
import type { AddressBook, Jumps, Pace, Redactor } from '../../transport/index.ts';
import { FenceRefused, openShell, sanitise } from '../../transport/index.ts';
import type { Guard } from './fence.ts';
import { QUOTED_CHARACTERS } from './limits.ts';
import type { Secrets } from './secrets.ts';

/** One call that was made, for the journal of commands. `command` is what was sent, a file script by its name and paths. */
export interface ReachCommand {
  readonly server: string;
  readonly how: 'ssh' | 'http' | 'bmc' | 'command';
  readonly command: string;
  readonly become: boolean;
  readonly writes: boolean;
}

/** What all servers of a fleet share. */
export interface Shared {
  readonly addresses: AddressBook;
  readonly jumps: Jumps;
  readonly pace: Pace;
  readonly secrets: Secrets;
  readonly redactor: Redactor;
  readonly onCommand: (entry: ReachCommand) => void;
  /** Whether every control target answers; null where the fleet has none. */
  readonly control: () => Promise<'answers' | 'silent' | null>;
  /** Who writes; null: nobody does, or somebody who is not neap. */
  readonly guard: Guard | null;
}

/** One server's ways: its shell and its BMC, each opened when first used. */
export interface Lane {
  readonly server: Server;
  readonly shared: Shared;
  /** What writes goes behind the fence: the guard's, unless it brings one of its own; null: it is the fence itself. */
  readonly run: (
    command: string,
    options: Omit<RunOptions, 'fence'> & {
      readonly writes: boolean;
      readonly label?: string;
      readonly fence?: Fence | null;
    },
  ) => Promise<Ran>;
  readonly answers: (timeoutMs: number) => Promise<boolean>;
  /** Forgets the connection: after a reset nothing of it is left. */
  readonly drop: () => void;
  /** Throws `bmc` where the server has none. */
  readonly power: () => Power;
  readonly report: (how: ReachCommand['how'], command: string, writes: boolean) => void;
  readonly close: () => Promise<void>;
}

/** A lane to one server. Contacts nobody. */
export function openLane(server: Server, shared: Shared): Lane {
  let shell: Promise<Shell> | null = null;
  let power: Power | null = null;
  const opened = (): Promise<Shell> => {
    if (shell === null) {
      const opening = shared.addresses.addressOf(server).then((target) => openShell(target, shared));
      opening.catch(() => (shell = null));
      shell = opening;
    }
    return shell;
  };
  const drop = (): void => {
    shell?.then((open) => open.close()).catch(() => undefined);
    shell = null;
  };
  const report = (how: ReachCommand['how'], command: string, writes: boolean, become = false): void =>
    shared.onCommand({ server: server.name, how, command: shared.redactor.redact(command), become, writes });
  return {
    server,
    shared,
    run: async (command, { writes, label, fence: own, ...options }) => {
      const open = await opened();
      report('ssh', label ?? command, writes, options.become === true);
      const fence = own === undefined ? (writes ? shared.guard?.fence : undefined) : own;
      try {
        return await open.run(command, { ...options, ...(fence ? { fence } : {}) });
      } catch (error) {
        if (error instanceof FenceRefused) shared.guard?.refused(error);
        throw error;
      }
    },
    answers: async (timeoutMs) => {
      const open = await opened().catch(() => null);
      report('ssh', 'true', false);
      return open === null ? false : open.answers(timeoutMs);
    },
    drop,
    power: () => {
      power ??= openPower(server, (reference) => shared.secrets.resolve(reference));
      if (power === null) throw noPower(server);
      return power;
    },
    report,
    close: async () => {
      drop();
      await power?.close();
    },
  };
}

/** A server's own words, for a message: redacted before they are cut, so that half a secret does not remain. */
export function quoted(lane: Lane, text: string): string {
  return sanitise(lane.shared.redactor.redact(text).trim(), QUOTED_CHARACTERS).replaceAll(/\s*\n\s*/g, ' / ');
}

/** A failure of one server. */
export function failedOn(
  lane: Lane,
  kind: FailureError['failure']['kind'],
  what: string,
  state: string,
  remedy: string,
): FailureError {
  return new FailureError({ kind, what, where: lane.server.name, state, remedy });
}
