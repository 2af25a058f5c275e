import { createHash } from 'node:crypto';
import { FailureError } from '../model/index.ts';
import type { ClaimAnswer, Holding, LeaseStore, Ran, Shell } from '../ports/index.ts';
import { CLAIMS_SCRIPT } from './ssh-script.ts';
import { claimIn, EMPTY, holdingOf, releaseIn, tableSchema, type Pulse, type Table } from './table.ts';
import { refuseEmpty } from './wish.ts';

/** From sending a command to the host to its exit, in real milliseconds: it reads and writes one small file. */
const COMMAND_TIMEOUT_MS = 8_000;
/** How often a change is made anew because somebody else was quicker. */
const TRIES_MAX = 20;

export interface SshStoreInput {
  /** The host as the configuration names it. */
  readonly host: string;
  /** An absolute path there; empty: below the home of the login. */
  readonly directory: string;
  readonly shell: Shell;
  /** Words for a shell, each quoted. */
  readonly quote: (words: readonly string[]) => string;
}

/** The store on a host that all operators reach over SSH, which is none of the servers that it speaks of. */
export function openSshStore(input: SshStoreInput): LeaseStore {
  const name = `ssh:${input.host}`;
  /** Which claims were read last, and the epoch of each run in them: what a renewal is held against. */
  let known: { readonly at: number; readonly epochs: ReadonlyMap<string, number> } | null = null;

  const ask = async (args: readonly (string | number)[], stdin = ''): Promise<Ran> => {
    const ran = await input.shell.run(
      `sh -c ${input.quote([CLAIMS_SCRIPT, 'neap', input.directory, ...args.map(String)])}`,
      { timeoutMs: COMMAND_TIMEOUT_MS, stdin },
    );
    if (ran.code === 0 && !ran.truncated) return ran;
    throw unusable(name, ran.truncated ? 'its answer is too long' : ran.stderr);
  };
  const read = async (): Promise<Seen> => {
    for (let tries = 1; ; tries += 1) {
      try {
        const seen = parse(name, (await ask(['read'])).stdout);
        known = { at: seen.at, epochs: new Map(seen.table.held.map(({ run, epoch }) => [run, epoch])) };
        return seen;
      } catch (error) {
        // The claims that were the newest a moment ago may have been removed since.
        if (tries >= 3 || !(error instanceof FailureError) || error.failure.kind !== 'output') throw error;
      }
    }
  };
  /** Changes the claims; `change` gives what they become, or null to leave them. `isIn` tells by reading whether it came through. */
  const change = async <T>(
    work: (seen: Seen) => { readonly answer: T; readonly table: Table | null; readonly beats: Beats | null },
    isIn: (seen: Seen, answer: T) => boolean,
  ): Promise<T> => {
    for (let tries = 1; tries <= TRIES_MAX; tries += 1) {
      const seen = await read();
      const { answer, table, beats } = work(seen);
      if (table === null) return answer;
      const text = `${JSON.stringify(table)}\n`;
      const sha256 = createHash('sha256').update(text).digest('hex');
      const said = await ask(['swap', seen.at, sha256, beats?.run ?? '', beats?.epoch ?? ''], text)
        .then(({ stdout }) => stdout.trim())
        .catch((error: unknown) => {
          // Sent, and not answered: what is there now tells.
          if (error instanceof FailureError && ['lost', 'timeout'].includes(error.failure.kind)) return 'unsure';
          throw error;
        });
      if (said === 'done') return answer;
      if (said === 'unsure' && isIn(await read(), answer)) return answer;
    }
    throw unusable(name, `others were quicker ${TRIES_MAX} times`);
  };

  return {
    name,
    claim: async (wish) => {
      refuseEmpty(wish);
      return change<ClaimAnswer>(
        (seen) => {
          const { answer, table } = claimIn(seen.table, wish, seen);
          return { answer, table, beats: answer.granted ? { run: wish.run, epoch: answer.epoch } : null };
        },
        ({ table }, answer) =>
          answer.granted &&
          table.held.some(
            ({ run, epoch, boot, pid }) =>
              run === wish.run && epoch === answer.epoch && boot === wish.holder.boot && pid === wish.holder.pid,
          ),
      );
    },
    renew: async (run, epoch) => {
      const said = (await ask(['beat', run, epoch])).stdout.trim();
      if (said !== `at ${known?.at}`) await read();
      return known?.epochs.get(run) === epoch;
    },
    release: async (run, epoch) => {
      const released = await change(
        ({ table }) => {
          const without = releaseIn(table, run, epoch);
          return { answer: without !== null, table: without, beats: null };
        },
        ({ table }) => releaseIn(table, run, epoch) === null,
      );
      if (released) await ask(['rest', run, epoch]);
      return released;
    },
    holding: async (run) => {
      const seen = await read();
      const held = seen.table.held.find((each) => each.run === run);
      return held === undefined ? null : holdingOf(held, seen);
    },
    holdings: async (): Promise<readonly Holding[]> => {
      const seen = await read();
      return seen.table.held.map((held) => holdingOf(held, seen));
    },
    close: () => input.shell.close(),
  };
}

interface Beats {
  readonly run: string;
  readonly epoch: number;
}

interface Seen extends Pulse {
  readonly at: number;
  readonly table: Table;
}

/** What the host says is data: bounded by the transport, and taken only if it has the form that this wrote. */
function parse(name: string, stdout: string): Seen {
  const lines = stdout.split('\n');
  const split = lines.indexOf('claims');
  const head = split < 0 ? [] : lines.slice(0, split);
  const beats = new Map<string, number>();
  let nowMs = NaN;
  let at = NaN;
  for (const line of head) {
    const [word, first = '', second = ''] = line.split(' ');
    if (word === 'now') nowMs = Number(first) * 1000;
    else if (word === 'at') at = Number(first);
    else if (word === 'beat') {
      const dot = first.lastIndexOf('.');
      beats.set(`${first.slice(0, dot)} ${first.slice(dot + 1)}`, Number(second) * 1000);
    }
  }
  const text = lines.slice(split + 1).join('\n');
  const table = at === 0 ? EMPTY : tableSchema.safeParse(jsonOrNull(text)).data;
  if (!Number.isFinite(nowMs) || !Number.isInteger(at) || table === undefined)
    throw unusable(name, 'the claims there cannot be read');
  return { nowMs, at, beats, table };
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function unusable(where: string, why: string): FailureError {
  const said = why
    .trim()
    .replaceAll(/[^\x20-\x7e]+/g, ' ')
    .slice(0, 300);
  return new FailureError({
    kind: 'output',
    what: `the store of claims cannot be used: ${said === '' ? 'it gave no reason' : said}`,
    where,
    state: 'Nothing was claimed or released by this',
    remedy:
      'The login there needs a POSIX shell, coreutils and a directory that it may write to (ssh:HOST or ssh:HOST:/path)',
  });
}
