import type { z } from 'zod';
import type { ActSpec, EarlierChange, Json, Targets, Way } from '../model/index.ts';
import type { KindDefinition, StepKind } from '../ports/index.ts';

/** An input with nothing in it: what a runbook may leave out. */
type Empty = { readonly [name in never]: unknown };

/** A step kind that a runbook calls: `offlineMode(api, { on: true })`. The input may be left out where all of it has defaults. */
export interface Step<W extends Way, I extends z.ZodType> {
  (targets: Targets<W>, ...input: Empty extends z.input<I> ? [input?: z.input<I>] : [input: z.input<I>]): ActSpec;
  readonly kind: StepKind;
}

/**
 * Defines a step kind.
 *
 * - `pinned` and `readings` are the two sorts of facts that `observe` gives: `decide` sees only the former, `judge` only the latter.
 * - `perform` does what `change` says; `confirm` reads again, and only its word makes a step done.
 * - `back` is required: `{ undo }`, or `{ irreversible: why }`, or `{ nothing: true }` for a kind which changes nothing that could be taken back.
 *
 * Throws ZodError when a runbook calls it with an input that its schema refuses.
 */
export function defineStep<
  W extends Way,
  I extends z.ZodType,
  P extends z.ZodType,
  R extends z.ZodType,
  C extends z.ZodType,
>(definition: KindDefinition<W, I, P, R, C>): Step<W, I> {
  const { back, ...rest } = definition;
  // One cast, here: outside, a kind's own types never meet another kind's, because schemas guard every border.
  const kind = {
    ...rest,
    undo: back.undo,
    undoNeeds: 'undo' in back && back.undo !== undefined && 'needs' in back ? back.needs : undefined,
    noWayBack: 'undo' in back && back.undo !== undefined && 'unless' in back ? back.unless : undefined,
    irreversible: 'irreversible' in back ? back.irreversible : undefined,
    leavesNothing: 'nothing' in back,
  } as unknown as StepKind;
  const call = (targets: Targets<W>, ...[input]: readonly [input?: unknown]): ActSpec => ({
    step: 'act',
    kind,
    targets: { group: targets.group, part: targets.part },
    // What is left out and what is given as undefined are the same in a plan.
    input: JSON.parse(JSON.stringify(definition.input.parse(input ?? {}))) as Json,
  });
  return Object.assign(call, { kind });
}

/**
 * How a change of an earlier version is read: `schema` as it was then, and `upgrade` to what today's version writes.
 * A kind whose change gets another shape rises its version and keeps the former one here, so that what was done is undone.
 */
export function earlier<S extends z.ZodType, C>(schema: S, upgrade: (change: z.output<S>) => C): EarlierChange<C> {
  return { schema, upgrade };
}
