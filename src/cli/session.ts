import { planClock, connectEngine, engineOf, messageSchema, type EngineConnection, type Message, type RunPlace } from '../engine/index.ts';
import { readJournal } from '../journal/index.ts';
import { readPlan } from '../engine/index.ts';
import type { Plan } from '../model/index.ts';
import type { Clock, JournalRow } from '../ports/index.ts';
import { createMachine, type Machine, type RunEvent, type RunState, type Stamped } from '../run/index.ts';

/** A run as a view sees it: its plan, its state folded from the journal's rows, and, while it lives, its engine. */
export interface Session {
  readonly place: RunPlace;
  readonly plan: Plan;
  readonly machine: Machine;
  readonly clock: Clock;
  state(): RunState;
  /** Asks the engine for something; null when it agreed, else why not. */
  ask(request: object): Promise<string | null>;
  /** Resolves when the engine's side has ended: the run is closed, or its engine is gone. */
  readonly ended: Promise<void>;
  close(): void;
}

/** `row` is the event as the journal holds it, chain included. */
export type OnEvent = (event: Stamped, state: RunState, fresh: boolean, row: JournalRow) => void;

/** How long an engine may take to answer a view, in real milliseconds. */
const ANSWER_MS = 10_000;

/** Attaches to a run's engine. Null when the run has none. `onEvent` gets every event, `fresh` once the past is told. */
export async function attach(place: RunPlace, onEvent: OnEvent): Promise<Session | null> {
  const engine = await engineOf(place);
  if (!engine) return null;
  const waiting = new Map<number, (refused: string | null) => void>();
  let next = 1;
  let state: RunState | null = null;
  let told = false;
  return new Promise<Session | null>((resolve) => {
    let hello: Extract<Message, { say: 'hello' }> | null = null;
    let machine: Machine | null = null;
    let connection: EngineConnection | null = null;
    const onMessage = (message: Message): void => {
      if (message.say === 'done') waiting.get(message.id)?.(message.refused);
      if (message.say === 'hello') {
        hello = message;
        machine = createMachine(message.plan);
      }
      if (message.say !== 'rows' || !machine) return;
      for (const row of message.rows) {
        const stamped: Stamped = { atMs: row.atMs, event: row.event as unknown as RunEvent };
        state = machine.apply(state, stamped);
        onEvent(stamped, state, told, row as JournalRow);
      }
      if (!told) {
        told = true;
        settle();
      }
    };
    const settle = (): void => {
      if (!hello || !machine || !connection || !told) return;
      const open = connection;
      resolve({
        place,
        plan: hello.plan,
        machine,
        clock: planClock(hello.clock ?? undefined),
        state: () => state!,
        ask: (request) =>
          new Promise((answer) => {
            const id = next++;
            const timer = setTimeout(() => answer('the engine does not answer'), ANSWER_MS);
            waiting.set(id, (refused) => {
              clearTimeout(timer);
              waiting.delete(id);
              answer(refused);
            });
            open.send({ ...request, id });
          }),
        ended: open.ended,
        close: () => open.close(),
      });
    };
    connectEngine(engine.socket, messageSchema, onMessage).then(
      (opened) => {
        connection = opened;
        settle();
      },
      () => resolve(null),
    );
  });
}

/** A run whose engine is gone, as its journal tells it. */
export async function readRun(place: RunPlace): Promise<{ readonly plan: Plan; readonly machine: Machine; readonly state: RunState | null; readonly events: readonly Stamped[]; readonly rows: readonly JournalRow[] }> {
  const plan = await readPlan(place.plan);
  const machine = createMachine(plan);
  const rows = await readJournal(place.journal, { run: place.run });
  const events = rows.map((row): Stamped => ({ atMs: row.atMs, event: row.event as unknown as RunEvent }));
  const state = events.reduce((folded: RunState | null, event) => machine.apply(folded, event), null);
  return { plan, machine, state, events, rows };
}
