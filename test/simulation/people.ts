import { gateOf, type Effect, type Machine, type RunEvent, type RunState } from '../../src/run/index.ts';
import type { Chance } from '../support/chance.ts';
import type { Agenda } from './agenda.ts';
import type { World } from './world.ts';

export interface PeopleInput {
  readonly world: World;
  readonly agenda: Agenda;
  readonly chance: Chance;
  readonly machine: Machine;
  readonly calmAtMs: number;
  readonly state: () => RunState;
  /** Says something to whichever engine lives; it is lost when none does. */
  readonly say: (event: RunEvent) => void;
}

/** Whoever answers gates: late, twice, wrongly, from old screens. When the world is calm they answer well, and soon. */
export class People {
  readonly #in: PeopleInput;

  constructor(input: PeopleInput) {
    this.#in = input;
  }

  /** A gate is asked: somebody will answer, sooner or later. */
  asked(effect: Extract<Effect, { effect: 'ask' }>): void {
    const { agenda, chance } = this.#in;
    const calm = agenda.nowMs >= this.#in.calmAtMs;
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

  #remind(effect: Extract<Effect, { effect: 'ask' }>): void {
    const { agenda } = this.#in;
    agenda.put(agenda.nowMs + 1_200_000, null, () => {
      const open = this.#in.state().tracks.some((track) => gateOf(track, this.#in.machine.index)?.id === effect.gate);
      if (!open || this.#in.state().closed) return;
      this.#answer(effect.gate, 1_000, () => this.#word(effect), 0);
      this.#remind(effect);
    });
  }

  #answer(gate: string, afterMs: number, word: () => string, oldMs: number): void {
    const { agenda } = this.#in;
    agenda.put(agenda.nowMs + afterMs, null, () => {
      const answer = word();
      this.#in.say({ type: 'answered', gate, answer, by: 'somebody', givenAtMs: agenda.nowMs - oldMs });
    });
  }

  #word({ gate, track }: Extract<Effect, { effect: 'ask' }>): string {
    const { agenda, chance, world, machine } = this.#in;
    const own = this.#in.state().tracks.find(({ id }) => id === track);
    const open = own && gateOf(own, machine.index);
    if (!open || open.id !== gate) return 'yes';
    const words = Object.entries(open.step.answers);
    const saying = (wanted: string): string | undefined => words.find(([, does]) => does === wanted)?.[0];
    const calm = agenda.nowMs >= this.#in.calmAtMs;
    if (!calm && chance.happens(0.06)) return saying('go-home') ?? 'no';
    const later = saying('ask-again');
    if (later !== undefined && !world.databaseUp && chance.happens(0.85)) return later;
    const answer = saying('go-on') ?? 'yes';
    if (open.step.fuse !== null && !calm) this.#startWork(open.step.fuse.outageMs);
    return answer;
  }

  /** The hardware work: the database goes away, and mostly it comes back in time. */
  #startWork(outageMs: number): void {
    const { agenda, chance, world } = this.#in;
    const startMs = agenda.nowMs + chance.whole(1_000, 20_000);
    const lasts = chance.happens(0.15) ? chance.whole(300_000, 1_500_000) : chance.whole(20_000, outageMs);
    agenda.put(startMs, null, () => {
      if (agenda.nowMs < this.#in.calmAtMs) world.databaseUp = false;
    });
    agenda.put(startMs + lasts, null, () => {
      world.databaseUp = true;
    });
  }
}
