import { FailureError } from '../model/index.ts';
import type { Clock, Driven, DriveWish, Reader } from '../ports/index.ts';

/** However fast a lab's time runs, a request leaves no sooner than this after the one before, in real milliseconds. */
const BETWEEN_REAL_MS = 5;
/** So many wait for their answers at most: what is not answered by then is failing already. */
const IN_FLIGHT_MAX = 256;
/** Two failures of one sort within this, in plan milliseconds, are no accident. */
const TOGETHER_MS = 10_000;
/** Nothing sent for longer than both of these is a gap: real milliseconds, and plan milliseconds. */
const GAP_REAL_MS = 10_000;
const GAP_MS = 30_000;

type Request = DriveWish['requests'][number];

/**
 * Sends requests to one server at a steady rate: open loop, so that slow answers hold none of the later ones back.
 * `clock.sleepUntil` is all that it waits by.
 */
export class Drive {
  readonly #wish: DriveWish;
  readonly #read: Pick<Reader, 'get'>;
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #gapMs: number;
  readonly #fromMs: number;
  readonly #inFlight = new Map<number, Promise<void>>();
  readonly #suspects = new Map<string, { readonly atMs: number; readonly why: string }>();
  #sent = 0;
  #failed = 0;
  #lastMs: number;
  #failure: Driven['failure'] = null;
  #gap: string | null = null;
  #isOver = false;

  /** Begins at once. */
  constructor(wish: DriveWish, read: Pick<Reader, 'get'>, clock: Clock) {
    this.#wish = wish;
    this.#read = read;
    this.#clock = clock;
    const nowMs = clock.nowMs();
    // How long a second of plan time is in real milliseconds.
    const secondRealMs = clock.realMsUntil(nowMs + 1_000);
    this.#everyMs = Math.max(1_000 / wish.perSecond, (BETWEEN_REAL_MS / secondRealMs) * 1_000);
    this.#gapMs = Math.max(GAP_MS, (GAP_REAL_MS / secondRealMs) * 1_000);
    this.#fromMs = nowMs;
    this.#lastMs = nowMs;
    void this.#sendAll();
  }

  /** What became of them so far. */
  get seen(): Driven {
    const nowMs = this.#isOver ? this.#lastMs : this.#clock.nowMs();
    const untilMs = Math.min(nowMs, ...[...this.#inFlight.keys()].map((sentMs) => Math.floor(sentMs)));
    const tookMs = Math.max(1, nowMs - this.#fromMs);
    return {
      share: this.#wish.share,
      productionPerSecond: this.#wish.productionPerSecond,
      perSecond: Math.round((this.#sent / tookMs) * 100_000) / 100,
      fromMs: Math.round(this.#fromMs),
      untilMs: Math.round(untilMs),
      sent: this.#sent,
      alone: this.#failure === null ? this.#failed : 0,
      failure: this.#failure,
      gap: this.#gap,
    };
  }

  /** Sends no more, and resolves when all that was sent has come to its end. */
  async end(): Promise<void> {
    if (!this.#isOver) this.#lastMs = this.#clock.nowMs();
    this.#isOver = true;
    await Promise.all(this.#inFlight.values());
  }

  async #sendAll(): Promise<void> {
    let dueMs = this.#fromMs;
    while (!this.#isOver && this.#failure === null) {
      const nowMs = this.#clock.nowMs();
      if (nowMs - this.#lastMs > this.#gapMs)
        this.#gap ??= `nothing was sent for ${Math.round((nowMs - this.#lastMs) / 1_000)} s`;
      this.#lastMs = nowMs;
      const request = this.#wish.requests[this.#sent % this.#wish.requests.length];
      if (request && this.#inFlight.size < IN_FLIGHT_MAX) this.#sendOne(request, nowMs);
      // What is late is left out: a burst is not the rate that was asked for.
      dueMs = Math.max(dueMs + this.#everyMs, nowMs + this.#everyMs / 2);
      await this.#clock.sleepUntil(dueMs);
    }
  }

  #sendOne(request: Request, atMs: number): void {
    this.#sent += 1;
    // Two within one millisecond are told apart.
    let key = atMs;
    while (this.#inFlight.has(key)) key += 0.001;
    const landed = this.#land(request, atMs).finally(() => this.#inFlight.delete(key));
    this.#inFlight.set(key, landed);
  }

  async #land(request: Request, atMs: number): Promise<void> {
    const why = await this.#outcome(request);
    if (why !== null) this.#note(request.name, Math.round(atMs), why);
  }

  async #outcome({ path, headers, withinMs }: Request): Promise<string | null> {
    try {
      const { status, tookMs } = await this.#read.get(path, { headers, timeoutMs: withinMs });
      if (status >= 400) return `was answered ${status}`;
      return tookMs > withinMs ? `took ${Math.round(tookMs)} ms, more than ${withinMs} ms` : null;
    } catch (error) {
      const why = error instanceof FailureError ? error.failure.what : String(error);
      return `got no answer: ${why}`;
    }
  }

  #note(request: string, atMs: number, why: string): void {
    this.#failed += 1;
    const suspect = this.#suspects.get(request);
    if (suspect && Math.abs(suspect.atMs - atMs) <= TOGETHER_MS) {
      const first = suspect.atMs <= atMs ? suspect : { atMs, why };
      if (this.#failure === null || first.atMs < this.#failure.atMs) this.#failure = { ...first, request };
    }
    if (!suspect || suspect.atMs < atMs) this.#suspects.set(request, { atMs, why });
  }
}
