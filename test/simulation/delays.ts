import type { PacingInput } from '../../src/engine/pacing.ts';
import type { Agenda, Sleeper } from './agenda.ts';

/** So long the database stays as it is. */
const SPELL_MS = 20_000;

/** What queries wait in the model's database: mostly nothing, now and then long, and sometimes nobody can tell; nothing once the world is calm. */
export class Delays {
  readonly #seed: number;
  readonly #agenda: Agenda;
  readonly #calmAtMs: number;

  constructor(seed: number, agenda: Agenda, calmAtMs: number) {
    this.#seed = seed;
    this.#agenda = agenda;
    this.#calmAtMs = calmAtMs;
  }

  /** Reads as an engine does: it takes time. */
  reader(owner: Sleeper): PacingInput['delayOf'] {
    return async () => {
      const delayMs = this.#at(this.#agenda.nowMs);
      const tookMs = Math.min(2_000, 20 + (delayMs ?? 0));
      await new Promise<void>((resolve) => void this.#agenda.put(this.#agenda.nowMs + tookMs, owner, resolve));
      return delayMs;
    };
  }

  #at(nowMs: number): number | null {
    if (nowMs >= this.#calmAtMs) return 0;
    const spell = Math.floor(nowMs / SPELL_MS);
    const part = (Math.imul(spell * 31 + this.#seed, 2_654_435_761) >>> 0) / 2 ** 32;
    if (part < 0.7) return 3;
    if (part < 0.85) return 120;
    if (part < 0.9) return 2_000;
    return part < 0.95 ? Infinity : null;
  }
}
