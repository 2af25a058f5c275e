import type { Plan } from '../../src/model/index.ts';
import {
  createMachine,
  gateOf,
  type Effect,
  type Looked,
  type Machine,
  type RunEvent,
  type RunState,
} from '../../src/run/index.ts';

/** What the world says to an effect; undefined: nothing yet, it stays under way. */
export type Script = (effect: Effect, nowMs: number) => RunEvent | undefined;

/** What looking at a server gives when there is a change to make and nothing is in its way. */
export function seen(change: unknown, more: Partial<Looked> = {}): Looked {
  return {
    verdict: { verdict: 'change', change: change as never, diff: [] },
    condition: { holds: true },
    need: { holds: true },
    readings: null,
    repeatable: true,
    withinBounds: true,
    ...more,
  };
}

/** Every effect succeeds at once: looks find `change`, and an undo's look finds that it is done. */
export function goesWell(change: unknown = { to: 'out' }): Script {
  return (effect) => {
    switch (effect.effect) {
      case 'look':
        return {
          type: 'looked',
          id: effect.id,
          outcome: effect.for === 'undo' ? seen(null, { verdict: { verdict: 'nothing' } }) : seen(change),
        };
      case 'perform':
      case 'undo':
        return { type: 'performed', id: effect.id };
      case 'confirm':
        return { type: 'confirmed', id: effect.id };
      case 'diagnose':
        return { type: 'diagnosed', id: effect.id, condition: 'alive', seen: 'it answers' };
      case 'ask':
        return { type: 'asked', id: effect.id };
      case 'page':
        return { type: 'paged', id: effect.id };
      // Only a plan with an outage makes the last two, and its tests say what becomes of them.
      case 'pass':
      case 'count':
      case 'shed':
        return undefined;
    }
  };
}

/** Drives the machine by hand, with a script for the world and no time of its own. */
export class Drive {
  readonly machine: Machine;
  readonly effects: Effect[] = [];
  /** The same with their instants. */
  readonly begun: { readonly effect: Effect; readonly atMs: number }[] = [];
  readonly events: RunEvent[] = [];
  script: Script;
  nowMs = 0;
  #state: RunState | null = null;

  constructor(plan: Plan, script: Script = goesWell()) {
    this.machine = createMachine(plan);
    this.script = script;
    this.say({ type: 'opened', run: 'r', plan: plan.hash, title: plan.header.title, by: 'somebody', host: 'here' });
  }

  get state(): RunState {
    if (this.#state === null) throw new Error('not opened');
    return this.#state;
  }

  get closed(): NonNullable<RunState['closed']> {
    if (this.state.closed === null) throw new Error('the run is not closed');
    return this.state.closed;
  }

  say(event: RunEvent): this {
    this.#state = this.machine.apply(this.#state, { atMs: this.nowMs, event });
    this.events.push(event);
    return this;
  }

  /** Goes on until nothing is to be done at this instant. */
  settle(): this {
    for (let turns = 0; turns < 10_000; turns += 1) {
      const { decision, effects } = this.machine.next(this.state);
      if (decision) this.say(decision);
      else if (effects.length === 0) return this;
      for (const effect of effects) {
        this.say({ type: 'intended', effect });
        this.effects.push(effect);
        this.begun.push({ effect, atMs: this.nowMs });
        const outcome = this.script(effect, this.nowMs);
        if (outcome) this.say(outcome);
      }
    }
    throw new Error('it does not settle');
  }

  /** Time passes, as the host lets it pass: from wake to wake. */
  until(atMs: number): this {
    this.settle();
    for (let wakes = 0; wakes < 10_000; wakes += 1) {
      const { wakeAtMs } = this.machine.next(this.state);
      this.nowMs = Math.min(wakeAtMs ?? atMs, atMs);
      this.say({ type: 'time' }).settle();
      if (this.nowMs >= atMs) return this;
    }
    throw new Error('it wakes without end');
  }

  answer(gate: string, answer: string, givenAtMs = this.nowMs): this {
    return this.say({ type: 'answered', gate, answer, by: 'somebody', givenAtMs }).settle();
  }

  /** The phase of the gate that a track waits at, and how often it was asked. */
  gate(track = 'main'): { phase: string; asks: number } | null {
    const found = this.state.tracks.find(({ id }) => id === track);
    const gate = found && gateOf(found, this.machine.index);
    return gate ? { phase: gate.state.phase, asks: gate.state.asks } : null;
  }

  /** Servers that an effect of this word was made on, in order. */
  made(word: Effect['effect'], track?: string): string[] {
    return this.effects.flatMap((effect) =>
      effect.effect === word && 'place' in effect && (track === undefined || effect.place.track === track)
        ? [effect.place.target]
        : [],
    );
  }
}
