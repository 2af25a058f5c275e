import type { Condition, Decider, EarlierChange, Json, Need, Server, Serving, Verdict, Way } from '../model/index.ts';
import type { z } from 'zod';
import type { Driven, DriveWish } from './drive.ts';
import type { Hands, Reader } from './reader.ts';

/** What observing one server for one step gives: pinned facts make verdicts, readings make conditions and forecasts. */
export interface Observed<P, R> {
  readonly pinned: P;
  readonly readings: R;
}

/** What expected configuration looks like for a server, as resolved when the plan was made. Texts are never in a plan. */
export interface ExpectedFile {
  readonly path: string;
  readonly sha256: string;
  readonly mode: string;
  readonly owner: string;
  readonly text: string | null;
  readonly show: boolean;
}

/** What a kind is given besides the server: values that the edge resolved for it. */
export interface StepContext {
  readonly expected: readonly ExpectedFile[];
  /** Plan time. */
  readonly nowMs: number;
  /** When this effect was first intended, in plan time: what happened since is its doing. */
  readonly sinceMs: number;
  /** The boot that this server was in when the run last read it; null when it never could. */
  readonly priorBootId: string | null;
  /** Where a kind may keep what it replaced, on the server: unique to the run and step. */
  readonly keep: string;
  /** What the run's journal knows of this server's clocks: of one whose age cannot be read, its last refresh. */
  readonly known?: readonly {
    readonly name: string;
    readonly ageMs: number;
    readonly ttlMs: number;
    readonly readAtMs: number;
    readonly unknown?: true | undefined;
  }[];
  /** What became of the requests that the kind had sent while it looks. */
  readonly driven?: Driven;
}

/** `done: false` is asked again until the deadline. */
export type Confirmation =
  | { readonly done: true; readonly readings?: Json }
  | { readonly done: false; readonly why: string };

/** A whole step kind: the pure half, and the half that touches a server. See `defineStep`. */
export interface StepKind extends Decider {
  readonly observe: (
    server: Server,
    input: never,
    read: Reader,
    context: StepContext,
  ) => Promise<Observed<unknown, unknown>>;
  /** Requests that are sent to the server while it soaks; null: none. */
  readonly drive?: ((server: Server, input: never) => DriveWish | null) | undefined;
  /** What was read says all that there is to learn: its soak ends there. */
  readonly enough?: ((readings: never) => boolean) | undefined;
  readonly perform: (server: Server, change: never, hands: Hands, context: StepContext) => Promise<void>;
  readonly confirm: (server: Server, change: never, read: Reader, context: StepContext) => Promise<Confirmation>;
  readonly undo?: ((server: Server, change: never, hands: Hands, context: StepContext) => Promise<void>) | undefined;
}

/** A kind as its author writes it; see `defineStep` for what each part promises. */
export interface KindDefinition<
  W extends Way,
  I extends z.ZodType,
  P extends z.ZodType,
  R extends z.ZodType,
  C extends z.ZodType,
> {
  readonly name: string;
  readonly version: number;
  /** The ways in which a server must be reachable. */
  readonly reach: readonly W[];
  readonly reads: Decider['reads'];
  readonly alters: Decider['alters'];
  readonly input: I;
  readonly pinned: P;
  readonly readings: R;
  readonly change: C;
  /** The changes of its earlier versions, by version: `{ 1: earlier(schema, upgrade) }`. */
  readonly changes?: { readonly [version: number]: EarlierChange<NoInfer<z.output<C>>> };
  readonly idempotent: boolean;
  readonly sameChangeProvesUntouched?: (change: NoInfer<z.output<C>>) => boolean;
  readonly title: (input: NoInfer<z.output<I>>) => string;
  readonly nature: (input: NoInfer<z.output<I>>) => ReturnType<Decider['nature']>;
  readonly observe: (
    server: Server,
    input: NoInfer<z.output<I>>,
    read: Reader,
    context: StepContext,
  ) => Promise<Observed<NoInfer<z.output<P>>, NoInfer<z.output<R>>>>;
  readonly decide: (pinned: NoInfer<z.output<P>>, input: NoInfer<z.output<I>>) => Verdict<NoInfer<z.output<C>> & Json>;
  readonly judge?: (readings: NoInfer<z.output<R>>, input: NoInfer<z.output<I>>) => Condition;
  readonly judgeInPreview?: boolean;
  readonly onUnmet?: 'fail' | 'hold' | 'end';
  readonly bounds?: (change: NoInfer<z.output<C>>, input: NoInfer<z.output<I>>) => boolean;
  readonly needs?: (input: NoInfer<z.output<I>>) => readonly Need[];
  /** For a check that soaks: requests that are sent at a steady rate meanwhile; `context.driven` tells what became of them. */
  readonly drive?: (server: Server, input: NoInfer<z.output<I>>) => DriveWish | null;
  /** For a check that soaks: whether these readings end it before its time. */
  readonly enough?: (readings: NoInfer<z.output<R>>) => boolean;
  /** What it does to a server's part in the service: for load on the others, and connections. */
  readonly serving?: (input: NoInfer<z.output<I>>) => Serving | null;
  readonly perform: (server: Server, change: NoInfer<z.output<C>>, hands: Hands, context: StepContext) => Promise<void>;
  readonly confirm: (
    server: Server,
    change: NoInfer<z.output<C>>,
    read: Reader,
    context: StepContext,
  ) => Promise<Confirmation>;
  readonly expectedMs: (input: NoInfer<z.output<I>>) => number;
  readonly soakMs?: (input: NoInfer<z.output<I>>) => number;
  /** One of the two, always: the way back, or why there is none. */
  readonly back: Back<NoInfer<z.output<I>>, NoInfer<z.output<C>>>;
}

export type Back<I, C> =
  | {
      readonly undo: (server: Server, change: C, hands: Hands, context: StepContext) => Promise<void>;
      /** What must be true before the undo acts. */
      readonly needs?: (input: I) => readonly Need[];
      /** Why this one change cannot be taken back once it is confirmed; null: undo takes it back. */
      readonly unless?: (change: C) => string | null;
      readonly irreversible?: never;
    }
  | { readonly irreversible: string; readonly undo?: never }
  /** It changes nothing that could be taken back. */
  | { readonly nothing: true; readonly undo?: never; readonly irreversible?: never };
