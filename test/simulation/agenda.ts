import type { Clock } from '../../src/ports/index.ts';

/** A process of the simulated host: what it waits for waits with it while it sleeps, and is gone when it dies. */
export interface Sleeper {
  readonly alive: boolean;
  /** It does nothing before this instant: its machine sleeps. */
  readonly asleepUntilMs: number;
}

/** Something that will happen at an instant of virtual time. */
interface Entry {
  readonly atMs: number;
  readonly order: number;
  readonly happen: () => void;
  /** Who waits for it; null: the world does, and it happens whatever becomes of engines. */
  readonly owner: Sleeper | null;
  cancelled: boolean;
}

/** Virtual time: what is due next, in the order of instants and then of being put down. */
export class Agenda {
  nowMs = 0;
  readonly #entries: Entry[] = [];
  #order = 0;

  /** Puts something down, and gives what crosses it out again. */
  put(atMs: number, owner: Sleeper | null, happen: () => void): () => void {
    const entry: Entry = { atMs: Math.max(this.nowMs, atMs), order: this.#order, happen, owner, cancelled: false };
    this.#order += 1;
    let at = this.#entries.length;
    while (at > 0 && isLater(entry, this.#entries[at - 1])) at -= 1;
    this.#entries.splice(at, 0, entry);
    return () => {
      entry.cancelled = true;
    };
  }

  /** The next thing to happen, with time moved on to it; null when nothing is left. */
  take(): (() => void) | null {
    for (let entry = this.#entries.pop(); entry; entry = this.#entries.pop()) {
      const { owner, happen } = entry;
      if (entry.cancelled || owner?.alive === false) continue;
      if (owner !== null && owner.asleepUntilMs > entry.atMs) {
        this.put(owner.asleepUntilMs, owner, happen);
        continue;
      }
      this.nowMs = Math.max(this.nowMs, entry.atMs);
      return happen;
    }
    return null;
  }
}

/** Entries lie with the next one last, where it is taken from. */
function isLater(entry: Entry, other: Entry | undefined): boolean {
  return other !== undefined && (entry.atMs > other.atMs || (entry.atMs === other.atMs && entry.order > other.order));
}

/**
 * The clock of an engine: plan time as `nowMs` tells it, and what waits for it waits only as long as its owner lives.
 * Waits are taken in parts, as the engine's own clock takes them.
 */
export function virtualClock(agenda: Agenda, owner: Sleeper, nowMs: () => number = () => agenda.nowMs): Clock {
  const after = (atMs: number, call: () => void): (() => void) =>
    agenda.put(agenda.nowMs + Math.max(1, Math.ceil(atMs - nowMs())), owner, call);
  return {
    nowMs,
    realMsUntil: (atMs) => Math.max(0, atMs - nowMs()),
    after,
    sleepUntil: (atMs) => (atMs <= nowMs() ? Promise.resolve() : new Promise((resolve) => void after(atMs, resolve))),
    pauseRealMs: (ms) => new Promise((resolve) => void agenda.put(agenda.nowMs + ms, owner, resolve)),
  };
}
