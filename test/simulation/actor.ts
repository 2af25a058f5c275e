import { FailureError, type ActStep, type Condition, type Failure, type Json } from '../../src/model/index.ts';
import { canonicalJson, type Outline } from '../../src/plan/index.ts';
import type { ExpectedFile, StepContext, StepKind } from '../../src/ports/index.ts';
import type { Effect, Looked, RunEvent } from '../../src/run/index.ts';
import { checkNeed, conditionOf, describeVitals } from '../../src/steps/index.ts';
import type { Fleet } from '../../src/model/index.ts';
import type { Chance } from '../support/chance.ts';
import type { Agenda } from './agenda.ts';
import { modelHands, modelReader, trouble } from './reach.ts';
import { GOOD, type World } from './world.ts';
import { DOUBT_MIN_MS } from '../../src/run/limits.ts';

type Targeted = Extract<Effect, { place: unknown }>;

export const EXPECTED: readonly ExpectedFile[] = [
  { path: '/etc/api.conf', sha256: GOOD, mode: '0644', owner: 'root:root', text: 'good', show: false },
];

/** How often something that does not show yet, or soaks, is read again. */
const READ_AGAIN_MS = 15_000;

export interface ActorInput {
  readonly world: World;
  readonly agenda: Agenda;
  readonly chance: Chance;
  readonly fleet: Fleet;
  readonly outline: Outline;
  readonly stepOf: (effect: Targeted) => ActStep;
  /** How often a read or a change goes wrong by itself now. */
  readonly faultiness: () => number;
  readonly engine: () => number;
  /** An outcome for the engine that asked for it. */
  readonly tell: (event: RunEvent) => void;
  readonly onLooked: (effect: Targeted, looked: Looked) => void;
  readonly onDeed: (server: string, what: string, effect: Targeted) => void;
  readonly onContact: (server: string) => void;
}

/** Makes effects in the model world as the engine does on a fleet: the kinds' own code, in virtual time, with faults by seed. */
export class Actor {
  readonly #in: ActorInput;

  constructor(input: ActorInput) {
    this.#in = input;
  }

