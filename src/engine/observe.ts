import { FailureError, type ActStep, type Server } from '../model/index.ts';
import { foresee, learn, NOTHING_FORESEEN, remember, type Foresight, type Outline, type Told } from '../plan/index.ts';
import type { ExpectedFile, Reader, StepContext, StepKind } from '../ports/index.ts';
import { conditionOf } from '../steps/index.ts';

export interface ObserveInput {
  readonly outline: Outline;
  readonly server: Server;
  readonly read: Reader;
  readonly expected: readonly ExpectedFile[];
  readonly nowMs: () => number;
}

/**
 * Reads one server for every step of an outline that can be foretold: by a Reader, so nothing is written. One that
 * does not answer is looked at from every side once, and not asked again by later steps.
 */
export async function observeServer({ outline, server, read, expected, nowMs }: ObserveInput): Promise<Foresight> {
  let foresight = NOTHING_FORESEEN;
  let dead: Extract<Told, { failure: unknown }> | null = null;
  const contingency =
    outline.contingencies.find(({ spec }) => spec.when === 'hung' && spec.group === server.group)?.id ?? null;
  for (const step of outline.steps) {
    if (step.step !== 'act' || !step.waves.some((wave) => wave.includes(server.name))) continue;
    const kind = outline.kinds.get(step.id) as StepKind;
    const foreseen = foresee(foresight, step, kind);
    if (foreseen !== 'observe') {
      foresight = remember(foresight, step, kind, foreseen);
      continue;
    }
    const context: StepContext = { expected, nowMs: nowMs(), sinceMs: nowMs(), priorBootId: null, keep: '' };
    const told: Told =
      dead !== null && kind.reach.includes('ssh') ? dead : await tell(step, kind, server, read, context);
    if ('failure' in told && told.failure.kind !== 'output' && told.failure.kind !== 'command') dead = told;
    foresight = learn(foresight, step, kind, told, contingency);
  }
  return foresight;
}

async function tell(step: ActStep, kind: StepKind, server: Server, read: Reader, context: StepContext): Promise<Told> {
  try {
    return await kind.observe(server, kind.input.parse(step.input) as never, read, context);
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    const silent =
      error.failure.kind === 'unreachable' || error.failure.kind === 'timeout' || error.failure.kind === 'lost';
    return { failure: error.failure, hung: silent && conditionOf(await read.vitals()) === 'hung' };
  }
}
