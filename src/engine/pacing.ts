import { throttle, unthrottled, type Throttle } from '../herd/index.ts';
import type { SlotRuleOfPlan } from '../model/index.ts';
import type { Clock } from '../ports/index.ts';
import { slottedOf, type PlanIndex, type RunEvent, type RunState } from '../run/index.ts';

/** Readings in a window, so that a standing queue is told from a spike. */
const READINGS_A_WINDOW = 5;

/** Two readings are never closer than this, in real milliseconds, however fast a lab's clock runs. */
const READ_AGAIN_REAL_MS = 100;

export interface PacingInput {
  readonly clock: Clock;
  readonly index: PlanIndex;
  /** What a query waits in a dependency, in milliseconds: Infinity where it was not answered in time, null where it could not be read. Never rejects. */
  readonly delayOf: (dependency: string, servers: readonly string[], turn: number) => Promise<number | null>;
  readonly tell: (event: RunEvent) => void;
}

/** Watches what slots do to the database while they are given, and tells when they are to come slower, or again faster. */
export class Pacing {
  readonly #in: PacingInput;
  readonly #watches = new Map<string, Watch>();

  constructor(input: PacingInput) {
    this.#in = input;
  }

  /** The run is in this state, by these events: watches begin and end with its steps. Returns at once. */
  follow(state: RunState, events: readonly RunEvent[]): void {
    const wanted = state.closed ? new Map<string, Slotted>() : slottedSteps(state, this.#in.index);
    if (wanted.size === 0 && this.#watches.size === 0) return;
    for (const [key, watch] of this.#watches) {
      if (wanted.has(key)) continue;
      watch.end();
      this.#watches.delete(key);
    }
    for (const [key, slotted] of wanted) {
      const watch = this.#watches.get(key) ?? new Watch(slotted, this.#in);
      this.#watches.set(key, watch);
      watch.follow(slotted.share, events);
    }
  }

  close(): void {
    for (const watch of this.#watches.values()) watch.end();
    this.#watches.clear();
  }
}

interface Slotted {
  readonly track: string;
  readonly step: string;
  /** What the ids of its effects begin with. */
  readonly prefix: string;
  readonly rule: NonNullable<SlotRuleOfPlan['slowDown']>;
  readonly servers: readonly string[];
  readonly share: number;
}

function slottedSteps(state: RunState, index: PlanIndex): Map<string, Slotted> {
  const found = new Map<string, Slotted>();
  for (const track of state.tracks) {
    const slotted = slottedOf(track, index);
    const rule = slotted?.rule.slowDown;
    if (!slotted || !rule || slotted.act.startedAtMs === null) continue;
    found.set(`${track.id}/${track.cursor}/${track.renewals}`, {
      track: track.id,
      step: slotted.step.id,
      prefix: `${track.id}/${track.cursor}.`,
      rule,
      // Any server can be asked: those of the wave under way.
      servers: Object.keys(slotted.act.waves[slotted.act.wave]?.targets ?? {}),
      share: slotted.act.pace?.share ?? 1,
    });
  }
  return found;
}

/** One step while its slots are given: at most one reading of it under way. */
class Watch {
  readonly #of: Slotted;
  readonly #in: PacingInput;
  #now: Throttle;
  #ended: boolean[] = [];
  #share: number;
  #turn = 0;
  #isOver = false;
  #cancel: () => void = () => undefined;

  constructor(of: Slotted, input: PacingInput) {
    this.#of = of;
    this.#in = input;
    this.#share = of.share;
    this.#now = unthrottled(input.clock.nowMs(), of.share);
    void this.#go();
  }

  follow(share: number, events: readonly RunEvent[]): void {
    this.#share = share;
    for (const event of events) {
      const failed = endOf(event, this.#of.prefix);
      if (failed !== null) this.#ended.push(failed);
    }
  }

  end(): void {
    this.#isOver = true;
    this.#cancel();
  }

  async #go(): Promise<void> {
    const { clock } = this.#in;
    while (!this.#isOver) {
      const fromMs = clock.nowMs();
      await this.#look();
      await clock.pauseRealMs(READ_AGAIN_REAL_MS);
      await this.#waitUntil(fromMs + this.#of.rule.windowMs / READINGS_A_WINDOW);
    }
  }

  async #look(): Promise<void> {
    const { rule, servers, track, step } = this.#of;
    const { clock, delayOf, tell } = this.#in;
    const reads = rule.dependency !== null;
    const delayMs = rule.dependency === null ? null : await delayOf(rule.dependency, servers, this.#turn++);
    if (this.#isOver) return;
    const ended = this.#ended.splice(0);
    this.#now = throttle(rule, this.#now, { atMs: clock.nowMs(), delayMs, ended, reads });
    const { share, why } = this.#now;
    if (share === this.#share) return;
    // Until it comes back as part of the run's state, it is told once.
    this.#share = share;
    tell({ type: 'paced', track, step, share, why });
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

/** Whether one server's refresh ended with this event, and badly; null: it says nothing of that. */
function endOf(event: RunEvent, prefix: string): boolean | null {
  if (event.type !== 'performed' && event.type !== 'confirmed') return null;
  if (!event.id.startsWith(prefix)) return null;
  if (event.type === 'performed') return event.failure ? true : null;
  return event.failure !== undefined;
}
