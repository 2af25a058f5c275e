import type { Failure, JsonObject } from '../model/index.ts';
import type { Actor, Clock, Journal, JournalRow } from '../ports/index.ts';
import { gateOf, type Effect, type Machine, type RunEvent, type RunState, type Stamped } from '../run/index.ts';
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
  /** Throws when another engine has taken the run over: then nothing more may be done. */
  readonly fence: () => Promise<void>;
}

/**
 * The local host of the run machine: appends what it decides, makes its effects once their intention is on disk, and
 * feeds back what became of them. One loop; everything that happens comes in through `#inbox`.
 */
export class Host {
  readonly #in: HostInput;
  readonly #inbox: RunEvent[] = [];
  #state: RunState | null = null;
  #wake: () => void = () => undefined;

  constructor(input: HostInput) {
    this.#in = input;
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
    this.#inbox.push(event);
    this.#wake();
  }

  /** Runs until the run is closed. Rejects when the journal fails or another engine took over: then nothing more is done here. */
  async run(): Promise<RunState> {
    for (;;) {
      if (this.#inbox.length > 0) {
        await this.#write(this.#inbox.splice(0));
        continue;
      }
      if (this.state.closed) return this.state;
      const { decision, effects, wakeAtMs } = this.#in.machine.next(this.state);
      if (decision) {
        await this.#write([decision]);
      } else if (effects.length > 0) {
        if (effects.some((effect) => effect.effect === 'perform' || effect.effect === 'undo')) await this.#in.fence();
        // On disk before anything is done (promise 3).
        await this.#write(effects.map((effect) => ({ type: 'intended', effect })));
        for (const effect of effects) this.#start(effect);
      } else {
        await this.#sleep(wakeAtMs);
      }
    }
  }

  /** A person's word, checked before it becomes an event. Null: taken; else why not. */
  request(request: Request, by: string): string | null {
    switch (request.ask) {
      case 'answer': {
        const gate = this.state.tracks
          .map((track) => gateOf(track, this.#in.machine.index))
          .find((each) => each?.id === request.gate);
        if (!gate || (gate.state.phase !== 'asked' && gate.state.phase !== 'waiting'))
          return `gate ${request.gate} is not open now`;
        const answers = Object.keys(gate.step.answers);
        if (!answers.includes(request.answer))
          return `"${request.answer}" is no answer to gate ${request.gate}: ${answers.join(', ')}`;
        const givenAtMs = Math.min(request.givenAtMs, this.#in.clock.nowMs());
        this.tell({
          type: 'answered',
          gate: request.gate,
          answer: request.answer,
          by,
          givenAtMs,
          ...(request.reason === undefined ? {} : { reason: request.reason }),
        });
        return null;
      }
      case 'abort':
        this.tell({ type: 'abort', by, reason: request.reason });
        return null;
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

  async #write(events: readonly RunEvent[]): Promise<void> {
    const stamped = events.map((event) => ({ atMs: Math.round(this.#in.clock.nowMs()), event }));
    const rows = await this.#in.journal.append(
      stamped.map(({ atMs, event }) => ({ atMs, event: event as unknown as JsonObject })),
    );
    for (const event of stamped) this.#state = this.#in.machine.apply(this.#state, event);
    this.#in.onRows(rows);
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
        void this.#in
          .page(effect.text)
          .then((failure) => this.tell({ type: 'paged', id: effect.id, ...(failure === null ? {} : { failure }) }));
        return;
      default:
        void this.#in
          .actor()
          .act(effect)
          .then((event) => this.tell(event));
    }
  }

  #openByItself(effect: Extract<Effect, { effect: 'ask' }>): void {
    const { unattended, clock, machine } = this.#in;
    if (unattended === null) return;
    const gate = this.state.tracks
      .map((track) => gateOf(track, machine.index))
      .find((each) => each?.id === effect.gate);
    const answer = Object.entries(gate?.step.answers ?? {}).find(([, does]) => does === 'go-on')?.[0];
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
