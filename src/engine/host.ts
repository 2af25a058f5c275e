import type { Failure, JsonObject } from '../model/index.ts';
import { canonicalJson } from '../plan/index.ts';
import type { Actor, Clock, Journal, JournalRow } from '../ports/index.ts';
import {
  answerOf,
  armByHand,
  gateOf,
  needsMirror,
  overrideOf,
  refusesTo,
  type Effect,
  type Machine,
  type RunEvent,
  type RunState,
  type Stamped,
} from '../run/index.ts';
import type { Request } from './messages.ts';

export interface HostInput {
  readonly machine: Machine;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly actor: () => Actor;
  readonly page: (text: string) => Promise<Failure | null>;
  /** Who opens gates by itself; null: nobody, people do. */
  readonly unattended: string | null;
  /** Called with every row once it is durable. */
  readonly onRows: (rows: readonly JournalRow[]) => void;
  /** Before effects that change something: rejects when another engine has taken the run over; false: something changed, think again. */
  readonly fence: () => Promise<boolean>;
  /**
   * Opens the journal again after it failed: gives the rows that nobody acknowledged and that are there all the same,
   * and the line that an engine begins with. Rejects when nothing more may be done. Without it a failure is the end.
   */
  readonly reopen?: (cause: unknown) => Promise<{ readonly surplus: readonly JournalRow[]; readonly engine: RunEvent }>;
  /** Whether the mirror holds this row; false: it is behind. Null where the run has no mirror. */
  readonly mirrored?: ((seq: number) => Promise<boolean>) | null;
}

/** What flies when the journal fails gets so long to land, in plan milliseconds, before it is taken for in doubt. */
const LANDING_MS = 60_000;

/** Rows that are folded at a time. */
const REPLAY_ROWS = 5_000;

/**
 * The local host of the run machine: appends what it decides, makes its effects once their intention is on disk, and
 * feeds back what became of them. One loop; everything that happens comes in through `#inbox`.
 */
export class Host {
  readonly #in: HostInput;
  readonly #inbox: RunEvent[] = [];
  #state: RunState | null = null;
  #stopped: Error | null = null;
  #wake: () => void = () => undefined;
  /** How often the journal was opened again: what an effect of an earlier life comes to is in doubt, whatever it says. */
  #life = 0;
  /** How often the machine slept or its clock was set: what was decided before is judged again. */
  #jumps = 0;
  readonly #flights = new Set<Promise<void>>();
  /** What was told and could not be written; null while the journal is well. */
  #unwritten: readonly RunEvent[] | null = null;

  constructor(input: HostInput) {
    this.#in = input;
  }

  /** It has begun and is not closed. */
  get isOpen(): boolean {
    return this.#state !== null && !this.#state.closed;
  }

