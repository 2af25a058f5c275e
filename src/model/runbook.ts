import type { z } from 'zod';
import type { Way } from './fleet.ts';
import type { Json } from './json.ts';
import type { Decider, TargetPart, Targets } from './kind.ts';
import type { ArmedBy, GuardRead } from './plan.ts';
import type { Manner } from './rehearsal.ts';

/** A runbook describes; it never acts. What it says becomes a plan, and only a plan is run. */
export interface Runbook<R extends Reach = Reach, I extends z.ZodType = z.ZodType> {
  readonly title: string;
  /** Which groups it speaks of, and how their servers must be reachable. */
  readonly reach: R;
  readonly inputs: I;
  /** How many servers may fail, in the whole run, before no more risk is taken. */
  readonly budget: BudgetSpec;
  readonly window: WindowSpec;
  readonly steps: (groups: GroupsOf<R>, inputs: z.output<I>) => readonly StepSpec[];
  readonly contingencies?: ((groups: GroupsOf<R>, inputs: z.output<I>) => readonly ContingencySpec[]) | undefined;
}

/** The smaller of the two counts; a percentage is of the run's servers, rounded down, and at least one. */
export interface BudgetSpec {
  readonly failures: number;
  readonly percent?: number | undefined;
}

/**
 * `limitMs`: how long the window is at most, from the start of the run, in plan milliseconds. `plannedMs`: how long it
 * is meant to take; beyond that people are told. When it opens and closes is said when a plan is made.
 */
export interface WindowSpec {
  readonly limitMs: number;
  readonly plannedMs?: number | undefined;
}

export type Reach = { readonly [group: string]: readonly Way[] };
export type GroupsOf<R extends Reach> = { readonly [G in keyof R]: Targets<R[G][number]> };

/** One line of a runbook. */
export type StepSpec = ActSpec | GateSpec | HoldSpec | GuardedSpec | RejoinSpec;

/** A kind on targets. */
export interface ActSpec {
  readonly step: 'act';
  readonly kind: Decider;
  readonly targets: { readonly group: string; readonly part: TargetPart };
  readonly input: Json;
  readonly waves?: WaveSpec | undefined;
  readonly slots?: SlotSpec | undefined;
  /** A person is asked before this step is taken back. */
  readonly askBeforeUndo?: boolean | undefined;
}

/** So many servers, or a percentage of the step's servers: rounded down, and at least one. */
export type Share = number | `${number}%`;

/**
 * How a step goes through its targets: the canary, then `stages` one after the other, then all others. Every wave is cut
 * to `atMost`, and so many are under way at once, retries included; a canary larger than that is refused.
 */
export interface WaveSpec {
  readonly canary?: number | undefined;
  readonly stages?: readonly Share[] | undefined;
  /** `domain`: no wave takes servers of two failure domains. */
  readonly by?: 'domain' | undefined;
  readonly atMost: Share;
}

/**
 * Starts at most `fraction` of `perSecond`, whoever expires first by the latest readings first: the rule is in the plan,
 * the slots are a forecast.
 */
export interface SlotSpec {
  readonly perSecond: number;
  readonly fraction: number;
  /** What else a slot needs a token of, each with a bound of its own. */
  readonly also?: readonly ResourceSpec[] | undefined;
  /** So many go first and alone; the others follow when they are done and `pauseMs` is over. */
  readonly canary?: { readonly servers: number; readonly pauseMs: number } | undefined;
  /** No failure domain gets more than this share of the slots, in any stretch of them. */
  readonly domainShare?: number | undefined;
  /** Takes so long at least, so that what is refreshed now does not expire together again. */
  readonly overMs?: number | undefined;
  /** When it is through and expiries still lie together more than this (0 apart, 1 all at once), it is done again. */
  readonly coherenceBelow?: number | undefined;
  /** Slows down on what the database shows, and never goes faster than the bound; `false`: it does not look. */
  readonly slowDown?: SlowDownSpec | false | undefined;
}

/** Something besides the dependency that slots draw on: its shards, logins, pages. */
export interface ResourceSpec {
  readonly resource: string;
  readonly perSecond: number;
  /** All of it unless said. */
  readonly fraction?: number | undefined;
  /** Each part has that rate of its own: `domain`, or a name under `uses` of the fleet's servers. All share it unless said. */
  readonly each?: string | undefined;
}

/** Halved when the least delay of a window, or the share of refreshes that failed in it, is above the first; frozen above the second. */
export interface SlowDownSpec {
  /** Whose `delay` the fleet file lists; the one that has it unless said. */
  readonly dependency?: string | undefined;
  readonly windowMs?: number | undefined;
  readonly delayMs?: readonly [number, number] | undefined;
  readonly errorShare?: readonly [number, number] | undefined;
}

/** A people's question. */
export interface GateSpec {
  readonly step: 'gate';
  readonly question: string;
  readonly role: string;
  /** What each answer does. Without them: yes goes on, no goes home. */
  readonly answers: { readonly [answer: string]: GateEffect };
  /** What is shown, and judged again, with the question. */
  readonly fuse?:
    | { readonly outageMs: number; readonly marginMs: number; readonly manner?: Manner | undefined }
    | undefined;
  /** An answer that is older when it is acted upon is asked again, in real milliseconds. */
  readonly freshMs?: number | undefined;
  readonly expiresMs: number;
  readonly onTimeout: 'hold' | 'abort';
  /** May be answered before it is asked, e.g. before the window. */
  readonly ahead?: boolean | undefined;
}
export type GateEffect = 'go-on' | 'ask-again' | 'go-home';

/** Steps done while something is held; whatever ends them, the hold is released, and it has an end of its own. */
export interface HoldSpec {
  readonly step: 'hold';
  readonly hold: ActSpec;
  readonly steps: readonly StepSpec[];
}

/** Steps done under a guard's eyes: while it is tripped or without data, no risk is taken. */
export interface GuardedSpec {
  readonly step: 'guarded';
  readonly guard: GuardSpec;
  readonly steps: readonly StepSpec[];
}

/** See `Guard` of a plan; `onTrip` names a contingency by its title. */
export interface GuardSpec {
  readonly title: string;
  readonly read: GuardRead;
  readonly everyMs: number;
  readonly forMs: number;
  readonly clearForMs: number;
  readonly noDataMs: number;
  readonly onTrip: 'stop' | 'home' | { readonly contingency: string };
}

/** Only in a contingency: wait until the main line has brought the fleet back. */
export interface RejoinSpec {
  readonly step: 'rejoin';
}

/** A recovery branch planned beforehand: previewed and hashed with the plan, run beside the main line when armed. */
export interface ContingencySpec {
  readonly title: string;
  /** A guard is named by its title. */
  readonly when: ArmedBy;
  readonly group: string;
  /** Above this many at once neap suspects its own path first: power disarms until a person re-arms it. */
  readonly suspectAbove: number;
  readonly steps: readonly StepSpec[];
  /** What the main line does when it is through; `return` unless said. */
  readonly afterwards?: 'return' | 'home' | 'end' | undefined;
}
