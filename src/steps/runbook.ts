import {
  FailureError,
  type ActSpec,
  type ContingencySpec,
  type GateEffect,
  type GateSpec,
  type GroupsOf,
  type HoldSpec,
  type Manner,
  type Reach,
  type RejoinSpec,
  type Runbook,
  type SlotSpec,
  type StepSpec,
  type Targets,
  type WaveSpec,
  type Way,
} from '../model/index.ts';
import type { z } from 'zod';

/** How long a gate stays open when the runbook does not say: two hours, in plan time. */
const GATE_EXPIRES_MS = 2 * 60 * 60_000;

/**
 * A runbook: which groups it speaks of, what it asks, and its steps. It is called once to make a plan and describes
 * only; unknown inputs and wrong types are errors before anything is contacted.
 */
export function defineRunbook<const R extends Reach, I extends z.ZodType>(runbook: Runbook<R, I>): Runbook<R, I> {
  return runbook;
}

/** The first `count` servers by name: the canary. */
export function first<W extends Way>(targets: Targets<W>, count: number): Targets<W> {
  return part(targets, { of: 'first', count });
}

/** All servers but the first `count`. */
export function rest<W extends Way>(targets: Targets<W>, count: number): Targets<W> {
  return part(targets, { of: 'rest', count });
}

function part<W extends Way>(targets: Targets<W>, wanted: Targets<W>['part']): Targets<W> {
  if (targets.part.of !== 'all') {
    throw new FailureError({
      kind: 'condition',
      what: `a part of a part of group ${targets.group} is asked for`,
      where: 'runbook',
      state: 'Nothing was contacted',
      remedy: 'Take first() or rest() of a whole group',
    });
  }
  return { group: targets.group, part: wanted };
}

/** Goes through a step's servers in waves of at most `atMost`. */
export function inWaves(waves: WaveSpec, step: ActSpec): ActSpec {
  return { ...step, waves };
}

/** Starts a step on one server after another, in slots under a fraction of what a dependency can serve. */
export function inSlots(slots: SlotSpec, step: ActSpec): ActSpec {
  return { ...step, slots };
}

/** Starts a step on at most so many servers a minute. */
export function atRate({ perMinute }: { readonly perMinute: number }, step: ActSpec): ActSpec {
  return { ...step, slots: { perSecond: perMinute / 60, fraction: 1 } };
}

/** A person is asked before this step is taken back: on the way home, and in a rollback. Whoever says no leaves it as it is. */
export function askBeforeUndo(step: ActSpec): ActSpec {
  return { ...step, askBeforeUndo: true };
}

/** Holds something while steps are done. It is released whatever ends them, and ends by itself if neap cannot. */
export function holding(hold: ActSpec, steps: readonly StepSpec[]): HoldSpec {
  return { step: 'hold', hold, steps };
}

export interface GateOptions {
  readonly role: string;
  readonly onTimeout: 'hold' | 'abort';
  readonly expiresMs?: number;
  readonly freshMs?: number;
  /** `manner`: whether the dependency will `refuse`, `drop` or `hang` after accepting; the worst of them unless said. */
  readonly fuse?: { readonly outageMs: number; readonly marginMs: number; readonly manner?: Manner };
  /** May be answered before it is asked, e.g. before the window; a contingency's gates always may. */
  readonly ahead?: boolean;
}

/** Asks a person of that role whether to go on. `no` goes home. */
export function gate(asked: string, options: GateOptions): GateSpec {
  return question(asked, { ...options, answers: { yes: 'go-on', no: 'go-home' } });
}

/** Asks a person of that role, with answers of its own. */
export function question(
  asked: string,
  options: GateOptions & { readonly answers: { readonly [answer: string]: GateEffect } },
): GateSpec {
  return {
    step: 'gate',
    question: asked,
    role: options.role,
    answers: options.answers,
    fuse: options.fuse,
    freshMs: options.freshMs,
    expiresMs: options.expiresMs ?? GATE_EXPIRES_MS,
    onTimeout: options.onTimeout,
    ahead: options.ahead,
  };
}

/** In a contingency: wait until the main line has brought the fleet back (or home). */
export function whenFleetIsBack(): RejoinSpec {
  return { step: 'rejoin' };
}

/** What is done with servers that are found hung, beside the main line. */
export function whenHung<W extends Way>(
  targets: Targets<W>,
  options: { readonly title: string; readonly suspectAbove: number },
  steps: (hung: Targets<W>) => readonly StepSpec[],
): ContingencySpec {
  return {
    title: options.title,
    when: 'hung',
    group: targets.group,
    suspectAbove: options.suspectAbove,
    steps: steps({ group: targets.group, part: { of: 'armed' } }),
  };
}

/** What the main line does when a contingency is through: goes on (`return`), goes home, or ends where it stands. */
export interface SummonedOptions {
  readonly title: string;
  /** `return` unless said. */
  readonly afterwards?: ContingencySpec['afterwards'];
}

/**
 * What is done with a group's servers when a reading trips the guard of that title; until it is through the main line
 * takes nothing. A person can arm it too.
 */
export function whenGuard<W extends Way>(
  targets: Targets<W>,
  options: SummonedOptions & { readonly guard: string },
  steps: (armed: Targets<W>) => readonly StepSpec[],
): ContingencySpec {
  return summoned(targets, options, { guard: options.guard }, steps);
}

/** What is done with a group's servers, or with some of them, when a person arms it; until it is through the main line takes nothing. */
export function byHand<W extends Way>(
  targets: Targets<W>,
  options: SummonedOptions,
  steps: (armed: Targets<W>) => readonly StepSpec[],
): ContingencySpec {
  return summoned(targets, options, 'hand', steps);
}

function summoned<W extends Way>(
  { group }: Targets<W>,
  { title, afterwards }: SummonedOptions,
  when: ContingencySpec['when'],
  steps: (armed: Targets<W>) => readonly StepSpec[],
): ContingencySpec {
  const armed: Targets<W> = { group, part: { of: 'armed' } };
  return { title, when, group, suspectAbove: Number.MAX_SAFE_INTEGER, steps: steps(armed), afterwards };
}

/** The groups that a runbook's `steps` is called with. */
export function groupsOf<R extends Reach>(reach: R): GroupsOf<R> {
  return Object.fromEntries(
    Object.keys(reach).map((group) => [group, { group, part: { of: 'all' } }]),
  ) as unknown as GroupsOf<R>;
}