  get state(): RunState {
    if (this.#state === null) throw new Error('the journal has no event "opened" yet');
    return this.#state;
  }

  /** Folds what an earlier engine wrote. */
  replay(events: readonly Stamped[]): void {
    for (const event of events) this.#state = this.#in.machine.apply(this.#state, event);
  }

  /** Something happened outside the loop. */
  tell(event: RunEvent): void {
    if (event.type === 'jumped') this.#jumps += 1;
    this.#inbox.push(event);
    this.#wake();
  }

  /** Nothing more is decided, written or begun here: `run` rejects with this. */
  stop(why: Error): void {
    this.#stopped ??= why;
    this.#wake();
  }

  /** Writes what was told so far. */
  async record(): Promise<void> {
    const told = this.#inbox.splice(0);
    if (told.length > 0) await this.#write(told, told);
  }

  /** Runs until the run is closed. Rejects when the journal is gone for good or another engine took over: then nothing more is done here. */
  async run(): Promise<RunState> {
    for (;;) {
      try {
        return await this.#sail();
      } catch (error) {
        if (this.#unwritten === null || this.#stopped) throw error;
        await this.#goOnAfter(error, this.#unwritten);
      }
    }
  }

  async #sail(): Promise<RunState> {
    for (;;) {
      if (this.#stopped) throw this.#stopped;
      // Nothing is written behind the last line: whoever speaks now speaks to a run that is over.
      if (this.#state?.closed) return this.#state;
      if (this.#inbox.length > 0) {
        const told = this.#inbox.splice(0);
        await this.#write(told, told);
        continue;
      }
      const jumps = this.#jumps;
      const { decision, effects, wakeAtMs } = this.#in.machine.next(this.state);
      if (decision) {
        // An engine that was stopped, and does not know yet who went on meanwhile, closes nothing.
        if (decision.type === 'closed' && !(await this.#in.fence())) continue;
        await this.#write([decision]);
      } else if (effects.length > 0) {
        const acts = effects.some(({ effect }) => effect === 'perform' || effect === 'undo' || effect === 'shed');
        if (acts && !(await this.#in.fence())) continue;
        // On disk before anything is done (promise 3).
        const rows = await this.#write(effects.map((effect) => ({ type: 'intended', effect })));
        // The engine may have been stopped while the disk was busy.
        if (acts) await this.#in.fence();
        this.#demandGoing();
        for (const [at, effect] of effects.entries()) this.#begin(effect, rows[at]?.seq ?? 0, jumps);
      } else {
        await this.#sleep(wakeAtMs);
      }
    }
  }

  #demandGoing(): void {
    if (this.#stopped) throw this.#stopped;
  }

  /** A person's word, checked before it becomes an event. Null: taken; else why not. */
  request(request: Request, by: string): string | null {
    // A view can be quicker than the first line of its run.
    if (this.#state === null) return 'the run is only just beginning: ask again';
    switch (request.ask) {
      case 'answer':
      case 'take-back': {
        const nowMs = this.#in.clock.nowMs();
        const { answer, givenAtMs, reason } =
          request.ask === 'answer' ? request : { answer: null, givenAtMs: nowMs, reason: undefined };
        const said = { gate: request.gate, answer, by, givenAtMs: Math.min(givenAtMs, nowMs), reason };
        const answered = answerOf(this.state, this.#in.machine.index, said);
        if (typeof answered === 'string') return answered;
        this.tell(answered);
        return null;
      }
      case 'arm': {
        const armed = armByHand(this.state, this.#in.machine.index, { ...request, by });
        if (typeof armed === 'string') return armed;
        this.tell(armed);
        return null;
      }
      case 'abort': {
        const { reason, to } = request;
        const refused = to === undefined ? null : refusesTo(this.state, this.#in.machine.index, to);
        if (refused === null) this.tell({ type: 'abort', by, reason, ...(to === undefined ? {} : { to }) });
        return refused;
      }
      case 'override': {
        const overrode = overrideOf(this.state, this.#in.machine.index, { ...request, by });
        if (typeof overrode === 'string') return overrode;
        this.tell(overrode);
        return null;
      }
      case 'halt':
        this.tell({ type: 'halted', by });
        return null;
      case 'unhalt':
        this.tell({ type: 'unhalted', by });
        return null;
      case 'detach':
        this.tell({ type: 'viewed', by, what: 'detached' });
        return null;
    }
  }

  /** `told`: which of these came from outside, and would be lost with a journal that fails. */
  async #write(events: readonly RunEvent[], told: readonly RunEvent[] = []): Promise<readonly JournalRow[]> {
    const stamped = events.map((event) => ({ atMs: Math.round(this.#in.clock.nowMs()), event }));
    const rows = await this.#in.journal
      .append(stamped.map(({ atMs, event }) => ({ atMs, event: event as unknown as JsonObject })))
      .catch((error: unknown) => {
        this.#unwritten = told;
        throw error;
      });
    for (const event of stamped) this.#state = this.#in.machine.apply(this.#state, event);
    this.#in.onRows(rows);
    return rows;
  }

  /**
   * The journal failed: no effect is begun, what flies lands or is given up, and only what a second reading of the
   * journal shows is believed. People's words that it does not show are said again; what effects came to is in doubt.
   */
  async #goOnAfter(cause: unknown, unwritten: readonly RunEvent[]): Promise<void> {
    const { reopen, clock, machine, journal } = this.#in;
    if (!reopen) throw cause;
    this.#life += 1;
    let cancel: () => void = () => undefined;
    const late = new Promise<void>((resolve) => {
      cancel = clock.after(clock.nowMs() + LANDING_MS, resolve);
    });
    await Promise.race([Promise.all(this.#flights), late]);
    cancel();
    const { surplus, engine } = await reopen(cause);
    let state: RunState | null = null;
    for (let next = 1; ;) {
      const rows = await journal.read(next, REPLAY_ROWS);
      const last = rows.at(-1);
      if (last === undefined) break;
      for (const { atMs, event } of rows) state = machine.apply(state, { atMs, event: event as unknown as RunEvent });
      next = last.seq + 1;
    }
    this.#unwritten = null;
    const written = new Set(surplus.map(({ event }) => canonicalJson(event)));
    const lost = unwritten.filter((event) => !('id' in event) && event.type !== 'time' && !isIn(written, event));
    const begins = state === null ? unwritten : [engine, ...lost];
    this.#state = state;
    this.#inbox.unshift(...begins);
    if (surplus.length > 0) this.#in.onRows(surplus);
  }

  /** What has no way back is begun only when its intention lies elsewhere too, or somebody decided otherwise. */
  #begin(effect: Effect, seq: number, jumps: number): void {
    const { mirrored, machine } = this.#in;
    if (!mirrored || !needsMirror(this.state, effect, machine.index)) return this.#beginUnless(effect, jumps);
    void this.#beginMirrored(effect, mirrored(seq), jumps);
  }

  async #beginMirrored(effect: Effect, mirrored: Promise<boolean>, jumps: number): Promise<void> {
    const life = this.#life;
    const held = await mirrored;
    if (life !== this.#life || this.#stopped) return;
    if (held) this.#beginUnless(effect, jumps);
    else this.tell({ type: 'performed', id: effect.id, unsent: true });
  }

  /** A machine that slept between deciding and doing does nothing on what it saw before: that is looked at again. */
  #beginUnless(effect: Effect, jumps: number): void {
    // Whoever is asked for the time notices that it jumped.
    this.#in.clock.nowMs();
    const changes = effect.effect === 'perform' || effect.effect === 'undo';
    if (changes && jumps !== this.#jumps) this.tell({ type: 'performed', id: effect.id, unsent: true });
    else this.#start(effect);
  }

  /** Tells what an effect came to, unless the journal failed meanwhile. */
  #fly(flight: Promise<RunEvent>): void {
    const landed = this.#land(flight, this.#life).finally(() => this.#flights.delete(landed));
    this.#flights.add(landed);
  }

  async #land(flight: Promise<RunEvent>, life: number): Promise<void> {
    const event = await flight;
    if (life === this.#life) this.tell(event);
  }

  #start(effect: Effect): void {
    switch (effect.effect) {
      case 'ask':
        this.tell({ type: 'asked', id: effect.id });
        this.#openByItself(effect);
        return;
      case 'pass':
        return;
      case 'page':
        this.#fly(
          this.#in
            .page(effect.text)
            .then((failure) => ({ type: 'paged', id: effect.id, ...(failure === null ? {} : { failure }) })),
        );
        return;
      default:
        this.#fly(this.#in.actor().act(effect));
    }
  }

  #openByItself(effect: Extract<Effect, { effect: 'ask' }>): void {
    const { unattended, clock, machine } = this.#in;
    if (unattended === null) return;
    const track = this.state.tracks.find((each) => gateOf(each, machine.index)?.id === effect.gate);
    const gate = track && gateOf(track, machine.index);
    // Whoever opens gates unseen knows nothing of what became of an effect.
    const wanted = track?.kind === 'doubt' ? 'go-home' : 'go-on';
    const answer = Object.entries(gate?.step.answers ?? {}).find(([, does]) => does === wanted)?.[0];
    if (answer !== undefined)
      this.tell({
        type: 'answered',
        gate: effect.gate,
        answer,
        by: unattended,
        givenAtMs: clock.nowMs(),
        reason: 'unattended',
      });
  }

  async #sleep(wakeAtMs: number | null): Promise<void> {
    let cancel: () => void = () => undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (wakeAtMs !== null) cancel = this.#in.clock.after(wakeAtMs, () => this.tell({ type: 'time' }));
    });
    cancel();
    this.#wake = () => undefined;
  }
}

/** The journal holds an event as its canonical JSON says it: keys in another order are the same event. */
function isIn(written: ReadonlySet<string>, event: RunEvent): boolean {
  return written.has(canonicalJson(event));
}
