import type { Guard } from '../model/index.ts';
import type { Clock, GuardReader } from '../ports/index.ts';
import {
  judge,
  silentAtMs,
  unread,
  type GuardReading,
  type Judged,
  type RunEvent,
  type RunState,
} from '../run/index.ts';

/** Two readings of one guard are never closer than this, in real milliseconds, however fast a lab's clock runs. */
const READ_AGAIN_REAL_MS = 100;

export interface GuardingInput {
  readonly clock: Clock;
  readonly read: GuardReader;
  /** The guards to be read at this state. */
  readonly watched: (state: RunState) => readonly Guard[];
  readonly tell: (event: RunEvent) => void;
}

/** Reads guards in the background while they are watched, and tells when one stands otherwise than the run knows. */
export class Guarding {
  readonly #in: GuardingInput;
  readonly #watches = new Map<string, Watch>();

  constructor(input: GuardingInput) {
    this.#in = input;
  }

  /** The run is in this state now: watches begin and end with it. Returns at once. */
  follow(state: RunState): void {
    const guards = this.#in.watched(state);
    if (guards.length === 0 && this.#watches.size === 0) return;
    const wanted = new Set(guards.map(({ id }) => id));
    for (const [id, watch] of this.#watches) {
      // What the run forgot (another engine, a jump of the clock) is watched anew.
      if (wanted.has(id) && !watch.isForgottenBy(state)) continue;
      watch.end();
      this.#watches.delete(id);
    }
    for (const guard of guards) {
      const watch = this.#watches.get(guard.id) ?? new Watch(guard, this.#in);
      this.#watches.set(guard.id, watch);
      watch.follow(state);
    }
  }

  close(): void {
    for (const watch of this.#watches.values()) watch.end();
    this.#watches.clear();
  }
}

/** One guard while it is watched: at most one reading of it under way. */
class Watch {
  readonly #guard: Guard;
  readonly #in: GuardingInput;
  #judged: Judged;
  #known: RunState['guards'][string] | undefined;
  #told: { readonly standing: string; readonly atMs: number } | null = null;
  #isOver = false;
  #cancel: () => void = () => undefined;

  constructor(guard: Guard, input: GuardingInput) {
    this.#guard = guard;
    this.#in = input;
    this.#judged = unread(input.clock.nowMs());
    void this.#go();
  }

  follow({ guards }: RunState): void {
    this.#known = guards[this.#guard.id];
    if (this.#known?.standing === this.#told?.standing) this.#told = null;
  }

  isForgottenBy({ guards }: RunState): boolean {
    return this.#known !== undefined && guards[this.#guard.id] === undefined;
  }

  end(): void {
    this.#isOver = true;
    this.#cancel();
  }

  async #go(): Promise<void> {
    const { clock } = this.#in;
    while (!this.#isOver) {
      const fromMs = clock.nowMs();
      await this.#readOnce();
      await clock.pauseRealMs(READ_AGAIN_REAL_MS);
      await this.#waitUntil(fromMs + this.#guard.everyMs);
    }
  }

  /** A reading that takes long becomes no data while it is still under way. */
  async #readOnce(): Promise<void> {
    const { clock, read } = this.#in;
    const silentMs = silentAtMs(this.#guard, this.#judged);
    this.#cancel = silentMs > clock.nowMs() ? clock.after(silentMs, () => this.#take(null)) : () => undefined;
    const reading = await read(this.#guard.read);
    this.#cancel();
    this.#take(reading);
  }

  #take(reading: GuardReading | null): void {
    if (this.#isOver) return;
    this.#judged = judge(this.#guard, this.#judged, reading, this.#in.clock.nowMs());
    const { standing, onsetAtMs, seen } = this.#judged;
    if (standing === null || standing === this.#known?.standing) return;
    // What was told may lie in front of a busy disk; and a disk that failed may have lost it.
    const nowMs = this.#in.clock.nowMs();
    const { noDataMs } = this.#guard;
    if (this.#told?.standing === standing && nowMs - this.#told.atMs < noDataMs) return;
    this.#told = { standing, atMs: nowMs };
    const event = { type: 'guard', guard: this.#guard.id, standing, onsetAtMs: Math.round(onsetAtMs), seen } as const;
    this.#in.tell({ ...event, positive: standing !== 'no-data' });
  }

  #waitUntil(atMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#in.clock.after(atMs, resolve);
      this.#cancel = () => {
        cancel();
        resolve();
      };
    });
  }
}
