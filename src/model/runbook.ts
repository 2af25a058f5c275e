import type { z } from 'zod';
import type { Way } from './fleet.ts';
import type { Json } from './json.ts';
import type { Decider, TargetPart, Targets } from './kind.ts';

/** A runbook describes; it never acts. What it says becomes a plan, and only a plan is run. */
export interface Runbook<R extends Reach = Reach, I extends z.ZodType = z.ZodType> {
  readonly title: string;
  /** Which groups it speaks of, and how their servers must be reachable. */
  readonly reach: R;
  readonly inputs: I;
  /** How many servers may fail, in the whole run, before no more risk is taken. */
  readonly budget: { readonly failures: number };
  /** How long the window is at most, from the start of the run, in plan milliseconds. */
  readonly window: { readonly limitMs: number };
  readonly steps: (groups: GroupsOf<R>, inputs: z.output<I>) => readonly StepSpec[];
  readonly contingencies?: ((groups: GroupsOf<R>, inputs: z.output<I>) => readonly ContingencySpec[]) | undefined;
}

export type Reach = { readonly [group: string]: readonly Way[] };
export type GroupsOf<R extends Reach> = { readonly [G in keyof R]: Targets<R[G][number]> };

/** One line of a runbook. */
export type StepSpec = ActSpec | GateSpec | HoldSpec | RejoinSpec;

/** A kind on targets. */
export interface ActSpec {
  readonly step: 'act';
  readonly kind: Decider;
  readonly targets: { readonly group: string; readonly part: TargetPart };
  readonly input: Json;
  readonly waves?: WaveSpec | undefined;
  readonly slots?: SlotSpec | undefined;
}

/** How a step goes through its targets. Every wave is cut to `atMost`; a canary larger than that is refused. */
export interface WaveSpec {
  readonly canary?: number | undefined;
  /** `domain`: no wave takes servers of two failure domains while one is enough. */
  readonly by?: 'domain' | undefined;
  readonly atMost: number;
}

/** Starts at most `fraction` of `perSecond`: the rule is in the plan, the slots are a forecast. */
export interface SlotSpec {
  readonly perSecond: number;
  readonly fraction: number;
}

/** A people's question. */
export interface GateSpec {
  readonly step: 'gate';
  readonly question: string;
  readonly role: string;
  /** What each answer does. Without them: yes goes on, no goes home. */
  readonly answers: { readonly [answer: string]: GateEffect };
  /** What is shown, and judged again, with the question. */
  readonly fuse?: { readonly outageMs: number; readonly marginMs: number } | undefined;
  /** An answer that is older when it is acted upon is asked again, in real milliseconds. */
  readonly freshMs?: number | undefined;
  readonly expiresMs: number;
  readonly onTimeout: 'hold' | 'abort';
}
export type GateEffect = 'go-on' | 'ask-again' | 'go-home';

/** Steps done while something is held; whatever ends them, the hold is released, and it has an end of its own. */
export interface HoldSpec {
  readonly step: 'hold';
  readonly hold: ActSpec;
  readonly steps: readonly StepSpec[];
}

/** Only in a contingency: wait until the main line has brought the fleet back. */
export interface RejoinSpec {
  readonly step: 'rejoin';
}

/** A recovery branch planned beforehand: previewed and hashed with the plan, run beside the main line when armed. */
export interface ContingencySpec {
  readonly title: string;
  readonly when: 'hung';
  readonly group: string;
  /** Above this many at once neap suspects its own path first: power disarms until a person re-arms it. */
  readonly suspectAbove: number;
  readonly steps: readonly StepSpec[];
}
