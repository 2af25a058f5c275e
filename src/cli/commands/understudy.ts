import { tellLab, type LabCommand } from '../../lab/index.ts';
import { gateOf, type RunState, type Stamped } from '../../run/index.ts';
import type { Session } from '../session.ts';

/** The server that hangs on the way: not the canary. */
const HANGS = 'api-07';
/** How long the database is away, in plan milliseconds: within the planned 60 s. */
const AWAY_MS = 50_000;

/**
 * Plays, in the demo, everybody who is not neap: the server that hangs while the canary is soaked, and the
 * database's engineers, who take it away once they may and bring it back. As `approver` it also answers the gates.
 */
export class Understudy {
  readonly #lab: { readonly stateDir: string; readonly name: string };
  readonly #approver: string | null;
  readonly #early: RunState[] = [];
  #session: Session | null = null;
  #hung = false;
  #back: Promise<void> | null = null;
  readonly #answered = new Set<string>();

  constructor(lab: { readonly stateDir: string; readonly name: string }, approver: string | null) {
    this.#lab = lab;
    this.#approver = approver;
  }

  begin(session: Session): void {
    this.#session = session;
    const last = this.#early.at(-1);
    if (last) this.#follow(last);
  }

  see(_event: Stamped, state: RunState): void {
    if (this.#session) this.#follow(state);
    else this.#early.push(state);
  }

  #follow(state: RunState): void {
    const session = this.#session;
    if (!session) return;
    const main = state.tracks[0];
    const line = session.plan.header.steps;
    const at = main ? line[main.cursor] : undefined;
    if (!this.#hung && at?.step === 'act' && at.soakMs > 0) {
      this.#hung = true;
      void this.#tell({ tell: 'hang', server: HANGS });
    }
    const started = main?.steps.some(
      (step, position) => step.step === 'gate' && step.phase === 'passed' && gateAsksForFuse(session, position),
    );
    if (started && this.#back === null) this.#back = this.#outage(session);
    if (this.#approver !== null) this.#answer(session, state, this.#approver);
  }

  async #outage(session: Session): Promise<void> {
    await this.#tell({ tell: 'database', state: 'away' });
    await session.clock.sleepUntil(session.clock.nowMs() + AWAY_MS);
    await this.#tell({ tell: 'database', state: 'back' });
  }

  #answer(session: Session, state: RunState, by: string): void {
    for (const track of state.tracks) {
      const gate = gateOf(track, session.machine.index);
      const key = `${gate?.id} ${gate?.state.asks}`;
      if (gate?.state.phase !== 'asked' || this.#answered.has(key)) continue;
      this.#answered.add(key);
      const yes = Object.entries(gate.step.answers).find(([, does]) => does === 'go-on')?.[0] ?? 'yes';
      const { id } = gate;
      // Whoever is asked whether the work is done looks first; the others answer at once.
      const looks = gate.step.role === 'database' && gate.step.fuse === null;
      void (looks ? (this.#back ?? Promise.resolve()) : Promise.resolve()).then(() =>
        session.ask({ ask: 'answer', gate: id, answer: yes, by, givenAtMs: session.clock.nowMs() }),
      );
    }
  }

  async #tell(command: LabCommand): Promise<void> {
    await tellLab(this.#lab, command);
  }
}

function gateAsksForFuse(session: Session, position: number): boolean {
  const step = session.plan.header.steps[position];
  return step?.step === 'gate' && step.fuse !== null;
}
