import {
  afterRealMs,
  connectEngine,
  engineOf,
  messageSchema,
  skewed,
  type EngineConnection,
  type Message,
  type RunPlace,
} from '../engine/index.ts';
import { readJournal } from '../journal/index.ts';
import { readPlan } from '../engine/index.ts';
import { FailureError, type Fleet, type Plan } from '../model/index.ts';
import type { Clock, JournalRow } from '../ports/index.ts';
import { createMachine, type Machine, type RunEvent, type RunState, type Stamped } from '../run/index.ts';

/** A run as a view sees it: its plan, its state folded from the journal's rows, and, while it lives, its engine. */
export interface Session {
  readonly place: RunPlace;
  readonly plan: Plan;
  readonly machine: Machine;
  readonly clock: Clock;
  readonly state: () => RunState;
  /** Asks the engine for something; null when it agreed, else why not. */
  readonly ask: (request: object) => Promise<string | null>;
  /** Resolves when the engine's side has ended: the run is closed, or its engine is gone. */
  readonly ended: Promise<void>;
  /** Why the engine stopped before the run's end, in its own words; null: it did not say. */
  readonly stopped: () => string | null;
  close(): void;
}

/** `row` is the event as the journal holds it, chain included. */
export type OnEvent = (event: Stamped, state: RunState, fresh: boolean, row: JournalRow) => void;

/** How long an engine may take to answer a view, in real milliseconds. */
const ANSWER_MS = 10_000;

/** How long an engine may take to tell a view the past, in real milliseconds: a long journal is read whole. */
const TOLD_MS = 60_000;

/** Attaches to a run's engine. Null when the run has none. `onEvent` gets every event, `fresh` once the past is told. */
export async function attach(place: RunPlace, onEvent: OnEvent): Promise<Session | null> {
  const engine = await engineOf(place);
  if (!engine) return null;
  const past = new Past(onEvent);
  try {
    const connection = await connectEngine(engine.socket, messageSchema, (message) => past.take(message));
    // A connection that ends before the past is told is an engine that ended meanwhile.
    if (!(await withinMs(TOLD_MS, Promise.race([past.told, connection.ended])))) {
      connection.close();
      throw silent(place, engine.pid);
    }
    const { plan, machine, clock } = past;
    if (!plan || !machine || !past.state) return null;
    return {
      place,
      plan,
      machine,
      clock: skewed(clock, () => past.state?.skewMs ?? 0),
      state: () => past.state ?? never(),
      ask: past.asks(connection),
      ended: connection.ended,
      stopped: () => past.stopped,
      close: () => connection.close(),
    };
  } catch (error) {
    if (error instanceof FailureError) throw error;
    // It was there a moment ago, and does not listen any more.
    return null;
  }
}

/** Whether it was done in time. */
async function withinMs(ms: number, work: Promise<unknown>): Promise<boolean> {
  let cancel: () => void = () => undefined;
  const late = new Promise<false>((resolve) => {
    cancel = afterRealMs(ms, () => resolve(false));
  });
  const inTime = await Promise.race([work.then(() => true), late]);
  cancel();
  return inTime;
}

function silent({ run }: RunPlace, pid: number): FailureError {
  return new FailureError({
    kind: 'timeout',
    what: `its engine (process ${pid}) is there and does not answer: it is stopped, or hangs`,
    where: `run ${run}`,
    state: 'Its servers are as it left them; their holds end by themselves when it does not renew them',
    remedy: `Let it go on (kill -CONT ${pid}); or end it (kill -9 ${pid}), and then: neap resume ${run}`,
  });
}

/** What an engine said so far, and who still waits for an answer of it. */
class Past {
  readonly #onEvent: OnEvent;
  readonly #waiting = new Map<number, (refused: string | null) => void>();
  readonly told: Promise<void>;
  #isTold = false;
  #tell: () => void = () => undefined;
  plan: Plan | null = null;
  machine: Machine | null = null;
  clock: Fleet['clock'];
  state: RunState | null = null;
  stopped: string | null = null;

  constructor(onEvent: OnEvent) {
    this.#onEvent = onEvent;
    this.told = new Promise((resolve) => {
      this.#tell = resolve;
    });
  }

  take(message: Message): void {
    switch (message.say) {
      case 'hello':
        this.plan = message.plan;
        this.machine = createMachine(message.plan);
        this.clock = message.clock ?? undefined;
        return;
      case 'stopped':
        this.stopped = message.why;
        return;
      case 'done':
        this.#waiting.get(message.id)?.(message.refused);
        return;
      case 'rows':
        for (const row of message.rows) this.#fold(row as unknown as JournalRow);
        // An engine that has only just begun has no past to tell yet: its first rows come next.
        if (this.state === null || message.more) return;
        this.#isTold = true;
        this.#tell();
    }
  }

  asks(connection: EngineConnection): Session['ask'] {
    let next = 1;
    return (request) =>
      new Promise((answer) => {
        const id = next++;
        const settle = (refused: string | null): void => {
          cancel();
          this.#waiting.delete(id);
          answer(refused);
        };
        const cancel = afterRealMs(ANSWER_MS, () =>
          settle(`the engine did not answer within ${ANSWER_MS / 1_000} s, and may have heard it all the same`),
        );
        this.#waiting.set(id, settle);
        void connection.ended.then(() =>
          settle('the engine ended before it answered, and may have heard it all the same'),
        );
        connection.send({ ...request, id });
      });
  }

  #fold(row: JournalRow): void {
    if (!this.machine) return;
    const event: Stamped = { atMs: row.atMs, event: row.event as unknown as RunEvent };
    this.state = this.machine.apply(this.state, event);
    this.#onEvent(event, this.state, this.#isTold, row);
  }
}

function never(): never {
  throw new Error('a session has a state from its first row on');
}

/** A run whose engine is gone, as its journal tells it. */
export async function readRun(place: RunPlace): Promise<{
  readonly plan: Plan;
  readonly machine: Machine;
  readonly state: RunState | null;
  readonly events: readonly Stamped[];
  readonly rows: readonly JournalRow[];
}> {
  const plan = await readPlan(place.plan);
  const machine = createMachine(plan);
  const rows = await readJournal(place.journal, { run: place.run });
  const events = rows.map((row): Stamped => ({ atMs: row.atMs, event: row.event as unknown as RunEvent }));
  const state = events.reduce((folded: RunState | null, event) => machine.apply(folded, event), null);
  return { plan, machine, state, events, rows };
}
