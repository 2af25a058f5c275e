import type { Fleet, Server } from '../../model/index.ts';
import type { LeaseStore } from '../../ports/index.ts';
import { nameServers, type RunEvent } from '../../run/index.ts';
import type { Guard, Reach } from '../reach/index.ts';
import { claimFences, fencedFailure, releaseFences, type Missed, type Refused } from './fencing.ts';
import { fenceOf, holdAbove, holdAgain, holdNew, type EngineEvent, type Hold, type TakeOver } from './hold.ts';
import { Keeper } from './keeper.ts';
import { NotOurs, type StaleEngine } from './words.ts';

export interface TenureInput {
  readonly store: LeaseStore;
  readonly run: string;
  readonly by: string;
  readonly fleet: Pick<Fleet, 'name' | 'fence'>;
  /** The run's servers: all of them or none. */
  readonly servers: readonly Server[];
  /** Whether a run is over that still holds something: its engine died between its last line and letting go. */
  readonly isOver: (run: string) => Promise<boolean>;
  /** Whether it never wrote an event. */
  readonly neverBegan: (run: string) => Promise<boolean>;
}

/**
 * One engine's time with a run (promise 4): the claim in the store, which is renewed while it lasts, and the record on
 * each server. Whoever else wants one of these servers is refused by the one or by the other.
 */
export class Tenure {
  readonly #in: TenureInput;
  #hold: Hold | null = null;
  #keeper: Keeper | null = null;

  constructor(input: TenureInput) {
    this.#in = input;
  }

  /** What Hands are given: the fence of this engine, and whom to ask where there is none. */
  get guard(): Guard {
    const fence = (): Guard['fence'] => fenceOf(this.#in.run, this.#held(), this.#in.fleet);
    return {
      get fence() {
        return fence();
      },
      refused: ({ standing, record }) => {
        if (standing === 'stale' || standing === 'gone')
          this.#keeper?.overrun(
            record === null || standing === 'gone'
              ? 'it was ended'
              : `epoch ${record.epoch}, by ${record.by} on ${record.host}`,
          );
      },
      ask: async () => this.#keeper?.ask(),
    };
  }

  /** How the journal has this engine. */
  get self(): Pick<EngineEvent, 'pid' | 'host' | 'epoch' | 'machine' | 'boot'> {
    const { epoch, holder } = this.#held();
    const { pid, host, machine, boot } = holder;
    return { pid, host, epoch, machine, boot };
  }

  /** Whether the store has not answered for too long. */
  get lost(): boolean {
    return this.#keeper?.lost === true;
  }

