/** Who holds a lease: what others are told, and what tells whether it is still there. */
export interface Holder {
  /** Who asked for the run, and the operating system's name for them. */
  readonly by: string;
  readonly user: string;
  readonly host: string;
  /** Tells machines apart that have the same name. */
  readonly machine: string;
  /** This boot of that machine, and the namespace of its process ids: in another one `pid` says nothing. */
  readonly boot: string;
  readonly pid: number;
}

/** What one run holds. Instants are the store's own: only it can say how long nothing was heard. */
export interface Holding extends Holder {
  readonly run: string;
  /** Higher than any that the store gave before: an engine with a lower one is stale. */
  readonly epoch: number;
  readonly sinceMs: number;
  readonly renewedAtMs: number;
  /** How long ago that was when the store was asked. */
  readonly silentMs: number;
  /** `fleet/server`; in an answer to a claim, those in conflict only. */
  readonly servers: readonly string[];
}

export interface ClaimWish {
  readonly run: string;
  /** `fleet/server`, at least one: an empty selection is never "all". */
  readonly servers: readonly string[];
  readonly holder: Holder;
  /** The epoch is higher than this one too: the run's journal has seen it. */
  readonly atLeast: number;
  /** The epoch of the run's own holding that may be taken over; null: it must hold nothing. */
  readonly supersedes: number | null;
}

export type ClaimAnswer =
  | { readonly granted: true; readonly epoch: number; readonly sinceMs: number }
  /** Nothing was claimed: this is who holds these servers, or the run itself. */
  | { readonly granted: false; readonly conflicts: readonly Holding[] };

/**
 * Which run holds which servers (promise 4), for all who use the same store. Each method is one transaction with a
 * deadline. Rejects with FailureError when the store cannot be reached, or when what became of a change is not known.
 */
export interface LeaseStore {
  /** As messages name it: `local`, `ssh:HOST`, `postgres`. Never holds a secret. */
  readonly name: string;
  /** All the servers or none. A run that claims again has only what it named last, under a new epoch. */
  claim(wish: ClaimWish): Promise<ClaimAnswer>;
  /** Says that the holder is alive. False: the run is not held under this epoch any more, so this engine is stale. */
  renew(run: string, epoch: number): Promise<boolean>;
  /** Lets go of what the run holds under this epoch: a stale engine releases nothing of its successor's. False: it held nothing. */
  release(run: string, epoch: number): Promise<boolean>;
  holding(run: string): Promise<Holding | null>;
  holdings(): Promise<readonly Holding[]>;
  /** Ends what connections it has. */
  close(): void;
}

/** A small database file that several processes share in short transactions; `D` is the database as its driver gives it. */
export interface SharedFile<D> {
  transact<T>(work: (database: D) => T): Promise<T>;
}
