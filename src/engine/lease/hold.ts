import { randomBytes } from 'node:crypto';
import type { Fleet } from '../../model/index.ts';
import type { ClaimAnswer, ClaimWish, Fence, Holder, Holding, LeaseStore } from '../../ports/index.ts';
import type { RunEvent } from '../../run/index.ts';
import { FENCE_WAIT_MS } from '../reach/index.ts';
import { seenFromHere, thisHolder, type Whereabouts } from './holder.ts';
import { SILENT_MS } from './limits.ts';
import { conflictFailure, holdingText, NotOurs } from './words.ts';

/** What this engine holds. */
export interface Hold {
  readonly holder: Holder;
  readonly epoch: number;
  readonly sinceMs: number;
  /** This engine's own, also where another store gave the same epoch. */
  readonly token: string;
  /** For a person who overrode: whom this engine took the run from without proof that it is gone. */
  readonly overrode: { readonly about: string; readonly reason: string } | null;
}

export interface HoldWish {
  readonly store: LeaseStore;
  readonly run: string;
  /** `fleet/server`. */
  readonly servers: readonly string[];
  readonly by: string;
  /** Whether a run is over that still holds something: its engine died between its last line and letting go. */
  readonly isOver: (run: string) => Promise<boolean>;
  /** Whether a run that holds something never wrote an event; its engine may be about to, if it is there. */
  readonly neverBegan: (run: string) => Promise<boolean>;
}

/** How an engine began, as the journal has it. */
export type EngineEvent = Extract<RunEvent, { type: 'engine' }>;

/** What a person said about the engine that has the run. */
export interface TakeOver {
  readonly takeOver: boolean;
  /** Why, although it is not proven gone. */
  readonly override: string | null;
}

/** Claims a new run's servers. Rejects with NotOurs, naming who holds them. */
export async function holdNew(wish: HoldWish): Promise<Hold> {
  return holding(wish, 0, null, null);
}

/**
 * Claims the servers again for a run that another engine began. Rejects with NotOurs unless that engine is proven
 * gone, or a person takes the run over: from another machine only by `takeOver`, and without proof only by `override`.
 * `engines`: all that the journal has seen.
 */
export async function holdAgain(wish: HoldWish, engines: readonly EngineEvent[], said: TakeOver): Promise<Hold> {
  const { store, run } = wish;
  const had = await store.holding(run);
  const last = whereaboutsOf(engines.at(-1));
  const there = had === null || had.boot === '' ? last : had;
  const seen = there === null ? 'gone' : seenFromHere(there, run);
  // Only this machine uses a local store: what it holds and nobody here runs is held by nobody.
  const silent = had !== null && (store.name === 'local' || had.silentMs >= SILENT_MS);
  const proven = seen === 'gone' || (seen === 'unseen' && silent);
  if (!proven && said.override === null) throw notProven(run, store, had, there, seen);
  if (proven && seen === 'unseen' && !said.takeOver && said.override === null) throw elsewhere(run, store, had, there);
  const about = proven || said.override === null ? null : whose(had, there);
  return holding(
    wish,
    Math.max(0, ...engines.map(({ epoch }) => epoch ?? 0)),
    had?.epoch ?? null,
    about === null || said.override === null ? null : { about, reason: said.override },
  );
}

/** Claims once more, above an epoch that a server has seen. */
export async function holdAbove(wish: HoldWish, hold: Hold, atLeast: number): Promise<Hold> {
  return { ...(await holding(wish, atLeast, hold.epoch, hold.overrode)), token: hold.token };
}

/** What this engine writes on the servers. */
export function fenceOf(run: string, hold: Hold, fleet: Pick<Fleet, 'fence'>): Fence {
  const { epoch, token, sinceMs, holder } = hold;
  return {
    directory: fleet.fence?.directory ?? '',
    become: fleet.fence?.become ?? false,
    waitMs: FENCE_WAIT_MS,
    run,
    epoch,
    token,
    sinceMs,
    by: holder.by,
    host: holder.host,
  };
}

async function holding(
  { store, run, servers, by, isOver, neverBegan }: HoldWish,
  atLeast: number,
  supersedes: number | null,
  overrode: Hold['overrode'],
): Promise<Hold> {
  const holder = thisHolder(by);
  const wish = { run, servers, holder, atLeast, supersedes };
  let answer = await claimed(store, wish);
  if (!answer.granted) {
    let freed = 0;
    for (const each of answer.conflicts) {
      const left = seenFromHere(each, each.run) === 'gone' && (await neverBegan(each.run));
      const over = each.run !== run && (left || (await isOver(each.run)));
      if (over && (await store.release(each.run, each.epoch))) freed += 1;
    }
    if (freed > 0) answer = await claimed(store, wish);
  }
  if (!answer.granted) throw conflictFailure(run, answer.conflicts);
  const { epoch, sinceMs } = answer;
  return { holder, epoch, sinceMs, token: randomBytes(6).toString('hex'), overrode };
}

/** A claim whose answer was lost may have come through: what the store says then counts. */
async function claimed(store: LeaseStore, wish: ClaimWish): Promise<ClaimAnswer> {
  try {
    return await store.claim(wish);
  } catch (error) {
    const own = await store.holding(wish.run).catch(() => null);
    const { boot, pid, host } = wish.holder;
    if (own?.boot !== boot || own.pid !== pid || own.host !== host || own.epoch === wish.supersedes) throw error;
    return { granted: true, epoch: own.epoch, sinceMs: own.sinceMs };
  }
}

function whereaboutsOf(event: EngineEvent | undefined): Whereabouts | null {
  if (event === undefined) return null;
  return { host: event.host, pid: event.pid, machine: event.machine ?? '', boot: event.boot ?? '' };
}

function whose(had: Holding | null, there: Whereabouts | null): string {
  if (had !== null) return holdingText(had);
  return there === null ? 'nobody known' : `process ${there.pid} on ${there.host}`;
}

function notProven(
  run: string,
  store: LeaseStore,
  had: Holding | null,
  there: Whereabouts | null,
  seen: 'alive' | 'gone' | 'unseen',
): NotOurs {
  const stopped =
    seen === 'alive' ? `. Its process ${there?.pid} is there (stopped or hung, if it does not answer)` : '';
  const how =
    seen === 'alive'
      ? `Watch it: neap attach ${run}. To end it for certain: kill -9 ${there?.pid}, then: neap resume ${run}`
      : had === null
        ? `The store of claims (${store.name}) knows nothing of it, so nothing proves that it is gone. When you have made certain: neap resume ${run} --take-over --override "why it is gone"`
        : `It is taken for gone ${SILENT_MS / 1000} s after it was last seen: then neap resume ${run} --take-over; or, when you have made certain: --take-over --override "why it is gone"`;
  return new NotOurs({
    kind: 'condition',
    what: `an engine may still have it: ${whose(had, there)}${stopped}`,
    where: `run ${run}`,
    state: 'Nothing was done here',
    remedy: how,
  });
}

function elsewhere(run: string, store: LeaseStore, had: Holding | null, there: Whereabouts | null): NotOurs {
  return new NotOurs({
    kind: 'condition',
    what: `its engine ran on another machine and has not been heard of by ${store.name}: ${whose(had, there)}`,
    where: `run ${run}`,
    state: 'Nothing was done here',
    remedy: `Take it over: neap resume ${run} --take-over`,
  });
}
