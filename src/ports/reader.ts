/**
 * What a step may do to a server. The Reader is closed: it has no way to run anything but what the fleet lists for
 * reading, so a preview cannot write (promise 1). Hands is what `perform` and `undo` get besides.
 */

export interface FileFacts {
  readonly path: string;
  /** `absent` where there is no such file. */
  readonly sha256: string;
  readonly mode: string;
  readonly owner: string;
  readonly sizeBytes: number;
  /** Its text, for files of up to 64 KiB of valid UTF-8; null otherwise. */
  readonly text: string | null;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
  readonly tookMs: number;
}

export interface PowerFacts {
  readonly state: 'On' | 'Off' | 'PoweringOn' | 'PoweringOff' | 'Unknown';
  /** Redfish `LastResetTime`; null where the BMC does not tell. */
  readonly lastResetAt: string | null;
  /** Whether it offers a hard reset to this account. */
  readonly canReset: boolean;
}

/** Who sees the server alive. `null`: this fleet has no such view. */
export interface Vitals {
  readonly ssh: 'answers' | 'silent';
  readonly http: 'answers' | 'silent' | null;
  /** The balancer's own check, from where it stands. */
  readonly balancer: 'up' | 'down' | 'unknown' | null;
  readonly power: PowerFacts['state'] | null;
  /** Whether every control target outside the fleet answers: if not, the silence is neap's own. */
  readonly control: 'answers' | 'silent' | null;
}

/** Names of what a fleet lists under reading, e.g. `offline`, `clock:sessions`, `answers:database`, `path:database`, `running`, `traffic`, `health`. */
export type ReadName =
  | 'offline'
  | 'version'
  | 'running'
  | 'traffic'
  | 'traffic-health'
  | 'admission'
  | `clock:${string}`
  | `answers:${string}`
  | `delay:${string}`
  | `path:${string}`;

/** Names of what a fleet lists for changing. */
export type WriteName =
  | 'offline-on'
  | 'offline-off'
  | 'reload'
  | 'traffic-in'
  | 'traffic-out'
  | 'admission-hold'
  | 'admission-free'
  | `refresh:${string}`
  | `cut:${string}`
  | `restore:${string}`;

/** All methods throw FailureError and nothing else; all are bounded in time and size. */
export interface Reader {
  /** Facts of several files, in one command. */
  files(paths: readonly string[]): Promise<readonly FileFacts[]>;
  /** The boot that the server is in: changes with every reset. */
  bootId(): Promise<string>;
  get(
    path: string,
    options: { readonly headers?: Readonly<Record<string, string>>; readonly timeoutMs: number },
  ): Promise<HttpAnswer>;
  /** The answer of a read call that the fleet lists, trimmed and sanitised; a command that exits non-zero is a `command` failure. */
  ask(name: ReadName): Promise<string>;
  power(): Promise<PowerFacts>;
  /** Never throws: silence is an answer. */
  vitals(): Promise<Vitals>;
}

export interface Hands {
  /** Runs a write call that the fleet lists. `fill` replaces `{seconds}`: digits only. */
  call(name: WriteName, fill?: { readonly seconds: number }): Promise<void>;
  /** Writes beside the file, flushes, sets mode and owner, then renames over it. The former content stays at `backup`. */
  putFile(file: {
    readonly path: string;
    readonly text: string;
    readonly mode: string;
    readonly owner: string;
    readonly backup: string;
  }): Promise<void>;
  /** Puts a backup back, or removes the file where there was none. */
  restoreFile(file: { readonly path: string; readonly backup: string }): Promise<void>;
  /** A hard reset over the BMC. Sent once: never retried here. */
  hardReset(): Promise<void>;
}
