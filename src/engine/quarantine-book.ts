import type { Plan } from '../model/index.ts';
import { awayOf, keptOut, provenBack, type PlanIndex, type RunState } from '../run/index.ts';
import { endQuarantine, keepInQuarantine, listQuarantine, type Quarantined } from './quarantine.ts';

export interface BookInput {
  readonly stateDir: string;
  readonly run: string;
  readonly plan: Plan;
  readonly index: PlanIndex;
  /** Called with what could not be written. */
  readonly failed: (error: unknown) => void;
}

/**
 * Keeps the records of quarantine in step with one run: whoever it keeps out is in them as soon as that is decided, so
 * that an engine that dies leaves them, and whoever it proves and gives traffic leaves them at its end.
 */
export class QuarantineBook {
  readonly #in: BookInput;
  #before = '';
  #writing: Promise<void> = Promise.resolve();

  constructor(input: BookInput) {
    this.#in = input;
  }

  /** Follows the run's state; writes only when somebody came or went. */
  follow(state: RunState): void {
    const kept = keptOut(state, this.#in.index);
    const now = JSON.stringify([
      kept.map((server) => [server, awayOf(state, this.#in.index, server)]),
      state.closed !== null,
    ]);
    if (now === this.#before) return;
    this.#before = now;
    this.#writing = this.#writing.then(() => this.#write(state, kept)).catch(this.#in.failed);
  }

  /** Resolves when all that was followed is on disk, or was said to have failed. */
  settled(): Promise<void> {
    return this.#writing;
  }

  async #write(state: RunState, kept: readonly string[]): Promise<void> {
    const { stateDir, run, plan, index } = this.#in;
    const fleet = plan.header.fleet.name;
    for (const server of kept) {
      const out = state.out[server];
      await keepInQuarantine(stateDir, {
        fleet,
        server,
        run,
        sinceMs: out?.sinceMs ?? state.openedAtMs,
        why: out === undefined ? 'its state is not proven' : `${out.failure.what}, at "${out.title}"`,
        out: awayOf(state, index, server) === 'out',
      });
    }
    for (const each of leftOut(plan, run, state)) await keepInQuarantine(stateDir, each);
    if (state.closed === null) return;
    const back = new Set(provenBack(state, index));
    for (const each of await listQuarantine(stateDir, fleet)) {
      const returned = each.run === run && !kept.includes(each.server) && !isLeftOut(plan, each.server);
      if (returned || back.has(each.server)) await endQuarantine(stateDir, each);
    }
  }
}

/** Whoever was left out of a change by name has not had it: it comes back by being proven, too. */
function leftOut({ header }: Plan, run: string, { openedAtMs }: RunState): Quarantined[] {
  const takes = header.steps.some((step) => step.step === 'act' && step.nature === 'risk');
  if (!takes || header.rollbackOf !== null) return [];
  return header.except.map(({ server, reason }) => ({
    fleet: header.fleet.name,
    server,
    run,
    sinceMs: openedAtMs,
    why: `left out of the run: ${reason}`,
    out: true,
  }));
}

function isLeftOut({ header }: Plan, server: string): boolean {
  return header.except.some((each) => each.server === server);
}
