import { FailureError, type Condition, type CountRead, type Fleet, type PlanNeed } from '../model/index.ts';
import type { Clock } from '../ports/index.ts';

/** A reading serves for so long, in plan milliseconds: servers of one wave ask within the same moment. */
const FRESH_MS = 1_000;

/** Who was let in and is not heard of again (its step failed, its engine ended) is reckoned with for so long, in plan milliseconds. */
const OPENING_MS = 60_000;

export interface RoomInput {
  readonly limits: NonNullable<Fleet['dependencies']>;
  /** Rejects with FailureError. */
  readonly count: (read: CountRead, where: string) => Promise<number>;
  readonly clock: Pick<Clock, 'nowMs'>;
}

interface Reading {
  readonly atMs: number;
  readonly count: number | FailureError;
}

interface Opening {
  readonly atMs: number;
  readonly each: number;
  /** Since when its connections are there to be read; null: they are not yet, as far as is known. */
  readonly openMs: number | null;
}

/**
 * Room for connections, measured right before each server that opens some: what there are now, what those opened who
 * were let in a moment ago, and what this one opens must fit. Servers ask one after the other.
 */
export class ConnectionRoom {
  readonly #in: RoomInput;
  readonly #turns = new Map<string, Promise<unknown>>();
  readonly #readings = new Map<string, Reading>();
  /** Who was let in lately, by dependency and server. */
  readonly #opening = new Map<string, Map<string, Opening>>();

  constructor(input: RoomInput) {
    this.#in = input;
  }

  /**
   * Whether there is room for this server. Without a reading there is none for what takes something away (`isRisk`);
   * for what gives back the plan's own reckoning stands, which was shown and approved.
   */
  has(need: Extract<PlanNeed, { need: 'connections' }>, server: string, isRisk: boolean): Promise<Condition> {
    const before = this.#turns.get(need.dependency) ?? Promise.resolve();
    const mine = before.catch(() => undefined).then(() => this.#judge(need, server, isRisk));
    this.#turns.set(need.dependency, mine);
    return mine;
  }

  /** What was done on that server is confirmed: its connections are in the next reading. */
  opened(server: string): void {
    for (const lately of this.#opening.values()) {
      const opening = lately.get(server);
      if (opening?.openMs === null) lately.set(server, { ...opening, openMs: this.#in.clock.nowMs() });
    }
  }

  async #judge(
    { dependency, each, max }: Extract<PlanNeed, { need: 'connections' }>,
    server: string,
    isRisk: boolean,
  ): Promise<Condition> {
    const limits = Object.hasOwn(this.#in.limits, dependency) ? this.#in.limits[dependency] : undefined;
    const read = limits?.connections?.now;
    if (!read) return { holds: true };
    const { count, atMs } = await this.#reading(dependency, read);
    if (count instanceof FailureError)
      return isRisk
        ? { holds: false, why: `the connections of ${dependency} cannot be read: ${count.failure.what}` }
        : { holds: true };
    const opening = this.#openingAt(dependency, server, atMs);
    if (count + opening + each > max) {
      const others = opening > 0 ? `, and up to ${opening} are being opened` : '';
      return {
        holds: false,
        why: `${dependency} has ${count} connections${others}; with up to ${each} more of this server it would have more than the ${max} that it accepts`,
      };
    }
    const lately = this.#opening.get(dependency) ?? new Map<string, Opening>();
    lately.set(server, { atMs: this.#in.clock.nowMs(), each, openMs: null });
    this.#opening.set(dependency, lately);
    return { holds: true };
  }

  async #reading(dependency: string, read: CountRead): Promise<Reading> {
    const known = this.#readings.get(dependency);
    const nowMs = this.#in.clock.nowMs();
    if (known && nowMs - known.atMs < FRESH_MS && nowMs >= known.atMs) return known;
    const count = await this.#in.count(read, `connections of ${dependency}`).catch((error: unknown) => {
      if (error instanceof FailureError) return error;
      throw error;
    });
    const reading = { atMs: nowMs, count };
    this.#readings.set(dependency, reading);
    return reading;
  }

  /** Connections of others that were let in, and that a reading of that instant does not have yet. */
  #openingAt(dependency: string, server: string, readAtMs: number): number {
    const all = this.#opening.get(dependency);
    let sum = 0;
    for (const [name, { atMs, each, openMs }] of all ?? []) {
      const isOver = this.#in.clock.nowMs() - atMs > OPENING_MS || (openMs !== null && openMs < readAtMs);
      if (isOver) all?.delete(name);
      else if (name !== server) sum += each;
    }
    return sum;
  }
}
