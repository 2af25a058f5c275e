import type { Condition, Failure, Json, Rehearsed, Verdict } from '../model/index.ts';
import type { Effect, Place } from './effects.ts';
import type { Turn } from './state.ts';

/**
 * What can be written in a journal about a run. State is what folding them gives; they are read back for ever, so a
 * shape may gain optional fields and loses none.
 */
export type RunEvent =
  | {
      readonly type: 'opened';
      readonly run: string;
      readonly plan: string;
      readonly title: string;
      readonly by: string;
      readonly host: string;
      /** The operating system's name for whoever asked, the fingerprint of the key that neap logs in with, and the ticket. */
      readonly user?: string;
      readonly key?: string | null;
      readonly ticket?: string | null;
    }
  /** A person said yes to exactly this plan. */
  | {
      readonly type: 'approved';
      readonly plan: string;
      readonly by: string;
      /** What of the plan's refusals that person decided against, each in a class of its own. */
      readonly overriding?: readonly { readonly class: OverrideClass; readonly reason: string }[];
    }
  /** An engine took the run over: whatever was under way before is in doubt. */
  | {
      readonly type: 'engine';
      readonly pid: number;
      readonly host: string;
      readonly neap: string;
      /** Under which epoch it holds the run, and what tells later whether it can still be there. */
      readonly epoch?: number;
      readonly machine?: string;
      readonly boot?: string;
      /** The mirror that the journal was built from: its last moments may be missing. */
      readonly from?: string;
      /** Why the engine that was there had to read its journal again. */
      readonly after?: string;
      /** No space is left for more than the way home. */
      readonly short?: true;
    }
  /** An effect is about to be made. On disk before it is (promise 3). */
  | { readonly type: 'intended'; readonly effect: Effect }
  | { readonly type: 'looked'; readonly id: string; readonly outcome: Looked | { readonly failure: Failure } }
  /** `unsent`: nothing was done after all, since its intention could not be put where it had to be first. */
  | { readonly type: 'performed'; readonly id: string; readonly failure?: Failure; readonly unsent?: true }
  | { readonly type: 'confirmed'; readonly id: string; readonly readings?: Json; readonly failure?: Failure }
  | {
      readonly type: 'diagnosed';
      readonly id: string;
      readonly condition: 'alive' | 'hung' | 'silent';
      readonly seen: string;
    }
  | { readonly type: 'asked'; readonly id: string }
  | { readonly type: 'paged'; readonly id: string; readonly failure?: Failure }
  /** `givenAtMs`: plan time at which the person said so. */
  | {
      readonly type: 'answered';
      readonly gate: string;
      readonly answer: string;
      readonly by: string;
      readonly givenAtMs: number;
      readonly reason?: string;
      /** Said before the gate was asked, taken back, or used now that it is. */
      readonly ahead?: 'given' | 'withdrawn' | 'used';
    }
  | { readonly type: 'halted'; readonly by: string }
  | { readonly type: 'unhalted'; readonly by: string }
  /** `to`: only what came after that step is taken back. */
  | { readonly type: 'abort'; readonly by: string; readonly reason: string; readonly to?: string }
  /** The run turns for home: no more risk, and back what was taken. */
  | { readonly type: 'turned'; readonly code: Turn['code']; readonly why: string; readonly to?: string }
  /** The way home begins: for these servers only, or for all that the main line changed. */
  | { readonly type: 'homeward'; readonly servers: readonly string[] | null }
  /** A contingency begins for these servers, in a track of its own. */
  | {
      readonly type: 'armed';
      readonly contingency: string;
      readonly track: string;
      readonly servers: readonly string[];
      readonly suspect: boolean;
      /** Who armed it and why, where a person did; or the guard whose reading did. */
      readonly by?: string;
      readonly reason?: string;
      readonly guard?: string;
    }
  /** Steps are done again up to that gate or step: the fuse became too short while nobody answered, or time was lost before (`spoilt`). */
  | {
      readonly type: 'renewed';
      readonly gate: string;
      readonly from: string;
      readonly spoilt?: boolean;
      /** What is done again for, where it is not for time that was lost. */
      readonly why?: string;
    }
  /** Who gets slots in which order, by what is known of expiries: of so many of them (`known`), the others first. */
  | {
      readonly type: 'scheduled';
      readonly track: string;
      readonly step: string;
      readonly servers: readonly string[];
      readonly known: number;
    }
  /** The slots of a step are given at another share of their bound than before, for what was seen; 0: none are given. */
  | {
      readonly type: 'paced';
      readonly track: string;
      readonly step: string;
      readonly share: number;
      readonly why: string;
    }
  /** The first fatal expiry among the servers that were to be read again, and who could not be; null: none has one. */
  | {
      readonly type: 'counted';
      readonly id: string;
      readonly first: { readonly server: string; readonly clock: string; readonly expiresAtMs: number } | null;
      readonly unread: readonly string[];
      /** How the balancer's page stood; without it: nobody could tell. */
      readonly edge?: 'on' | 'off';
    }
  /** What became of turning the balancer's page on or off. `found`: how it stood right before. */
  | {
      readonly type: 'shed';
      readonly id: string;
      readonly found?: 'on' | 'off';
      readonly failure?: Failure;
    }
  /** What a rehearsal showed of one server. */
  | { readonly type: 'rehearsed'; readonly rehearsal: Rehearsed }
  /** A view came or went: no more than that. */
  | { readonly type: 'viewed'; readonly by: string; readonly what: 'attached' | 'lost' | 'detached' }
  /** A person decided against what stops the run, in a class of its own, for what `about` names (a guard, a freeze, a server). */
  | {
      readonly type: 'overrode';
      readonly class: OverrideClass;
      readonly about: string;
      readonly by: string;
      readonly reason: string;
      /** For the window: the instant until which it is open instead. */
      readonly untilMs?: number;
    }
  /** A guard stands otherwise than before. `positive`: a reading says so, not the lack of one. */
  | {
      readonly type: 'guard';
      readonly guard: string;
      readonly standing: GuardStanding;
      readonly positive: boolean;
      readonly onsetAtMs: number;
      readonly seen: string;
    }
  /** The copy of the journal elsewhere fell behind, or caught up. */
  | { readonly type: 'mirror'; readonly standing: 'behind' | 'current'; readonly seen: string }
  /** The servers' own records name this engine, except where it could not be told to them. */
  | {
      readonly type: 'fenced';
      readonly servers: number;
      readonly missed: readonly { readonly server: string; readonly why: string }[];
    }
  /** The head of the journal cannot be told to its anchor any more, or is told again. */
  | { readonly type: 'anchor'; readonly standing: 'lost' | 'told'; readonly seen: string }
  /** The store of claims does not answer any more, or answers again. */
  | { readonly type: 'lease'; readonly standing: 'lost' | 'held'; readonly seen: string }
  /** The calendars were read again: what they freeze now; or why they could not be, and then what was known still holds. */
  | {
      readonly type: 'freezes';
      readonly freezes?: readonly { readonly title: string; readonly fromMs: number; readonly toMs: number }[];
      readonly unread?: string;
    }
  /**
   * The machine slept, or its clock was set: what was seen before is judged again. Plan time goes on through a sleep;
   * it takes no part in a clock's being set, and the agreed instants are held against the clock from then on.
   */
  | { readonly type: 'jumped'; readonly sort: 'slept' | 'clock'; readonly byMs: number }
  /** Nobody here can tell what became of an effect: a person is asked, in a track of its own. */
  | { readonly type: 'doubted'; readonly track: string; readonly place: Place; readonly attempts: number }
  /** A person said what became of an effect that nobody could tell. */
  | {
      readonly type: 'told';
      readonly server: string;
      readonly what: 'done' | 'not-done' | 'leave';
      readonly by: string;
      readonly reason: string;
    }
  /** Time passed: what was waiting for it can go on. */
  | { readonly type: 'time' }
  | { readonly type: 'closed'; readonly outcome: Outcome; readonly exitCode: number; readonly summary: string };

export type OverrideClass = 'freeze' | 'fuse' | 'guard' | 'lease' | 'mirror' | 'window';
export type GuardStanding = 'clear' | 'warn' | 'trip' | 'no-data';

/** done: 0 · home: 1 (failed, home and clean) · human: 5 (state not proven) · stale: 6 (the canary drifted). */
export type Outcome = 'done' | 'home' | 'human' | 'stale';

/** What looking at a server right before acting gave. */
export interface Looked {
  readonly verdict: Verdict;
  readonly condition: Condition;
  readonly need: Condition;
  readonly readings: Json;
  /** Whether a former attempt whose outcome is unknown may be made again on this evidence. */
  readonly repeatable: boolean;
  /** A change that could not be foretold is one that the step's input allows. */
  readonly withinBounds: boolean;
  /** Before an undo: how the server stands towards the change that is to be taken back. */
  readonly stands?: 'before' | 'after' | 'other';
}

/** An event with its instant, in plan time. */
export interface Stamped {
  readonly atMs: number;
  readonly event: RunEvent;
}
