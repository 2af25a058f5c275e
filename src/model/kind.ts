import type { z } from 'zod';
import type { Way } from './fleet.ts';
import type { Json } from './json.ts';
import type { Serving } from './serving.ts';

/** An aspect of a server. A step that `reads` what an earlier pending step `alters` cannot be foretold. */
export type Aspect = 'offline' | 'cache' | 'config' | 'power' | 'traffic' | 'path';

/**
 * `risk` takes something away or spends margin; `restore` gives it back; `check` only looks. Budget, window and
 * guards stop risk, never restore (promise 7).
 */
export type Nature = 'risk' | 'restore' | 'check';

/** What a step has to do on one server. Drift is a different verdict, compared as canonical JSON. */
export type Verdict<C extends Json = Json> =
  | { readonly verdict: 'nothing' }
  | { readonly verdict: 'change'; readonly change: C; readonly diff: readonly string[] }
  | { readonly verdict: 'refused'; readonly why: string; readonly remedy: string };

/** Whether a condition over readings holds. */
export type Condition = { readonly holds: true } | { readonly holds: false; readonly why: string };

/**
 * What must be true right before a step acts on a server: that a dependency answers from it, that its expected
 * configuration is proven, that its caches are warm, or that the main line has brought the fleet back.
 */
/** `dependency: '*'` is every dependency that the server's service lists. */
export type Need =
  | { readonly need: 'answers'; readonly dependency: string }
  | { readonly need: 'converged' }
  | { readonly need: 'warm' };

/** A change as an earlier version of a kind wrote it: its schema, and what it is to today's version. */
export interface EarlierChange<C = unknown> {
  readonly schema: z.ZodType;
  readonly upgrade: (change: never) => C;
}

/**
 * The pure half of a step kind: all that compile, preview and the run machine know of it. `decide` is given the
 * pinned facts only, so that a reading can never make a verdict; `judge` is given the readings only.
 */
export interface Decider {
  readonly name: string;
  /** Rises when the meaning of input, facts or change moves; older changes stay readable. */
  readonly version: number;
  readonly reach: readonly Way[];
  readonly reads: readonly Aspect[];
  readonly alters: readonly Aspect[];
  readonly input: z.ZodType;
  readonly pinned: z.ZodType;
  readonly readings: z.ZodType;
  readonly change: z.ZodType;
  /** How the changes of its earlier versions are read, by version: undo works from them for ever. */
  readonly changes?: { readonly [version: number]: EarlierChange } | undefined;
  /** Performing it twice is the same as once. If not, a step in doubt asks a person unless `confirm` can tell. */
  readonly idempotent: boolean;
  /** For kinds that are not idempotent: seeing this same change again proves that the former attempt had no effect. */
  readonly sameChangeProvesUntouched?: ((change: never) => boolean) | undefined;
  readonly title: (input: never) => string;
  readonly nature: (input: never) => Nature;
  readonly decide: (pinned: never, input: never) => Verdict;
  /** Judged afresh in the run; in a preview only where `judgeInPreview` says that today's readings mean something. */
  readonly judge?: ((readings: never, input: never) => Condition) | undefined;
  readonly judgeInPreview?: boolean | undefined;
  /** What an unmet condition does: fail this server, hold and ask again until it is met, or end the run. */
  readonly onUnmet?: 'fail' | 'hold' | 'end' | undefined;
  /** Whether a change that could not be foretold is one that this input allows; if not, the server is left out. */
  readonly bounds?: ((change: never, input: never) => boolean) | undefined;
  /** What must be true before it acts, and before its undo does. */
  readonly needs?: ((input: never) => readonly Need[]) | undefined;
  readonly undoNeeds?: ((input: never) => readonly Need[]) | undefined;
  /** Why there is no way back; absent where there is an undo. */
  readonly irreversible?: string | undefined;
  /** Why this one change cannot be taken back once it is confirmed; null: undo takes it back. */
  readonly noWayBack?: ((change: never) => string | null) | undefined;
  /** What it does to a server's part in the service; who alters `power` restarts unless it says otherwise. */
  readonly serving?: ((input: never) => Serving | null) | undefined;
  /** Whether its undo has anything to do: looking and refreshing leave nothing to take back. */
  readonly leavesNothing?: boolean | undefined;
  /** Expected time for one server, in plan milliseconds, without its soak. */
  readonly expectedMs: (input: never) => number;
  /** For how long it must stay confirmed, in plan milliseconds. */
  readonly soakMs?: ((input: never) => number) | undefined;
}

declare const ways: unique symbol;

/**
 * Servers that a runbook speaks of: a group, or a part of it. `W` is the ways in which each of them can be reached;
 * contravariant, so that a step that needs a BMC does not compile on servers that have none.
 */
export interface Targets<in W extends Way> {
  readonly group: string;
  readonly part: TargetPart;
  readonly [ways]?: ((way: W) => void) | undefined;
}

/** `first` takes n servers by name order; `rest` is all but those; `hung` is whoever a contingency is armed for. */
export type TargetPart =
  | { readonly of: 'all' }
  | { readonly of: 'first'; readonly count: number }
  | { readonly of: 'rest'; readonly count: number }
  | { readonly of: 'armed' };
