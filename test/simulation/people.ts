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
  /** By how much the engine's plan time is ahead of the world's: their clocks say what its does. */
  readonly skewMs: () => number;
  /** Says something to whichever engine lives; it is lost when none does. */
  readonly say: (work: (host: Host) => void) => void;
}

/** So often somebody insists. */
const SAID_MAX = 100;

/** Whoever answers gates: late, twice, wrongly, ahead, from old screens. When the world is calm they answer well, and soon. */
export class People {
  readonly #in: PeopleInput;
  /** How often somebody said of a server that it was done. */
  readonly #said = new Map<string, number>();

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

  /** Somebody arms what is to be armed by hand, for all or for some. */
  arm(): void {
    const { chance, machine } = this.#in;
    const { contingencies } = machine.index.plan.header;
    if (contingencies.length === 0) return;
    const contingency = chance.pick(contingencies).id;
    const servers = machine.index.plan.slices.flatMap((slice) => slice.servers.map(({ name }) => name));
    const only = chance.happens(0.5) ? null : servers.filter(() => chance.happens(0.4));
    const words = { ask: 'arm', id: 1, contingency, only, by: 'somebody', reason: 'load' } as const;
    this.#in.say((host) => host.request(words, 'somebody'));
  }

  /** Enough: all the way home, or back to behind some step. */
  abort(part: boolean): void {
    const { chance, machine } = this.#in;
    const words = { ask: 'abort', id: 1, by: 'somebody', reason: 'enough' } as const;
    const to = part ? chance.pick(machine.index.plan.header.steps).id : undefined;
    this.#in.say((host) => host.request(to === undefined ? words : { ...words, to }, 'somebody'));
  }

  /** Something is in the way of risk: some people decide against it, and all who are called at night are asked. */
  paged(): void {
    const { agenda, chance } = this.#in;
    if (this.#isCalm || !chance.happens(0.3)) return;
    const sort = chance.pick(['freeze', 'guard', 'mirror', 'window'] as const);
    const untilMs = sort === 'window' ? agenda.nowMs + chance.whole(60_000, 3_600_000) : null;
    const words = {
      ask: 'override',
      id: 1,
      class: sort,
      about: null,
      untilMs,
      by: 'somebody',
      reason: 'known',
    } as const;
    agenda.put(agenda.nowMs + chance.whole(1_000, 60_000), null, () =>
      this.#in.say((host) => host.request(words, 'somebody')),
    );
  }

  /** Before the window: gates that may be answered ahead are, and some of that is taken back. */
  ahead(): void {
    const { agenda, chance, machine } = this.#in;
    const by = 'somebody';
    for (const step of machine.index.plan.header.steps) {
      if (step.step !== 'gate' || this.#isCalm || !chance.happens(0.3)) continue;
      const gate = step.id;
      const answer = chance.pick([...Object.keys(step.answers), 'yes', 'perhaps']);
      const atMs = chance.whole(0, 120_000);
      agenda.put(atMs, null, () =>
        this.#in.say((host) => host.request({ ask: 'answer', id: 1, gate, answer, by, givenAtMs: atMs }, by)),
      );
      if (chance.happens(0.3))
        agenda.put(atMs + chance.whole(0, 60_000), null, () =>
          this.#in.say((host) => host.request({ ask: 'take-back', id: 1, gate, by }, by)),
        );
    }
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
      const givenAtMs = agenda.nowMs + this.#in.skewMs() - oldMs;
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
    if (own.kind === 'doubt') return this.#truth(own.servers[0] ?? '');
    const later = saying('ask-again');
    if (later !== undefined && !world.databaseUp && chance.happens(0.85)) return later;
    const answer = saying('go-on') ?? 'yes';
    if (open.step.fuse !== null && !this.#isCalm) this.#startWork(open.step.fuse.outageMs);
    return answer;
  }

  /**
   * What is on its way to a server may still come through: only what shows is known. And a server that is gone for good
   * proves nobody right: in the end it is left.
   */
  #truth(server: string): string {
    const said = (this.#said.get(server) ?? 0) + 1;
    this.#said.set(server, said);
    return this.#in.world.server(server).stamps > 0 && said <= SAID_MAX ? 'done' : 'leave';
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
