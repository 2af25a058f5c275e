import type { Failure, GateStep, Json, PlanStep, Rehearsed } from '../model/index.ts';
import type { Place } from './effects.ts';
import type { GuardStanding, Outcome, OverrideClass } from './events.ts';
import type { Freeze } from './window.ts';
import type { Flying } from './flying.ts';

/**
 * Everything that is known of a run: what folding its journal gives. Plain JSON, nested by track, step and wave, so
 * that an event copies one wave and not the fleet.
 */
export interface RunState {
  readonly run: string;
  /** Who must answer for it; what an older journal does not say is null. */
  readonly answerable: {
    readonly by: string;
    readonly host: string;
    readonly user: string | null;
    readonly key: string | null;
    readonly ticket: string | null;
  };
  readonly openedAtMs: number;
  /** Plan time of the last event. */
  readonly nowMs: number;
  /** When the window opened, in plan time; null: it is waited for. */
  readonly begunAtMs: number | null;
  /** By how much the clock on the wall is ahead of plan time, since it was set while the run was under way. */
  readonly skewMs: number;
  /** Freezes as they were read when the run was begun or gone on with; null: as the plan has them. */
  readonly freezes: readonly Freeze[] | null;
  /** Why the calendars could not be read again. */
  readonly freezesUnread: { readonly sinceMs: number; readonly why: string } | null;
  readonly mode: 'forward' | 'home';
  readonly homeWhy: Turn | null;
  readonly halted: boolean;
  /** The main line, the way home, and one for each armed contingency. */
  readonly tracks: readonly Track[];
  /** Servers that the main line no longer counts on; few, or the run is on its way home. */
  readonly out: { readonly [server: string]: Out };
  /** Paths of neap's own that broke: each is one fault, however many servers lie behind it. */
  readonly paths: { readonly [path: string]: { readonly sinceMs: number } };
  readonly fuse: Fuse | null;
  /** The readings while it burns; null: none was made. */
  readonly counting: Counting | null;
  /** What was done about the balancer's page; null: nothing. */
  readonly shed: ShedState | null;
  /** What its rehearsals showed; without it: there was none. */
  readonly rehearsed?: readonly Rehearsed[];
  /** Engines that had the run, in order. */
  readonly engines: readonly { readonly pid: number; readonly host: string; readonly atMs: number }[];
  /** How many servers failed at a step of the main line: its pace falls with each, and never rises again. */
  readonly slowed: { readonly [step: string]: number };
  /** What stops risk (promise 7), besides budget, window and halt. */
  readonly guards: {
    readonly [guard: string]: {
      readonly standing: GuardStanding;
      readonly positive: boolean;
      readonly onsetAtMs: number;
      readonly seen: string;
    };
  };
  readonly mirrorBehind: { readonly sinceMs: number; readonly seen: string } | null;
  /** The journal's disk has no space for more than the way home. */
  readonly short: boolean;
  readonly leaseLost: { readonly sinceMs: number; readonly seen: string } | null;
  /** The journal's head cannot be told outside. */
  readonly anchorLost: { readonly sinceMs: number; readonly seen: string } | null;
  readonly overrides: readonly {
    readonly class: OverrideClass;
    readonly about: string;
    readonly by: string;
    /** For the window: until when it is open instead. */
    readonly untilMs: number | null;
  }[];
  /** Answers that were given before their gate was asked. */
  readonly ahead: {
    readonly [gate: string]: { readonly answer: string; readonly by: string; readonly givenAtMs: number };
  };
  readonly paged: { readonly [key: string]: true };
  /** Effects under way, by id. */
  readonly flying: Flying;
  readonly closed: {
    readonly outcome: Outcome;
    readonly exitCode: number;
    readonly summary: string;
    readonly atMs: number;
  } | null;
}

/** Why the run turned for home. */
export interface Turn {
  readonly code:
    | 'canary'
    | 'drift'
    | 'budget'
    | 'condition'
    | 'gate'
    | 'timeout'
    | 'window'
    | 'freeze'
    | 'guard'
    | 'contingency'
    | 'fuse'
    | 'journal'
    | 'abort';
  readonly why: string;
  /** Taken back is only what came after this step of the main line. */
  readonly to?: string;
}

