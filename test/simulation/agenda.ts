/** Something that will happen at an instant of virtual time. */
interface Entry {
  readonly atMs: number;
  readonly order: number;
  readonly happen: () => Promise<void> | void;
  /** The engine that waits for it; null: the world does, and it happens whatever becomes of engines. */
  readonly engine: number | null;
}

/** Virtual time: what is due next, in the order of instants and then of being put down. */
export class Agenda {
  nowMs = 0;
  #entries: Entry[] = [];
  #order = 0;

  put(atMs: number, engine: number | null, happen: Entry['happen']): void {
    const entry: Entry = { atMs: Math.max(this.nowMs, atMs), order: this.#order, happen, engine };
    this.#order += 1;
    let at = this.#entries.length;
    while (at > 0 && isBefore(entry, this.#entries[at - 1])) at -= 1;
    this.#entries.splice(at, 0, entry);
  }

  get nextAtMs(): number | null {
    return this.#entries[0]?.atMs ?? null;
  }

  take(): Entry['happen'] | null {
    const entry = this.#entries.shift();
    if (!entry) return null;
    this.nowMs = Math.max(this.nowMs, entry.atMs);
    return entry.happen;
  }

  /** An engine died: nobody waits for what it waited for. */
  drop(engine: number): void {
    this.#entries = this.#entries.filter((entry) => entry.engine !== engine);
  }
}

function isBefore(entry: Entry, other: Entry | undefined): boolean {
  return other !== undefined && (entry.atMs < other.atMs || (entry.atMs === other.atMs && entry.order < other.order));
}