  /** For a new run. Rejects with NotOurs, naming who holds its servers. */
  async begin(): Promise<void> {
    this.#hold = await holdNew(this.#wish()).catch((error: unknown) => {
      this.#in.store.close();
      throw error;
    });
  }

  /** For a run that another engine began. Resolves to what a person overrode, if they had to. */
  async resume(engines: readonly EngineEvent[], said: TakeOver): Promise<Hold['overrode']> {
    this.#hold = await holdAgain(this.#wish(), engines, said);
    return this.#hold.overrode;
  }

  /** Renews the claim from now on; after a silence the servers are asked who has them now. */
  keep(
    reach: Reach,
    tell: (event: Extract<RunEvent, { type: 'lease' }>) => void,
    stop: (why: StaleEngine) => void,
  ): void {
    const { store, run, servers } = this.#in;
    const probe = async (): Promise<void> => void (await claimFences(reach, servers, () => undefined));
    this.#keeper = new Keeper({ store, run, epoch: this.#held().epoch, tell, stop, probe });
  }

  /** Before effects: rejects with StaleEngine; false: the store was just lost. */
  async assure(): Promise<boolean> {
    return this.#keeper === null ? true : this.#keeper.assure();
  }

  /**
   * Claims the servers' own records. For a new run it is all or none: rejects with NotOurs, and what was claimed is
   * released. A resumed run goes on without those that another run has meanwhile; it rejects where another engine of
   * this run, or a person who ended it, was there since. Servers that cannot be reached hold nobody up.
   */
  async fence(reach: Reach, mode: 'start' | 'resume', onEach: (done: number) => void): Promise<EventFenced> {
    const { servers, run } = this.#in;
    const first = await this.#claimAll(reach, servers, onEach);
    const stale = first.refused.filter(({ standing }) => standing === 'stale' || standing === 'gone');
    const refuses = mode === 'start' ? first.refused : stale;
    if (refuses.length === 0) return fenced(first);
    if (mode === 'resume' && this.#held().overrode !== null && stale.every(({ standing }) => standing === 'stale')) {
      const highest = Math.max(...stale.map(({ record }) => record?.epoch ?? 0));
      this.#hold = await holdAbove(this.#wish(), this.#held(), highest);
      this.#keeper?.rise(this.#hold.epoch);
      return fenced(await this.#claimAll(reach, servers, onEach));
    }
    if (mode === 'start')
      await releaseFences(
        reach,
        servers.filter(({ name }) => first.claimed.includes(name)),
      );
    throw mode === 'start' ? fencedFailure(run, refuses) : takenFailure(run, stale);
  }

  /** Lets go of everything. Resolves to the servers that could not be told; a store that does not answer is said by `store`. */
  async end(reach: Reach | null): Promise<readonly Missed[]> {
    const { store, run, servers } = this.#in;
    if (this.#hold === null) return [];
    const missed = reach === null ? [] : await releaseFences(reach, servers);
    this.#keeper?.end();
    await store.release(run, this.#hold.epoch);
    return missed;
  }

  /** No more renewals: what was not let go of stays until somebody resumes the run. */
  leave(): void {
    this.#keeper?.end();
    this.#in.store.close();
  }

  /** Claims; where a run that is over left its record behind, that is released first. */
  async #claimAll(
    reach: Reach,
    servers: readonly Server[],
    onEach: (done: number) => void,
  ): Promise<Awaited<ReturnType<typeof claimFences>>> {
    const first = await claimFences(reach, servers, onEach);
    const left: Server[] = [];
    for (const { server, standing, record } of first.refused) {
      const found = servers.find(({ name }) => name === server);
      if (standing !== 'other' || record === null || !found || !(await this.#in.isOver(record.run))) continue;
      if (await reach.fence(found).release('force', record.run)) left.push(found);
    }
    if (left.length === 0) return first;
    const again = await claimFences(reach, left, () => undefined);
    const names = new Set(left.map(({ name }) => name));
    return {
      claimed: [...first.claimed, ...again.claimed],
      missed: [...first.missed, ...again.missed],
      refused: [...first.refused.filter(({ server }) => !names.has(server)), ...again.refused],
    };
  }

  #wish(): Parameters<typeof holdNew>[0] {
    const { store, run, by, servers, fleet, isOver, neverBegan } = this.#in;
    return { store, run, by, isOver, neverBegan, servers: servers.map(({ name }) => `${fleet.name}/${name}`) };
  }

  #held(): Hold {
    if (this.#hold === null) throw new Error('the run is not held yet');
    return this.#hold;
  }
}

type EventFenced = Extract<RunEvent, { type: 'fenced' }>;

function fenced({ claimed, missed, refused }: Awaited<ReturnType<typeof claimFences>>): EventFenced {
  const others = refused.map(({ server, record }) => ({
    server,
    why: `it belongs to run ${record?.run ?? 'unknown'}, by ${record?.by ?? 'unknown'} on ${record?.host ?? 'unknown'}`,
  }));
  return { type: 'fenced', servers: claimed.length, missed: [...missed, ...others] };
}

function takenFailure(run: string, stale: readonly Refused[]): NotOurs {
  const [first] = stale;
  const record = first?.record;
  const gone = first?.standing === 'gone';
  return new NotOurs({
    kind: 'condition',
    what: gone
      ? `this run was ended on ${nameServers(stale.map(({ server }) => server))} by somebody, as the servers' own records say`
      : `another engine of this run was on ${first?.server} after this journal's last one: epoch ${record?.epoch}, by ${record?.by} on ${record?.host}`,
    where: `run ${run}`,
    state: 'Nothing was done to any server',
    remedy: gone
      ? 'Make a new plan for what it left: neap fleet check shows how the servers are'
      : `Resume it from the journal of that engine; or, when you have made certain that it is gone: neap resume ${run} --take-over --override "why it is gone"`,
  });
}
