import {
  FailureError,
  type ActStep,
  type Condition,
  type Failure,
  type Json,
  type PlanNeed,
  type Server,
} from '../model/index.ts';
import { canonicalJson } from '../plan/index.ts';
import type { Actor, Clock, Confirmation, ExpectedFile, ServerEffect, StepContext, StepKind } from '../ports/index.ts';
import type { Effect, Looked, Place, RunEvent } from '../run/index.ts';
import { checkNeed, conditionOf, describeVitals } from '../steps/index.ts';
import { Drive } from './drive.ts';
import type { ConnectionRoom } from './connection-room.ts';
import type { Kinds, KnownStep } from './kinds.ts';
import type { Reach } from './reach/index.ts';
import { standingOf } from './standing.ts';
import type { FuseWatch } from './watch-fuse.ts';

/** A soaking step is read again so often, and a change that does not show yet, in plan milliseconds. */
const READ_AGAIN_MS = 2_000;
/** But not more often than this, in real milliseconds, however fast a lab's clock runs. */
const READ_AGAIN_REAL_MS = 50;

type Targeted = Extract<Effect, { place: unknown }>;

export interface ActorInput {
  readonly run: string;
  readonly kinds: Kinds;
  readonly servers: ReadonlyMap<string, Server>;
  readonly reach: Pick<Reach, 'reader' | 'hands'>;
  readonly clock: Clock;
  readonly expected: (server: Server) => Promise<readonly ExpectedFile[]>;
  readonly goesHome: () => boolean;
  /** The change that the journal has for one server's part of a step; null: none. Asked for only where a kind is of another version than the plan's. */
  readonly recorded?: (place: Place) => Json | null;
  /** What else must be true before a step of this kind acts on a server. */
  readonly mayAct?: ((server: Server, kind: StepKind) => Condition) | undefined;
  /** What the journal knows of a server's clocks. */
  readonly known?: (server: string) => StepContext['known'];
  /** Reads clocks while a fuse burns, and turns the balancer's page. */
  readonly fuse: Pick<FuseWatch, 'count' | 'shed'>;
  /** Room for the connections that servers open. */
  readonly room?: Pick<ConnectionRoom, 'has' | 'opened'> | undefined;
  /** How often something that soaks, or does not show yet, is read again, in plan milliseconds; 2 s unless said. */
  readonly readAgainMs?: number;
}

/** Makes effects happen on the servers of a fleet, by the kinds' own code. */
export class FleetActor implements Actor {
  readonly #in: ActorInput;

  constructor(input: ActorInput) {
    this.#in = input;
  }