/** The first expiry that could not be refreshed, by the latest readings. */
export interface Fuse {
  readonly server: string;
  readonly clock: string;
  readonly expiresAtMs: number;
}

/** How the countdown's readings go. */
export interface Counting {
  /** How often clocks were to be read again, and when they were last. */
  readonly counts: number;
  readonly lastAtMs: number;
  /** How many servers were read then, and who could not be. */
  readonly read: number;
  readonly unread: readonly string[];
  /** How the balancer's page stood when it could last be told. */
  readonly edge: 'on' | 'off' | null;
}

/** The balancer's page, since the run first meant to turn it on. */
export interface ShedState {
  /** What is wanted of it now. */
  readonly wanted: 'on' | 'off';
  /** `retry`: tried again at `tryAtMs`; `given-up`: a person must. */
  readonly phase: 'acting' | 'retry' | 'done' | 'given-up';
  /** In this direction, and since when. */
  readonly attempts: number;
  readonly sinceMs: number;
  readonly doneAtMs: number | null;
  readonly tryAtMs: number;
  /** False: it was on before, by somebody else, and is theirs to turn off. */
  readonly ours: boolean;
  readonly failure: Failure | null;
  /** How often the run meant it to be on, and how often it turned it at all, attempts included. */
  readonly times: number;
  readonly turns: number;
}

/** Why a server is out of the main line, and what became of it. */
export interface Out {
  readonly step: string;
  readonly title: string;
  readonly failure: Failure;
  readonly fate: 'undiagnosed' | 'failed' | 'silent' | 'hung' | 'drifted' | 'unknown';
  readonly sinceMs: number;
  /** The contingency track that has it. */
  readonly track: string | null;
  readonly recovered: boolean;
  /** Whether its path, not itself, is at fault: then it is counted with the path. */
  readonly path: string | null;
}

export interface Track {
  readonly id: string;
  /** `doubt`: a person is asked what became of an effect. */
  readonly kind: 'main' | 'home' | 'contingency' | 'doubt';
  /** Draining: nothing new, what is under way ends. */
  readonly status: 'running' | 'draining' | 'stopped' | 'finished';
  readonly cursor: number;
  readonly steps: readonly StepState[];
  readonly renewals: number;
  /** How often something that time had spoilt was done again. */
  readonly redone: number;
  /** For a contingency: whom it is armed for, and which one it is. */
  readonly servers: readonly string[];
  readonly contingency: string | null;
  /** For a doubt: whose, and after how many attempts. */
  readonly about?: { readonly place: Place; readonly attempts: number };
  /** When it was armed; and since when the guard was tripped that did. */
  readonly armedAtMs?: number;
  readonly onsetAtMs?: number;
}

export type StepState = ActState | GateState | WaitState;

export interface ActState {
  readonly step: 'act';
  /** Index into the plan's steps of this track's line. */
  readonly plan: number;
  /** `undo`: this is the way back of that step. */
  readonly does: 'perform' | 'undo';
  readonly wave: number;
  /** Waves that were passed while servers in them wait for a need: one such server keeps nobody else from coming home. */
  readonly behind: readonly number[];
  readonly waves: readonly WaveState[];
  readonly startedAtMs: number | null;
  readonly endedAtMs: number | null;
  readonly lastStartMs: number | null;
  /** Who comes when was decided, by this engine. */
  readonly isScheduled?: true;
  /** When a token of each of its other resources was last spent, by bucket. */
  readonly tokens?: { readonly [bucket: string]: number };
  /** What of its slots' bound it may use now; 0: it is frozen. Without it: all. */
  readonly pace?: { readonly share: number; readonly sinceMs: number; readonly why: string };
}

export interface WaveState {
  readonly targets: { readonly [server: string]: TargetState };
}

/**
 * waiting → looking → ready → acting → acted → confirming → done. `held`: looked at again at `lookAtMs`. `doubt`: an
 * effect began and its outcome is not known.
 */
