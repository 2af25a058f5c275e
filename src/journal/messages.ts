import type { StoredRow } from './link.ts';
import type { Trouble } from './trouble.ts';

/** What passes between the journal and its worker thread: plain data only. */

/** `create` and `write` own the file; `read` changes nothing in it. */
export type OpenMode = 'create' | 'write' | 'read';

export interface WorkerStart {
  readonly path: string;
  readonly mode: OpenMode;
  /** Kept free for a full disk. */
  readonly reserveBytes: number;
}

/** The worker's first message, when it could open. */
export interface Opened {
  readonly epoch: number;
  readonly lastSeq: number;
  readonly head: string;
  readonly reserved: boolean;
}

/** An event before it has its place in the chain. */
export interface Draft {
  readonly atMs: number;
  readonly text: string;
}

/** What a commit adds to its drafts: the first one's number, what it follows, and the hash of each. */
export interface Links {
  readonly firstSeq: number;
  readonly epoch: number;
  readonly prev: string;
  readonly hashes: readonly string[];
}

export type Ask =
  | { readonly ask: 'commit'; readonly drafts: readonly Draft[] }
  | { readonly ask: 'rows'; readonly fromSeq: number; readonly count?: number }
  /** Rows of another copy of this journal, already found sound: they keep their places. */
  | { readonly ask: 'restore'; readonly rows: readonly StoredRow[] }
  | { readonly ask: 'close' };

export type Answer =
  | { readonly answer: 'opened'; readonly opened: Opened }
  /** The places that the drafts were given, in order. Their texts do not travel back. */
  | { readonly answer: 'committed'; readonly links: Links }
  | { readonly answer: 'rows'; readonly rows: readonly StoredRow[] }
  | { readonly answer: 'restored' }
  | { readonly answer: 'closed' }
  /** Nothing more comes after this one. */
  | { readonly answer: 'trouble'; readonly trouble: Trouble };
