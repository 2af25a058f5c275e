import { dirname } from 'node:path';
import { readFile } from 'node:fs/promises';
import {
  directoryMirror,
  mirrorPlace,
  openMirror,
  shellMirror,
  type Mirror,
  type MirrorStore,
} from '../journal/index.ts';
import { FailureError, type Fleet, type Plan } from '../model/index.ts';
import type { Journal, JournalRow, Shell } from '../ports/index.ts';
import type { RunEvent, RunState } from '../run/index.ts';
import { createPace, openAddressBook, openJumps, openShell } from '../transport/index.ts';
import { afterRealMs } from './clock.ts';
import type { Order, RunPlace } from './runs.ts';

/** What one command over there prints at most: a plan is one line of a file. */
const OUTPUT_BYTES = 60 * 1024 * 1024;

/** At its end a run gives its mirror so long to take the last rows, in real milliseconds. */
const MIRROR_CLOSE_MS = 10_000;

/**
 * The mirror that a word names: `dir:/path` or `ssh:HOST:/path`, HOST as OpenSSH knows it (`sshConfig`: by that file).
 * Contacts nobody yet. `apartFrom`: a path on whose filesystem it must not lie. Throws FailureError on another word.
 */
export function mirrorStore(word: string, sshConfig: Fleet['sshConfig'], apartFrom: string | null = null): MirrorStore {
  const place = mirrorPlace(word);
  if (place === null) throw notAPlace(word);
  if (place.to === 'dir') return directoryMirror(place.path, apartFrom);
  return shellMirror(word, place.path, hostShell(place.host, sshConfig));
}

/** One connection to a host of the SSH configuration, looked up when it is first used: a configuration that is wrong is a mirror that is behind, and keeps no fleet from coming home. */
function hostShell(host: string, sshConfig: Fleet['sshConfig']): Pick<Shell, 'run' | 'close'> {
  const addresses = openAddressBook({ sshConfig });
  const jumps = openJumps();
  let shell: Promise<Shell> | null = null;
  const opened = (): Promise<Shell> => {
    shell ??= addresses
      .addressOf({ name: host, ssh: 'openssh' })
      .then((target) => openShell(target, { jumps, pace: createPace(1), outputBytes: OUTPUT_BYTES }));
    shell.catch(() => (shell = null));
    return shell;
  };
  return {
    run: async (command, options) => (await opened()).run(command, options),
    close: () => {
      shell?.then((open) => open.close()).catch(() => undefined);
      jumps.close();
    },
  };
}

export interface RunMirrorInput {
  readonly place: RunPlace;
  readonly plan: Plan;
  readonly order: Order;
  readonly fleet: { readonly value: Pick<Fleet, 'sshConfig'> };
  readonly journal: Pick<Journal, 'read'> & { readonly lastSeq: number };
  /** What the last engine knew; null in a new run. */
  readonly state: Pick<RunState, 'mirrorBehind'> | null;
  readonly tell: (event: RunEvent) => void;
}

/** The mirror of a run. Until it is opened, and where the plan names none, it takes nothing and holds nothing. */
export class RunMirror {
  #mirror: Mirror | null = null;

  /** Once the run is this engine's. */
  async open(input: RunMirrorInput): Promise<void> {
    this.#mirror = await openRunMirror(input);
  }

  /** Rows that are durable here. Returns at once. */
  offer(rows: readonly JournalRow[]): void {
    this.#mirror?.offer(rows);
  }

  /** Whether it holds this row; false: it is behind. */
  holds(seq: number): Promise<boolean> {
    return this.#mirror?.holds(seq) ?? Promise.resolve(false);
  }

  /** Gives it some time to take the last rows. */
  async close(): Promise<void> {
    await this.#mirror?.close(MIRROR_CLOSE_MS);
  }
}

/** Null where the plan names none. A run that was built from a mirror goes on in that one. */
async function openRunMirror(input: RunMirrorInput): Promise<Mirror | null> {
  const { place, plan, order, fleet, journal, state, tell } = input;
  const word = plan.header.mirror && (order.restored?.mirror ?? plan.header.mirror);
  if (word === null) return null;
  const sameDisk = plan.header.findings.some(({ code }) => code === 'mirror-same-disk');
  return openMirror({
    run: place.run,
    store: mirrorStore(word, fleet.value.sshConfig, sameDisk ? null : dirname(place.journal)),
    plan: await readFile(place.plan, 'utf8'),
    order: `${JSON.stringify(orderForMirror(order), null, 2)}\n`,
    lastSeq: journal.lastSeq,
    read: (fromSeq, count) => journal.read(fromSeq, count),
    standing: state?.mirrorBehind ? 'behind' : 'current',
    onStanding: (standing, seen) => tell({ type: 'mirror', standing, seen }),
    after: afterRealMs,
  });
}

/** What could hold a secret (a pager's command, a webhook) stays here: whoever goes on elsewhere has settings there. */
function orderForMirror(order: Order): Order {
  return { ...order, page: null, journal: order.journal.mirror === undefined ? {} : { mirror: order.journal.mirror } };
}

function notAPlace(word: string): FailureError {
  return new FailureError({
    kind: 'condition',
    what: `"${word}" names no mirror`,
    where: 'journal.mirror',
    state: 'Nothing was contacted',
    remedy: 'Write dir:/path for another disk, or ssh:HOST:/path for another machine; the path begins with a slash',
  });
}