export interface TargetState {
  readonly phase:
    | 'waiting'
    | 'looking'
    | 'held'
    | 'ready'
    | 'acting'
    | 'acted'
    | 'doubt'
    | 'confirming'
    | 'done'
    | 'failed'
    | 'unknown'
    | 'left';
  readonly looks: number;
  /** Looks in a row that got no answer. */
  readonly misses: number;
  readonly confirms: number;
  readonly attempts: number;
  /** Of these, how many an engine began and did not live to see the end of. */
  readonly lostAttempts: number;
  /** The change that was decided, once it was. For an undo: the change to take back. */
  readonly change: Json;
  readonly decided: boolean;
  /** An effect was intended: something may have changed. */
  readonly dirty: boolean;
  /** Whether it was so before the latest intention. */
  readonly dirtyBefore: boolean;
  /** An engine that is lost may have done it, and the journal does not tell. */
  readonly perhaps: boolean;
  readonly inDoubt: boolean;
  readonly sinceMs: number | null;
  /** Since when the way to it is broken. */
  readonly pathSinceMs: number | null;
  readonly soakUntilMs: number | null;
  readonly lookAtMs: number | null;
  /** Since when something that it needs is unmet. */
  readonly heldSinceMs: number | null;
  readonly readings: Json;
  /** Why it is held, or why it failed. */
  readonly failure: Failure | null;
  /** Its place among those that wait for a slot; without one, the order of the wave. */
  readonly turn?: number;
}

export interface GateState {
  readonly step: 'gate';
  readonly plan: number;
  /** A gate that is not in the plan's line: power is disarmed. */
  readonly gate: GateStep | null;
  readonly phase: 'waiting' | 'asked' | 'answered' | 'passed' | 'refused';
  readonly asks: number;
  /** How often an answer had become too old when it was acted upon: the next one can come before it is asked again. */
  readonly passes: number;
  /** Not asked before this instant: "not yet" is given some time. */
  readonly askAtMs: number;
  readonly askedAtMs: number | null;
  readonly answer: {
    readonly answer: string;
    readonly by: string;
    readonly givenAtMs: number;
    readonly atMs: number;
  } | null;
  readonly note: string | null;
}

export interface WaitState {
  readonly step: 'rejoin';
  readonly plan: number;
}

export const FRESH_TARGET: TargetState = {
  phase: 'waiting',
  looks: 0,
  misses: 0,
  confirms: 0,
  attempts: 0,
  lostAttempts: 0,
  change: null,
  decided: false,
  dirty: false,
  dirtyBefore: false,
  perhaps: false,
  inDoubt: false,
  sinceMs: null,
  pathSinceMs: null,
  soakUntilMs: null,
  lookAtMs: null,
  heldSinceMs: null,
  readings: null,
  failure: null,
};

export function isSettled(target: TargetState): boolean {
  return target.phase === 'done' || target.phase === 'failed' || target.phase === 'unknown' || target.phase === 'left';
}

/** Something is under way on it that must end before the run can turn round. */
export function isFlying(target: TargetState): boolean {
  return target.phase === 'looking' || target.phase === 'acting' || target.phase === 'confirming';
}

/** A fresh state for one step of a line. */
export function freshStep(step: PlanStep, plan: number, waves: readonly (readonly string[])[]): StepState {
  if (step.step === 'gate') return freshGate(plan, null);
  if (step.step === 'rejoin') return { step: 'rejoin', plan };
  return {
    step: 'act',
    plan,
    does: step.releases === null && step.undoes === null ? 'perform' : 'undo',
    wave: 0,
    behind: [],
    waves: waves.map((wave) => ({ targets: Object.fromEntries(wave.map((server) => [server, FRESH_TARGET])) })),
    startedAtMs: null,
    endedAtMs: null,
    lastStartMs: null,
  };
}

export function freshGate(plan: number, gate: GateStep | null): GateState {
  return {
    step: 'gate',
    plan,
    gate,
    phase: 'waiting',
    asks: 0,
    passes: 0,
    askAtMs: 0,
    askedAtMs: null,
    answer: null,
    note: null,
  };
}