  async act(effect: ServerEffect): Promise<RunEvent> {
    switch (effect.effect) {
      case 'count':
        return this.#in.fuse.count(effect);
      case 'shed':
        return this.#in.fuse.shed(effect);
      case 'look':
        return {
          type: 'looked',
          id: effect.id,
          outcome: await this.#caught(
            effect,
            () => this.#look(effect),
            (failure) => ({ failure }),
          ),
        };
      case 'perform':
      case 'undo':
        return {
          type: 'performed',
          id: effect.id,
          ...(await this.#caught(
            effect,
            () => this.#perform(effect),
            (failure) => ({ failure }),
          )),
        };
      case 'confirm':
        return {
          type: 'confirmed',
          id: effect.id,
          ...(await this.#caught(
            effect,
            () => this.#confirm(effect),
            (failure) => ({ failure }),
          )),
        };
      case 'diagnose': {
        const vitals = await this.#in.reach.reader(this.#server(effect.target)).vitals();
        return { type: 'diagnosed', id: effect.id, condition: conditionOf(vitals), seen: describeVitals(vitals) };
      }
    }
  }

  async #look(effect: Extract<Targeted, { effect: 'look' }>): Promise<Looked> {
    const drive = this.#driveOf(effect);
    try {
      for (;;) {
        const seen = await this.#lookOnce(effect, drive);
        if (!seen.condition.holds || seen.verdict.verdict === 'refused' || this.#isEnough(effect, seen)) return seen;
        // The way home does not wait for a soak: what it would still show is of no use then.
        const over = effect.soakUntilMs === null || this.#in.clock.nowMs() >= effect.soakUntilMs || this.#in.goesHome();
        if (over && drive === null) return seen;
        if (over) {
          await drive?.end();
          return await this.#lookOnce(effect, drive);
        }
        await this.#pause(effect.soakUntilMs ?? 0);
      }
    } finally {
      void drive?.end();
    }
  }

  /** What a kind wants sent to the server while it soaks. */
  #driveOf({ place, soakUntilMs }: Extract<Targeted, { effect: 'look' }>): Drive | null {
    if (soakUntilMs === null) return null;
    const { kind, input } = this.#in.kinds.of(place);
    const server = this.#server(place.target);
    const wish = kind.drive?.(server, input) ?? null;
    return wish === null ? null : new Drive(wish, this.#in.reach.reader(server), this.#in.clock);
  }

  #isEnough({ place }: Extract<Targeted, { effect: 'look' }>, { readings }: Looked): boolean {
    const { kind } = this.#in.kinds.of(place);
    return kind.enough?.(kind.readings.parse(readings) as never) === true;
  }

  async #lookOnce(effect: Extract<Targeted, { effect: 'look' }>, drive: Drive | null): Promise<Looked> {
    const known = this.#in.kinds.of(effect.place);
    const { step, kind, input } = known;
    const recorded = known.isAsPlanned ? null : this.#recorded(effect.place, known);
    const server = this.#server(effect.place.target);
    const read = this.#in.reach.reader(server);
    const alone = await this.#context(server, step, this.#in.clock.nowMs(), null);
    const context = drive === null ? alone : { ...alone, driven: drive.seen };
    const { pinned, readings } = await kind.observe(server, input, read, context);
    const verdict = kind.decide(kind.pinned.parse(pinned) as never, input);
    const condition: Condition =
      effect.for === 'perform' && kind.judge
        ? kind.judge(kind.readings.parse(readings) as never, input)
        : { holds: true };
    const change = verdict.verdict === 'change' ? (verdict.change as never) : null;
    const needs: readonly PlanNeed[] = effect.for === 'undo' ? step.undoNeeds : change === null ? [] : step.needs;
    let need: Condition = { holds: true };
    for (const each of needs) {
      need =
        each.need === 'connections'
          ? ((await this.#in.room?.has(each, server.name, step.nature === 'risk' && effect.for === 'perform')) ?? need)
          : await checkNeed(each, server, read, context);
      if (!need.holds) break;
    }
    if (need.holds && (change !== null || effect.for === 'undo')) need = this.#in.mayAct?.(server, kind) ?? need;
    return {
      verdict: recorded === null ? verdict : inRecordedForm(verdict, recorded),
      condition,
      need,
      readings: readings as Json,
      repeatable: kind.idempotent || (change !== null && kind.sameChangeProvesUntouched?.(change) === true),
      withinBounds: change === null || kind.bounds?.(change, input) === true,
      ...(effect.change === undefined
        ? {}
        : { stands: (await standingOf(kind, server, verdict, known.read(effect.change), read, context)).stands }),
    };
  }

  /** Throws FailureError where today's kind cannot read what an earlier version did: then nothing of it is touched. */
  #recorded(place: Place, { read }: KnownStep): Recorded | null {
    const change = this.#in.recorded?.(place) ?? null;
    return change === null ? null : { change, today: read(change) };
  }

  async #perform(effect: Extract<Targeted, { effect: 'perform' | 'undo' }>): Promise<object> {
    const { step, kind, read } = this.#in.kinds.of(effect.place);
    const server = this.#server(effect.place.target);
    const hands = this.#in.reach.hands(server);
    const change = read(effect.change);
    const context = await this.#context(server, step, this.#in.clock.nowMs(), null);
    await (effect.effect === 'perform'
      ? kind.perform(server, change, hands, context)
      : kind.undo?.(server, change, hands, context));
    return {};
  }

  async #confirm(effect: Extract<Targeted, { effect: 'confirm' }>): Promise<{ readings?: Json }> {
    const { clock } = this.#in;
    let proven: Confirmation = { done: false, why: 'it was not read yet' };
    for (;;) {
      const wasDone = proven.done;
      proven = await this.#confirmOnce(effect);
      const now = clock.nowMs();
      if (proven.done) this.#in.room?.opened(effect.place.target);
      if (proven.done && (effect.soakUntilMs === null || now >= effect.soakUntilMs))
        return proven.readings === undefined ? {} : { readings: proven.readings };
      // Once confirmed, it must stay so through its soak.
      if (!proven.done && (wasDone || now >= effect.deadlineMs)) throw this.#notConfirmed(effect, proven.why, wasDone);
      await this.#pause(Math.max(effect.deadlineMs, effect.soakUntilMs ?? 0));
    }
  }

  async #confirmOnce(effect: Extract<Targeted, { effect: 'confirm' }>): Promise<Confirmation> {
    const known = this.#in.kinds.of(effect.place);
    const { step, kind, input } = known;
    const change = known.read(effect.change);
    const server = this.#server(effect.place.target);
    const read = this.#in.reach.reader(server);
    const context = await this.#context(server, step, effect.sinceMs, effect.priorBootId);
    if (effect.for === 'perform') return kind.confirm(server, change, read, context);
    // Undone is when the same step would do the same again.
    const { pinned } = await kind.observe(server, input, read, context);
    const verdict = kind.decide(kind.pinned.parse(pinned) as never, input);
    const asBefore = verdict.verdict === 'change' && canonicalJson(verdict.change) === canonicalJson(change);
    return asBefore ? { done: true } : { done: false, why: 'it is not as it was before the step' };
  }

  async #context(
    server: Server,
    { undoes }: ActStep,
    sinceMs: number,
    priorBootId: string | null,
  ): Promise<StepContext> {
    return {
      expected: await this.#in.expected(server),
      nowMs: this.#in.clock.nowMs(),
      sinceMs,
      priorBootId,
      // What an earlier run replaced lies where that run put it.
      keep: `neap-${undoes?.run ?? this.#in.run}`,
      known: this.#in.known?.(server.name) ?? [],
    };
  }

  async #pause(untilMs: number): Promise<void> {
    const { clock } = this.#in;
    await clock.sleepUntil(Math.min(untilMs, clock.nowMs() + (this.#in.readAgainMs ?? READ_AGAIN_MS)));
    await clock.pauseRealMs(READ_AGAIN_REAL_MS);
  }

  #server(name: string): Server {
    const server = this.#in.servers.get(name);
    if (!server) throw new Error(`the fleet has no server ${name}`);
    return server;
  }

  #notConfirmed(effect: Targeted, why: string, wasDone: boolean): FailureError {
    const { step } = this.#in.kinds.of(effect.place);
    return new FailureError({
      kind: 'not-confirmed',
      what: wasDone ? `it did not stay confirmed: ${why}` : `it was done and does not show: ${why}`,
      where: `${effect.place.target}, step ${step.id} (${step.title})`,
      state: 'It may be half done',
      remedy: `Look at the server; \`neap status ${this.#in.run}\` shows the others`,
    });
  }

  async #caught<T, U>(effect: Targeted, work: () => Promise<T>, failed: (failure: Failure) => U): Promise<T | U> {
    try {
      return await work();
    } catch (error) {
      const { step } = this.#in.kinds.of(effect.place);
      const where = `${effect.place.target}, step ${step.id} (${step.title})`;
      if (error instanceof FailureError) return failed({ ...error.failure, where });
      const what = (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, ' ').slice(0, 300);
      return failed({
        kind: 'internal',
        what,
        where,
        state: 'What it had begun is not known',
        remedy: 'This is a defect of neap or of the step kind: see the engine log',
      });
    }
  }
}

/** A change that an earlier version of its kind made: as the journal has it, and in today's form. */
interface Recorded {
  readonly change: Json;
  readonly today: Json;
}

/** The run machine holds what is seen against its journal: the same change is told as it was written there. */
function inRecordedForm(verdict: Looked['verdict'], { change, today }: Recorded): Looked['verdict'] {
  const isSame = verdict.verdict === 'change' && canonicalJson(verdict.change) === canonicalJson(today);
  return isSame ? { ...verdict, change } : verdict;
}
