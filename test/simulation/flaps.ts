import type { Guard } from '../../src/model/index.ts';
import type { GuardStanding, RunEvent } from '../../src/run/events.ts';
import { Chance } from '../support/chance.ts';
import type { Agenda } from './agenda.ts';

type GuardEvent = Extract<RunEvent, { type: 'guard' }>;

/** Guards as they stand in the world: they warn, trip, lose their data and come back, until the world is calm. */
export class Flaps {
  readonly #standing = new Map<string, GuardEvent>();
  readonly #changed: (event: GuardEvent) => void;

  /** `changed` is called with every change, as the engine's own guards would tell it. */
  constructor(
    guards: readonly Guard[],
    seed: number,
    agenda: Agenda,
    calmAtMs: number,
    changed: (event: GuardEvent) => void,
  ) {
    this.#changed = changed;
    guards.forEach(({ id, onTrip }, index) => {
      const chance = new Chance(seed + index);
      const start = calmAtMs > 0 && chance.happens(0.1) ? chance.pick(['warn', 'no-data'] as const) : 'clear';
      this.#standing.set(id, eventOf(id, start, agenda.nowMs));
      const flaps = calmAtMs > 0 ? chance.whole(0, 4) : 0;
      for (let flap = 0; flap < flaps; flap += 1) {
        const standing = chance.pick(['warn', 'trip', 'no-data', onTrip === 'stop' ? 'trip' : 'no-data'] as const);
        const atMs = chance.whole(0, chance.pick([300_000, calmAtMs - 60_000]));
        agenda.put(atMs, null, () => this.#turn(id, standing, agenda.nowMs));
        agenda.put(atMs + chance.whole(1_000, 400_000), null, () => this.#turn(id, 'clear', agenda.nowMs));
      }
      agenda.put(calmAtMs, null, () => this.#turn(id, 'clear', agenda.nowMs));
    });
  }

  /** What a new engine reads first. */
  get all(): readonly GuardEvent[] {
    return [...this.#standing.values()];
  }

  #turn(id: string, standing: GuardStanding, atMs: number): void {
    if (this.#standing.get(id)?.standing === standing) return;
    const event = eventOf(id, standing, atMs);
    this.#standing.set(id, event);
    this.#changed(event);
  }
}

function eventOf(guard: string, standing: GuardStanding, onsetAtMs: number): GuardEvent {
  return { type: 'guard', guard, standing, positive: standing !== 'no-data', onsetAtMs, seen: 'as the model has it' };
}
