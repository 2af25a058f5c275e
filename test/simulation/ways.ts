import type { FleetActor } from '../../src/engine/act.ts';
import { FailureError } from '../../src/model/index.ts';
import type { Hands, Reader, ServerEffect } from '../../src/ports/index.ts';
import { DOUBT_MIN_MS } from '../../src/run/limits.ts';
import type { Chance } from '../support/chance.ts';
import type { Agenda, Sleeper } from './agenda.ts';
import { modelHands, modelReader, trouble } from './reach.ts';
import type { World } from './world.ts';

type Reach = ConstructorParameters<typeof FleetActor>[0]['reach'];

/** What was so in the world at any of the readings of one look: what it said is held against this. */
export interface Truth {
  readonly answers: boolean;
  readonly converged: boolean;
  readonly warm: boolean;
  readonly hung: boolean;
}

export interface WaysInput {
  readonly world: World;
  readonly agenda: Agenda;
  readonly chance: Chance;
  readonly owner: Sleeper;
  readonly planted: ((reader: Reader, world: World, server: string) => Reader) | undefined;
  /** How often a read or a change goes wrong by itself now. */
  readonly faultiness: () => number;
  /** The effect that is being begun right now: hands are taken for it. */
  readonly current: () => ServerEffect | null;
  readonly onDeed: (server: string, what: string, effect: ServerEffect) => void;
  readonly onContact: (server: string) => void;
}

const NOTHING_SEEN = { answers: false, converged: false, warm: false, hung: false };

const FATES = ['never-sent', 'lost-before', 'lost-after', 'timeout', 'late', 'lie', 'half', 'refused'] as const;
type Fate = (typeof FATES)[number] | 'good';

/** A change that is not answered is given up after this. */
const ANSWER_MS = 4_000;

/** The ways from one engine to the model's servers: they take virtual time, and they fail, stall and lie by seed. */
export class Ways implements Reach {
  readonly #in: WaysInput;
  /** By the effect that a reader was taken for; a look that soaks takes new ones by itself. */
  readonly #truths = new Map<string, Truth>();

  constructor(input: WaysInput) {
    this.#in = input;
  }

  /** What the reader of that look met. */
  truthOf({ id }: ServerEffect): Truth {
    return this.#truths.get(id) ?? NOTHING_SEEN;
  }

  reader({ name }: { readonly name: string }): Reader {
    const { world, chance, onContact } = this.#in;
    const { planted = (same: Reader) => same } = this.#in;
    const inner = planted(modelReader(world, name, onContact), world, name);
    const truth = { ...NOTHING_SEEN };
    const effect = this.#in.current();
    if (effect) this.#truths.set(effect.id, truth);
    const glitches = chance.happens(this.#in.faultiness());
    let calls = 0;
    const after = async <T>(read: () => Promise<T>): Promise<T> => {
      calls += 1;
      if (calls === 1 || chance.happens(0.1)) await this.#wait(this.#tookMs());
      if (glitches && (calls > 1 || chance.happens(0.7))) await this.#glitch(name);
      const server = world.server(name);
      truth.answers ||= world.answersFrom(server);
      truth.converged ||= world.isProven(server);
      truth.warm ||= world.ageOf(server) < server.ttlMs;
      truth.hung ||= server.life === 'hung';
      return read();
    };
    return {
      files: (paths) => after(() => inner.files(paths)),
      bootId: () => after(() => inner.bootId()),
      get: (path, options) => after(() => inner.get(path, options)),
      ask: (what) => after(() => inner.ask(what)),
      power: () => after(() => inner.power()),
      vitals: async () => {
        await this.#wait(this.#tookMs() * 4);
        truth.hung ||= world.server(name).life === 'hung';
        return inner.vitals();
      },
    };
  }

  hands({ name }: { readonly name: string }): Hands {
    const { world, chance, current, onContact, onDeed } = this.#in;
    const effect = current();
    if (!effect) throw new Error('hands are taken for an effect');
    const inner = modelHands(world, name, (what) => onDeed(name, what, effect));
    const fate: Fate = chance.happens(this.#in.faultiness() * 3) ? chance.pick(FATES) : 'good';
    // Which of the calls of one change it strikes.
    const at = fate === 'half' ? 2 : chance.happens(0.7) ? 1 : 2;
    let calls = 0;
    const send = (strike: () => Promise<void>): Promise<void> => {
      calls += 1;
      onContact(name);
      return this.#send(calls === at ? fate : 'good', name, strike);
    };
    return {
      call: (what, fill) => send(() => inner.call(what, fill)),
      putFile: (file) => send(() => inner.putFile(file)),
      restoreFile: (file) => send(() => inner.restoreFile(file)),
      hardReset: () => send(() => inner.hardReset()),
    };
  }

  /** A change strikes between its sending and its answer: what comes of it, and what is said of it, are two things. */
  async #send(fate: Fate, name: string, strike: () => Promise<void>): Promise<void> {
    const server = { name };
    switch (fate) {
      case 'good':
        return this.#strike(this.#tookMs(), strike);
      case 'never-sent':
        await this.#wait(this.#tookMs());
        throw trouble('unreachable', server);
      case 'refused':
        await this.#wait(this.#tookMs());
        throw trouble('command', server);
      case 'lost-before':
      case 'half':
        await this.#wait(this.#tookMs());
        throw trouble('lost', server);
      case 'lost-after':
        await this.#strike(this.#tookMs(), strike);
        throw trouble('lost', server);
      case 'lie':
        return this.#wait(this.#tookMs());
      case 'timeout':
        await this.#wait(ANSWER_MS);
        throw trouble('timeout', server);
      case 'late':
        void this.#strike(this.#in.chance.whole(ANSWER_MS + 1_000, ANSWER_MS + DOUBT_MIN_MS), strike).catch(
          () => undefined,
        );
        await this.#wait(ANSWER_MS);
        throw trouble('timeout', server);
    }
  }

  /** What was sent may come through though nobody waits for it any more. */
  #strike(afterMs: number, strike: () => Promise<void>): Promise<void> {
    const { agenda, chance, owner } = this.#in;
    const orphanStrikes = chance.happens(0.5);
    return new Promise((resolve, reject) => {
      agenda.put(agenda.nowMs + afterMs, null, () => {
        if (!owner.alive && !orphanStrikes) return;
        strike().then(
          () => this.#later(resolve),
          (error: unknown) => {
            if (error instanceof FailureError) this.#later(() => reject(error));
            else reject(error instanceof Error ? error : new Error(String(error)));
          },
        );
      });
    });
  }

  #later(happen: () => void): void {
    const { agenda, owner } = this.#in;
    agenda.put(agenda.nowMs + this.#tookMs(), owner, happen);
  }

  #wait(forMs: number): Promise<void> {
    const { agenda, owner } = this.#in;
    return new Promise((resolve) => void agenda.put(agenda.nowMs + forMs, owner, resolve));
  }

  /** A read that fails by itself: at once, or after a stall. */
  async #glitch(name: string): Promise<never> {
    const { chance } = this.#in;
    const kind = chance.pick(['timeout', 'lost', 'unreachable', 'command', 'output'] as const);
    if (kind === 'timeout') await this.#wait(chance.whole(1_000, 30_000));
    throw trouble(kind, { name });
  }

  #tookMs(): number {
    const { chance } = this.#in;
    return chance.happens(0.05) ? chance.whole(500, 15_000) : chance.whole(20, 500);
  }
}
