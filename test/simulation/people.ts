import type { Host } from '../../src/engine/host.ts';
import { gateOf, type Effect, type Machine, type RunState } from '../../src/run/index.ts';
import type { Chance } from '../support/chance.ts';
import type { Agenda } from './agenda.ts';
import type { World } from './world.ts';

type Ask = Extract<Effect, { effect: 'ask' }>;

export interface PeopleInput {
  readonly world: World;
  readonly agenda: Agenda;
  readonly chance: Chance;
  readonly machine: Machine;
  /** From here on they answer well, and soon. */
  readonly calmAtMs: number;
  readonly state: () => RunState;
  /** Says something to whichever engine lives; it is lost when none does. */
  readonly say: (work: (host: Host) => void) => void;
}

/** Whoever answers gates: late, twice, wrongly, ahead, from old screens. When the world is calm they answer well, and soon. */
export class People {
  readonly #in: PeopleInput;

  constructor(input: PeopleInput) {
    this.#in = input;
  }

  get #isCalm(): boolean {
    return this.#in.agenda.nowMs >= this.#in.calmAtMs;
  }

  /** A gate is asked: somebody will answer, sooner or later. */
  asked(effect: Ask): void {
    const { chance } = this.#in;
    const calm = this.#isCalm;
    const afterMs = calm || chance.happens(0.8) ? chance.whole(1_000, 40_000) : chance.whole(60_000, 900_000);
    if (!calm && chance.happens(0.1)) this.#answer(effect.gate, afterMs / 2, () => 'perhaps', 0);
    if (!calm && chance.happens(0.1)) this.#answer('no-such-gate', afterMs / 2, () => 'yes', 0);
    const stale = !calm && chance.happens(0.1);
    this.#answer(effect.gate, afterMs, () => this.#word(effect), stale ? chance.whole(20_000, 120_000) : 0);
    if (!calm && chance.happens(0.15))
      this.#answer(effect.gate, afterMs + chance.whole(0, 5_000), () => this.#word(effect), 0);
    // Nobody forgets for ever: while the gate is open, somebody comes back to it.
    this.#remind(effect);
  }

  #remind(effect: Ask): void {
    const { agenda } = this.#in;
    agenda.put(agenda.nowMs + 1_200_000, null, () => {
      const open = this.#in.state().tracks.some((track) => gateOf(track, this.#in.machine.index)?.id === effect.gate);
      if (!open || this.#in.state().closed) return;
      this.#answer(effect.gate, 1_000, () => this.#word(effect), 0);
      this.#remind(effect);
    });
  }

  /** Mostly by the engine's own door, which refuses nonsense; sometimes as it lies in an older journal, which does not. */
  #answer(gate: string, afterMs: number, word: () => string, oldMs: number): void {
    const { agenda, chance } = this.#in;
    const checked = chance.happens(0.8);
    agenda.put(agenda.nowMs + afterMs, null, () => {
      const answer = word();
      const givenAtMs = agenda.nowMs - oldMs;
      const by = 'somebody';
      this.#in.say((host) => {
        if (checked) host.request({ ask: 'answer', id: 1, gate, answer, by, givenAtMs }, by);
        else host.tell({ type: 'answered', gate, answer, by, givenAtMs });
      });
    });
  }

  #word({ gate, track }: Ask): string {
    const { chance, world, machine } = this.#in;
    const own = this.#in.state().tracks.find(({ id }) => id === track);
    const open = own && gateOf(own, machine.index);
    if (!open || open.id !== gate) return 'yes';
    const words = Object.entries(open.step.answers);
    const saying = (wanted: string): string | undefined => words.find(([, does]) => does === wanted)?.[0];
    if (!this.#isCalm && chance.happens(0.06)) return saying('go-home') ?? 'no';
    const later = saying('ask-again');
    if (later !== undefined && !world.databaseUp && chance.happens(0.85)) return later;
    const answer = saying('go-on') ?? 'yes';
    if (open.step.fuse !== null && !this.#isCalm) this.#startWork(open.step.fuse.outageMs);
    return answer;
  }

  /** The hardware work: the database goes away, and mostly it comes back in time. */
  #startWork(outageMs: number): void {
    const { agenda, chance, world } = this.#in;
    const startMs = agenda.nowMs + chance.whole(1_000, 20_000);
    const lasts = chance.happens(0.15) ? chance.whole(300_000, 1_500_000) : chance.whole(20_000, outageMs);
    agenda.put(startMs, null, () => {
      if (!this.#isCalm) world.databaseUp = false;
    });
    agenda.put(startMs + lasts, null, () => {
      world.databaseUp = true;
    });
  }
}
