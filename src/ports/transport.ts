import type { PowerFacts } from './reader.ts';

/** What a finished command left. Output is bounded and raw: whoever shows it sanitises it (promise 11). */
export interface Ran {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Output beyond the bound was dropped. */
  readonly truncated: boolean;
}

export interface RunOptions {
  /** Real milliseconds from sending the command to its exit. */
  readonly timeoutMs: number;
  readonly stdin?: string;
  /** Runs it under `sudo -n`. */
  readonly become?: boolean;
  /** Runs it only if the server's own record lets this engine: for everything that writes. */
  readonly fence?: Fence;
}

/** What a server's record says of who acts on it. */
export interface FenceRecord {
  readonly open: boolean;
  readonly run: string;
  readonly epoch: number;
  /** One engine's own: two stores that know nothing of each other may give the same epoch. */
  readonly token: string;
  readonly sinceMs: number;
  readonly by: string;
  readonly host: string;
}

/** What an engine writes there, and where that lies. */
export interface Fence extends Omit<FenceRecord, 'open'> {
  /** Empty: below the home of the account that neap logs in with. */
  readonly directory: string;
  /** The record is kept by sudo. */
  readonly become: boolean;
  /** How long a command of an earlier engine is waited for, in real milliseconds. */
  readonly waitMs: number;
}

/**
 * One server over SSH: one connection for the whole run, opened when first used and again when it was lost.
 * Rejects with FailureError: `unreachable`, `path`, `host-key`, `denied`, `timeout`, `lost`, `full`. A command that ran
 * is never a rejection, whatever it returned.
 */
export interface Shell {
  run(command: string, options: RunOptions): Promise<Ran>;
  /** Whether it answers at all: resolves within `timeoutMs`, never rejects. */
  answers(timeoutMs: number): Promise<boolean>;
  close(): void;
}

/** One server's out-of-band management. Rejects with FailureError of kind `bmc`, `denied` or `unreachable`. */
export interface Power {
  read(): Promise<PowerFacts>;
  /** Sends one hard reset; resolves when the BMC accepted it, which proves nothing. Never retried here. */
  hardReset(): Promise<void>;
  close(): Promise<void>;
}