  act(effect: Targeted | Extract<Effect, { effect: 'diagnose' }>): void {
    switch (effect.effect) {
      case 'look':
        this.#later(this.#tookMs(), () => this.#look(effect));
        return;
      case 'perform':
      case 'undo':
        this.#perform(effect);
        return;
      case 'confirm':
        this.#later(this.#tookMs(), () => this.#confirm(effect, false));
        return;
      case 'diagnose':
        this.#later(this.#tookMs() * 4, async () => {
          const vitals = await modelReader(this.#in.world, effect.target, this.#in.onContact).vitals();
          this.#in.tell({
            type: 'diagnosed',
            id: effect.id,
            condition: conditionOf(vitals),
            seen: describeVitals(vitals),
          });
        });
    }
  }

  async #look(effect: Extract<Targeted, { effect: 'look' }>): Promise<void> {
    try {
      const looked = await this.#lookOnce(effect);
      const over = effect.soakUntilMs === null || this.#in.agenda.nowMs >= effect.soakUntilMs;
      if (over || !looked.condition.holds || looked.verdict.verdict === 'refused') {
        this.#in.onLooked(effect, looked);
        this.#in.tell({ type: 'looked', id: effect.id, outcome: looked });
      } else {
        this.#later(Math.min(READ_AGAIN_MS, Math.max(1, (effect.soakUntilMs ?? 0) - this.#in.agenda.nowMs)), () =>
          this.#look(effect),
        );
      }
    } catch (error) {
      this.#in.tell({ type: 'looked', id: effect.id, outcome: { failure: failureOf(error) } });
    }
  }

  async #lookOnce(effect: Extract<Targeted, { effect: 'look' }>): Promise<Looked> {
    const { step, kind, input, server, read } = this.#known(effect);
    this.#glitch(effect);
    const context = this.#context(this.#in.agenda.nowMs, null);
    const { pinned, readings } = await kind.observe(server, input, read, context);
    const verdict = kind.decide(kind.pinned.parse(pinned) as never, input);
    const condition: Condition =
      effect.for === 'perform' && kind.judge
        ? kind.judge(kind.readings.parse(readings) as never, input)
        : { holds: true };
    const change = verdict.verdict === 'change' ? (verdict.change as never) : null;
    let need: Condition = { holds: true };
    for (const each of effect.for === 'undo' ? step.undoNeeds : change === null ? [] : step.needs) {
      need = await checkNeed(each, server, read, context);
      if (!need.holds) break;
    }
    return {
      verdict,
      condition,
      need,
      readings: readings as Json,
      repeatable: kind.idempotent || (change !== null && kind.sameChangeProvesUntouched?.(change) === true),
      withinBounds: change === null || kind.bounds?.(change, input) === true,
    };
  }

  /** The change strikes between its sending and its answer: what comes of it, and what is said of it, are two things. */
  #perform(effect: Extract<Targeted, { effect: 'perform' | 'undo' }>): void {
    const { chance, agenda, world } = this.#in;
    const faulty = chance.happens(this.#in.faultiness() * 3);
    const fate = faulty
      ? chance.pick(['never-sent', 'lost-before', 'lost-after', 'timeout', 'late', 'lie', 'half', 'refused'] as const)
      : 'good';
    const tell = (failure: FailureError | null): void =>
      this.#in.tell({ type: 'performed', id: effect.id, ...(failure === null ? {} : { failure: failure.failure }) });
    const said = {
      'never-sent': 'unreachable',
      'lost-before': 'lost',
      'lost-after': 'lost',
      timeout: 'timeout',
      late: 'timeout',
      half: 'lost',
      refused: 'command',
    } as const;
    const strikes = fate === 'good' || fate === 'lost-after' || fate === 'late' || fate === 'half';
    const strikeAtMs = agenda.nowMs + (fate === 'late' ? chance.whole(5_000, 4_000 + DOUBT_MIN_MS) : this.#tookMs());
    const toldAtMs = fate === 'late' ? agenda.nowMs + 4_000 : strikeAtMs + this.#tookMs();
    const server = world.server(effect.place.target);
    let struck: FailureError | null = null;
    // What was sent may come through though nobody waits for it any more.
    const orphanStrikes = chance.happens(0.5);
    const engine = this.#in.engine();
    if (strikes) {
      agenda.put(strikeAtMs, null, async () => {
        if (engine !== this.#in.engine() && !orphanStrikes) return;
        try {
          await this.#strike(effect, fate === 'half');
        } catch (error) {
          if (!(error instanceof FailureError)) throw error;
          struck = error;
        }
      });
    }
    this.#later(toldAtMs - agenda.nowMs, () =>
      tell(fate === 'good' || fate === 'lie' ? struck : trouble(said[fate], server)),
    );
  }

  async #strike(effect: Extract<Targeted, { effect: 'perform' | 'undo' }>, half: boolean): Promise<void> {
    const { kind, server } = this.#known(effect);
    let calls = 0;
    const hands = modelHands(this.#in.world, server.name, (what) => {
      calls += 1;
      if (half && calls > 1) throw trouble('lost', server);
      this.#in.onDeed(server.name, what, effect);
    });
    this.#in.onContact(server.name);
    const change = kind.change.parse(effect.change) as never;
    const context = this.#context(this.#in.agenda.nowMs, null);
    await (effect.effect === 'perform'
      ? kind.perform(server, change, hands, context)
      : kind.undo?.(server, change, hands, context));
  }

  async #confirm(effect: Extract<Targeted, { effect: 'confirm' }>, wasDone: boolean): Promise<void> {
    const nowMs = this.#in.agenda.nowMs;
    try {
      const proven = await this.#confirmOnce(effect);
      const over = effect.soakUntilMs === null || nowMs >= effect.soakUntilMs;
      if (proven.done && over) {
        this.#in.tell({
          type: 'confirmed',
          id: effect.id,
          ...(proven.readings === undefined ? {} : { readings: proven.readings }),
        });
      } else if (!proven.done && (wasDone || nowMs >= effect.deadlineMs)) {
        throw trouble('not-confirmed', { name: effect.place.target });
      } else {
        const untilMs = Math.max(effect.deadlineMs, effect.soakUntilMs ?? 0);
        this.#later(Math.min(READ_AGAIN_MS, Math.max(1, untilMs - nowMs)), () => this.#confirm(effect, proven.done));
      }
    } catch (error) {
      this.#in.tell({ type: 'confirmed', id: effect.id, failure: failureOf(error) });
    }
  }

  async #confirmOnce(effect: Extract<Targeted, { effect: 'confirm' }>): Promise<{ done: boolean; readings?: Json }> {
    const { kind, input, server, read } = this.#known(effect);
    this.#glitch(effect);
    const context = this.#context(effect.sinceMs, effect.priorBootId);
    if (effect.for === 'perform') return kind.confirm(server, kind.change.parse(effect.change) as never, read, context);
    const { pinned } = await kind.observe(server, input, read, context);
    const verdict = kind.decide(kind.pinned.parse(pinned) as never, input);
    return { done: verdict.verdict === 'change' && canonicalJson(verdict.change) === canonicalJson(effect.change) };
  }

  #known(effect: Targeted): {
    step: ActStep;
    kind: StepKind;
    input: never;
    server: Fleet['servers'][number];
    read: ReturnType<typeof modelReader>;
  } {
    const step = this.#in.stepOf(effect);
    const kind = this.#in.outline.kinds.get(step.id) as StepKind;
    const server = this.#in.fleet.servers.find(({ name }) => name === effect.place.target);
    if (!server) throw new Error(`the fleet has no server ${effect.place.target}`);
    return {
      step,
      kind,
      input: kind.input.parse(step.input) as never,
      server,
      read: modelReader(this.#in.world, server.name, this.#in.onContact),
    };
  }

  #glitch({ place }: Targeted): void {
    if (!this.#in.chance.happens(this.#in.faultiness())) return;
    throw trouble(this.#in.chance.pick(['timeout', 'lost', 'unreachable', 'command', 'output'] as const), {
      name: place.target,
    });
  }

  #context(sinceMs: number, priorBootId: string | null): StepContext {
    return { expected: EXPECTED, nowMs: this.#in.agenda.nowMs, sinceMs, priorBootId, keep: 'neap-simulated' };
  }

  #later(afterMs: number, happen: () => Promise<void> | void): void {
    this.#in.agenda.put(this.#in.agenda.nowMs + afterMs, this.#in.engine(), happen);
  }

  #tookMs(): number {
    return this.#in.chance.happens(0.05) ? this.#in.chance.whole(500, 15_000) : this.#in.chance.whole(20, 500);
  }
}

function failureOf(error: unknown): Failure {
  if (error instanceof FailureError) return error.failure;
  throw error;
}
