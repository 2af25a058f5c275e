import { createHash } from 'node:crypto';
import { FailureError } from '../model/index.ts';
import type { ClaimAnswer, LeaseStore, Shell } from '../ports/index.ts';
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
  const claims = new SshClaims(input);
  return {
    name: claims.name,
    claim: async (wish) => {
      refuseEmpty(wish);
      return claims.change<ClaimAnswer>(
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
    renew: (run, epoch) => claims.renew(run, epoch),
    release: async (run, epoch) => {
      const released = await claims.change(
        ({ table }) => {
          const without = releaseIn(table, run, epoch);
          return { answer: without !== null, table: without, beats: null };
        },
        ({ table }) => releaseIn(table, run, epoch) === null,
      );
      if (released) await claims.ask(['rest', run, epoch]);
      return released;
    },
    holding: async (run) => {
      const seen = await claims.read();
      const held = seen.table.held.find((each) => each.run === run);
      return held === undefined ? null : holdingOf(held, seen);
    },
    holdings: async () => {
      const seen = await claims.read();
      return seen.table.held.map((held) => holdingOf(held, seen));
    },
    close: () => input.shell.close(),
  };
}

/** What a change of the claims makes of them. */
interface Changed<T> {
  readonly answer: T;
  /** Null: they stay as they are. */
  readonly table: Table | null;
  readonly beats: Beats | null;
}

/** The claims as they lie on the host. */
class SshClaims {
  readonly name: string;
  readonly #in: SshStoreInput;
  /** Which claims were read last, and the epoch of each run in them: what a renewal is held against. */
  #known: { readonly at: number; readonly epochs: ReadonlyMap<string, number> } | null = null;

  constructor(input: SshStoreInput) {
    this.#in = input;
    this.name = `ssh:${input.host}`;
  }

  async ask(args: readonly (string | number)[], stdin = ''): Promise<string> {
    const { shell, quote, directory } = this.#in;
    const ran = await shell.run(`sh -c ${quote([CLAIMS_SCRIPT, 'neap', directory, ...args.map(String)])}`, {
      timeoutMs: COMMAND_TIMEOUT_MS,
      stdin,
    });
    if (ran.code === 0 && !ran.truncated) return ran.stdout;
    throw unusable(this.name, ran.truncated ? 'its answer is too long' : ran.stderr);
  }

  async read(): Promise<Seen> {
    for (let tries = 1; ; tries += 1) {
      try {
        const seen = parse(this.name, await this.ask(['read']));
        this.#known = { at: seen.at, epochs: new Map(seen.table.held.map(({ run, epoch }) => [run, epoch])) };
        return seen;
      } catch (error) {
        // The claims that were the newest a moment ago may have been removed since.
        if (tries >= 3 || !(error instanceof FailureError) || error.failure.kind !== 'output') throw error;
      }
    }
  }

  /** Changes the claims as `work` says; `isIn` tells by reading whether a change came through whose answer was lost. */
  async change<T>(work: (seen: Seen) => Changed<T>, isIn: (seen: Seen, answer: T) => boolean): Promise<T> {
    for (let tries = 1; tries <= TRIES_MAX; tries += 1) {
      const seen = await this.read();
      const { answer, table, beats } = work(seen);
      if (table === null) return answer;
      const said = await this.#swap(seen.at, table, beats);
      if (said === 'done') return answer;
      if (said === 'unsure' && isIn(await this.read(), answer)) return answer;
    }
    throw unusable(this.name, `others were quicker ${TRIES_MAX} times`);
  }

  async renew(run: string, epoch: number): Promise<boolean> {
    const said = (await this.ask(['beat', run, epoch])).trim();
    if (said !== `at ${this.#known?.at}`) await this.read();
    return this.#known?.epochs.get(run) === epoch;
  }

  async #swap(at: number, table: Table, beats: Beats | null): Promise<string> {
    const text = `${JSON.stringify(table)}\n`;
    const sha256 = createHash('sha256').update(text).digest('hex');
    try {
      return (await this.ask(['swap', at, sha256, beats?.run ?? '', beats?.epoch ?? ''], text)).trim();
    } catch (error) {
      // Sent, and not answered: what is there now tells.
      if (error instanceof FailureError && ['lost', 'timeout'].includes(error.failure.kind)) return 'unsure';
      throw error;
    }
  }
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
