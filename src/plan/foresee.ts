import type { ActStep, Aspect, Decider, Failure, Json, PlanVerdict } from '../model/index.ts';

/**
 * What can be foretold about one server, step after step. Whoever observes asks `foresee` first: a step that reads
 * what an earlier pending step alters is not observed at all.
 */
export interface Foresight {
  /** The last pending step that alters each aspect. */
  readonly pending: Readonly<Partial<Record<Aspect, string>>>;
  readonly verdicts: Readonly<Record<string, PlanVerdict>>;
  /** Left to a contingency: no later step of the main line is for it. */
  readonly left: string | null;
  /** What it read for each step that was observed: for forecasts, never for a verdict. */
  readonly readings?: Readonly<Record<string, unknown>>;
}

export const NOTHING_FORESEEN: Foresight = { pending: {}, verdicts: {}, left: null };

/** What one server told about one step: facts, or a failure with the server's condition. */
export type Told =
  | { readonly pinned: unknown; readonly readings: unknown }
  | { readonly failure: Failure; readonly hung: boolean };

/** Whether the server must be read for this step; if not, its verdict is known already. */
export function foresee(foresight: Foresight, step: ActStep, kind: Decider): 'observe' | PlanVerdict {
  if (foresight.left !== null) return { verdict: 'contingency', contingency: foresight.left };
  if (step.releases !== null) return { verdict: 'unknown', untilStep: step.releases };
  const until = kind.reads.map((aspect) => foresight.pending[aspect]).filter((id) => id !== undefined);
  const latest = until.toSorted((a, b) => Number(b) - Number(a))[0];
  return latest === undefined ? 'observe' : { verdict: 'unknown', untilStep: latest };
}

/** Takes in a verdict that `foresee` gave. */
export function remember(foresight: Foresight, step: ActStep, kind: Decider, verdict: PlanVerdict): Foresight {
  const alters = verdict.verdict === 'change' || verdict.verdict === 'unknown' ? kind.alters : [];
  return {
    pending: { ...foresight.pending, ...Object.fromEntries(alters.map((aspect) => [aspect, step.id])) },
    verdicts: { ...foresight.verdicts, [step.id]: verdict },
    left: verdict.verdict === 'contingency' ? verdict.contingency : foresight.left,
    ...(foresight.readings ? { readings: foresight.readings } : {}),
  };
}

/** Takes in what the server told. `contingency` is the one that stands ready for it when it is hung. */
export function learn(
  foresight: Foresight,
  step: ActStep,
  kind: Decider,
  told: Told,
  contingency: string | null,
): Foresight {
  const learnt = remember(foresight, step, kind, verdictOf(foresight, step, kind, told, contingency));
  if ('failure' in told) return learnt;
  return { ...learnt, readings: { ...foresight.readings, [step.id]: told.readings } };
}

function verdictOf(
  foresight: Foresight,
  step: ActStep,
  kind: Decider,
  told: Told,
  contingency: string | null,
): PlanVerdict {
  if ('failure' in told) {
    const reset = foresight.pending.power;
    // A server that an earlier step will reset is silent now, and that says nothing about then.
    if (reset !== undefined) return { verdict: 'unknown', untilStep: reset };
    if (told.hung && contingency !== null) return { verdict: 'contingency', contingency };
    return { verdict: 'failed', failure: told.failure };
  }
  const input = kind.input.parse(step.input) as never;
  const decided = kind.decide(kind.pinned.parse(told.pinned) as never, input);
  if (kind.judge && kind.judgeInPreview) {
    const condition = kind.judge(kind.readings.parse(told.readings) as never, input);
    if (!condition.holds)
      return { verdict: 'refused', why: condition.why, remedy: 'Mend it, or leave the server out with --except' };
  }
  return decided.verdict === 'change'
    ? { verdict: 'change', change: kind.change.parse(decided.change) as Json as never, diff: [...decided.diff] }
    : decided;
}
