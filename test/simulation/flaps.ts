import type { Guard, GuardRead } from '../../src/model/index.ts';
import type { GuardReader } from '../../src/ports/index.ts';
import { Chance } from '../support/chance.ts';
import type { Agenda, Sleeper } from './agenda.ts';

type Sort = 'good' | 'warn' | 'bad' | 'no-data';

/** What guards would read in the world: they warn, are bad, lose their data, do not answer, and come back, until the world is calm. */
export class Flaps {
  readonly #agenda: Agenda;
  readonly #sorts = new Map<string, Sort>();
  readonly #slow: Chance;

  constructor(guards: readonly Guard[], seed: number, agenda: Agenda, calmAtMs: number) {
    this.#agenda = agenda;
    this.#slow = new Chance(seed + 0x99);
    guards.forEach(({ read }, index) => {
      const key = JSON.stringify(read);
      const chance = new Chance(seed + index);
      this.#sorts.set(key, calmAtMs > 0 && chance.happens(0.1) ? chance.pick(['warn', 'no-data'] as const) : 'good');
      const flaps = calmAtMs > 0 ? chance.whole(0, 4) : 0;
      for (let flap = 0; flap < flaps; flap += 1) {
        const sort = chance.pick(['warn', 'bad', 'bad', 'no-data'] as const);
        const atMs = chance.whole(0, chance.pick([120_000, 300_000, calmAtMs - 60_000]));
        agenda.put(atMs, null, () => this.#sorts.set(key, sort));
        agenda.put(atMs + chance.whole(1_000, 400_000), null, () => this.#sorts.set(key, 'good'));
      }
      agenda.put(calmAtMs, null, () => this.#sorts.set(key, 'good'));
    });
  }

  /** Reads as an engine does: it takes time, and sometimes long. */
  reader(owner: Sleeper): GuardReader {
    return async (read: GuardRead) => {
      const tookMs = this.#slow.happens(0.02) ? this.#slow.whole(1_000, 60_000) : this.#slow.whole(5, 200);
      await new Promise<void>((resolve) => void this.#agenda.put(this.#agenda.nowMs + tookMs, owner, resolve));
      return { sort: this.#sorts.get(JSON.stringify(read)) ?? 'no-data', seen: 'as the model has it' };
    };
  }
}
