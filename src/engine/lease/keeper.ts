import { FailureError } from '../../model/index.ts';
import type { LeaseStore } from '../../ports/index.ts';
import type { RunEvent } from '../../run/index.ts';
import { afterRealMs, wallClockMs } from '../clock.ts';
import { FRESH_MS, JUST_NOW_MS, RENEW_AGAIN_MS, RENEW_MS } from './limits.ts';
import { holdingText, StaleEngine } from './words.ts';

export interface KeeperInput {
  readonly store: LeaseStore;
  readonly run: string;
  readonly epoch: number;
  /** Told when the store does not answer any more, and when it does again. */
  readonly tell: (event: Extract<RunEvent, { type: 'lease' }>) => void;
  /** Told once when this engine must stop. */
  readonly stop: (why: StaleEngine) => void;
  /** Asks the servers' own records whether somebody took the run over while this engine was silent; they call `overrun`. */
  readonly probe: () => Promise<void>;
  /** The wall clock. */
  readonly nowMs?: () => number;
}

/**
 * Keeps a run's lease: renews it in the background, and knows at any moment whether this engine may still act.
 *
 * Before a batch of effects the store is asked only if the last renewal is older than `FRESH_MS`. That is as safe as
 * asking each time: nobody may take a lease over before it was silent for `SILENT_MS`, which is longer; an engine that
 * was stopped, or whose machine slept, finds its renewal old when it wakes and asks first; and a person who overrides
 * that writes a higher epoch into the servers' own fences, which refuse what this engine still sends, and which it asks
 * itself when it wakes after a silence. Only a balancer and a BMC cannot refuse, so `ask` goes to the store right before
 * each request to one.
 */
export class Keeper {
  readonly #in: KeeperInput;
  #epoch: number;
  #renewedAtMs: number;
  #lost = false;
  #over: StaleEngine | null = null;
  #ended = false;
  #cancel: () => void = () => undefined;
  #asking: Promise<void> | null = null;

  /** `input` was granted just now. */
  constructor(input: KeeperInput) {
    this.#in = input;
    this.#epoch = input.epoch;
    this.#renewedAtMs = this.#nowMs();
    this.#again(RENEW_MS);
  }

  /** Whether the store has not answered for too long: then nothing may be done that no server checks. */
  get lost(): boolean {
    return this.#lost;
  }

  /** Before effects are made. Rejects with StaleEngine; false: the store was just lost, so think again. */
  async assure(): Promise<boolean> {
    this.#refuseWhenOver();
    if (this.#isWithin(FRESH_MS)) return true;
    const wasLost = this.#lost;
    await this.#renew();
    this.#refuseWhenOver();
    return wasLost || !this.#lost;
  }

  /** Right before what no server can check. Rejects when this engine is stale, or cannot know that it is not. */
  async ask(): Promise<void> {
    if (!this.#isWithin(JUST_NOW_MS)) await this.#renew();
    this.#refuseWhenOver();
    if (this.#isWithin(FRESH_MS)) return;
    throw new FailureError({
      // As if it had not been reached: it is tried again.
      kind: 'unreachable',
      what: 'the store of claims does not answer, so this engine cannot know that it still holds the run',
      where: this.#in.store.name,
      state: 'Nothing was sent',
      remedy: 'Bring the store back; the run then goes on by itself',
    });
  }

  /** A server says that another engine is on it, or that the run was ended there: the store is not needed to know. */
  overrun(by: string): void {
    this.#stop(`${by}, as a server's own record says`);
  }

  /** The run is held under a higher epoch now. */
  rise(epoch: number): void {
    this.#epoch = epoch;
  }

  /** No more renewals; the lease itself stays. */
  end(): void {
    this.#ended = true;
    this.#cancel();
  }

  #refuseWhenOver(): void {
    if (this.#over) throw this.#over;
  }

  #nowMs(): number {
    return (this.#in.nowMs ?? wallClockMs)();
  }

  #isWithin(ms: number): boolean {
    const age = this.#nowMs() - this.#renewedAtMs;
    // A clock that was set back proves nothing.
    return age >= 0 && age < ms;
  }

  #again(ms: number): void {
    this.#cancel();
    if (!this.#ended) this.#cancel = afterRealMs(ms, () => void this.#renew());
  }

  /** One question at a time: who comes meanwhile gets the same answer. */
  #renew(): Promise<void> {
    this.#asking ??= this.#renewOnce().finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  async #renewOnce(): Promise<void> {
    const { store, run, tell } = this.#in;
    const epoch = this.#epoch;
    const askedAtMs = this.#nowMs();
    const wasSilent = !this.#isWithin(FRESH_MS);
    try {
      if (await store.renew(run, epoch)) {
        if (wasSilent) await this.#in.probe();
        this.#renewedAtMs = askedAtMs;
        if (this.#lost) tell({ type: 'lease', standing: 'held', seen: store.name });
        this.#lost = false;
        this.#again(RENEW_MS);
        return;
      }
      // It rose while the answer was under way.
      if (epoch !== this.#epoch) return this.#again(RENEW_AGAIN_MS);
      const now = await store.holding(run).catch(() => null);
      this.#stop(now === null ? 'its lease was released by somebody else' : holdingText(now));
    } catch (error) {
      if (!this.#lost && !this.#isWithin(FRESH_MS)) {
        this.#lost = true;
        const seen = error instanceof FailureError ? error.failure.what : String(error);
        tell({ type: 'lease', standing: 'lost', seen: `${store.name}: ${seen}`.slice(0, 300) });
      }
      this.#again(RENEW_AGAIN_MS);
    }
  }

  #stop(by: string): void {
    if (this.#over || this.#ended) return;
    this.#over = new StaleEngine({
      kind: 'condition',
      what: `another engine has taken this run over: ${by}`,
      where: `run ${this.#in.run}`,
      state: 'This engine stopped before its next effect; what it had sent before may still come through',
      remedy: `Watch the run from where it goes on now: neap attach ${this.#in.run}`,
    });
    this.end();
    this.#in.stop(this.#over);
  }
}
