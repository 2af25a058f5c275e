import { FuseWatch } from '../../src/engine/watch-fuse.ts';
import { FleetActor } from '../../src/engine/act.ts';
import { Guarding } from '../../src/engine/guarding.ts';
import { Host } from '../../src/engine/host.ts';
import { knownSteps } from '../../src/engine/kinds.ts';
import { Pacing, type PacingInput } from '../../src/engine/pacing.ts';
import { steadyClock } from '../../src/engine/steady-clock.ts';
import { JournalFailure } from '../../src/journal/index.ts';
import type { Failure, Fleet } from '../../src/model/index.ts';
import type { Outline } from '../../src/plan/index.ts';
import type { Actor, Clock, ExpectedFile, GuardReader, Reader, ServerEffect } from '../../src/ports/index.ts';
import {
  knownClocks,
  lineOf,
  trackOf,
  watchedGuards,
  type Machine,
  type RunEvent,
  type RunState,
} from '../../src/run/index.ts';
import type { Chance } from '../support/chance.ts';
import { virtualClock, type Agenda, type Sleeper } from './agenda.ts';
import type { Disk } from './disk.ts';
import { modelEdge } from './edge.ts';
import { trouble } from './reach.ts';
import type { Lease, Watch } from './watch/index.ts';
import { Ways } from './ways.ts';
import { GOOD, type World } from './world.ts';

export const EXPECTED: readonly ExpectedFile[] = [
  { path: '/etc/api.conf', sha256: GOOD, mode: '0644', owner: 'root:root', text: 'good', show: false },
];

/** How often something that does not show yet, or soaks, is read again. */
const READ_AGAIN_MS = 15_000;

/** Wraps parts of an engine, to plant a bug there. */
export interface Planted {
  readonly machine?: (machine: Machine) => Machine;
  readonly actor?: (actor: Actor, reach: Pick<Ways, 'reader'>, world: World) => Actor;
  /** What reads a server, in the preview and in the run. */
  readonly reader?: (reader: Reader, world: World, server: string) => Reader;
  /** The state must still be what a replay by the true machine gives. */
  readonly isReplayed?: boolean;
  /** The fence lets everybody through. */
  readonly openFence?: boolean;
  /** The disk says yes before it has written. */
  readonly hastyDisk?: boolean;
}

export interface EngineInput {
  readonly agenda: Agenda;
  readonly world: World;
  readonly chance: Chance;
  readonly machine: Machine;
  readonly fleet: Fleet;
  readonly outline: Outline;
  readonly disk: Disk;
  readonly lease: Lease;
  readonly watch: Watch;
  readonly planted: Planted;
  readonly faultiness: () => number;
  /** How wrong the clock on the wall of its machine is. */
  readonly wallOffMs?: () => number;
  readonly readGuard: (owner: Sleeper) => GuardReader;
  readonly readDelay: (owner: Sleeper) => PacingInput['delayOf'];
  /** Whether the mirror holds what was written so far; null: there is none. */
  readonly mirrored: ((seq: number) => Promise<boolean>) | null;
  /** Called with what is durable, as a view is. */
  readonly onEvents: (events: readonly RunEvent[]) => void;
  /** The run is over, or this engine gave up: by a journal that failed, or because another took over. */
  readonly onEnd: (error: unknown) => void;
}

/** One process: the engine's own loop and actor over virtual time, ways and disk. */
export class Engine implements Sleeper {
  readonly #in: EngineInput;
  readonly epoch: number;
  readonly host: Host;
  alive = true;
  asleepUntilMs = 0;
  #current: ServerEffect | null = null;
  #sleptMs = 0;
  readonly #goOn: (skewMs: number, nowMs: number) => void;

  constructor(input: EngineInput) {
    this.#in = input;
    input.lease.epoch += 1;
    this.epoch = input.lease.epoch;
    const { machine, agenda, disk, planted, lease } = input;
    const steady = steadyClock(undefined, (event) => this.host.tell(event), {
      wallMs: () => agenda.nowMs + (input.wallOffMs?.() ?? 0),
      awakeMs: () => agenda.nowMs - this.#sleptMs,
      sinceBootMs: () => agenda.nowMs,
    });
    const clock = virtualClock(agenda, this, steady.nowMs);
    this.#goOn = steady.goOn;
    const actor = this.#actor(clock);
    this.host = new Host({
      machine,
      journal: disk.open(this, this.epoch),
      clock,
      actor: () => actor,
      page: () => this.#page(),
      unattended: null,
      onRows: (rows) => {
        const events = rows.map(({ event }) => event as unknown as RunEvent);
        input.onEvents(events);
        guarding.follow(this.state);
        pacing.follow(this.state, events);
      },
      fence: async () => {
        if (lease.epoch !== this.epoch && !planted.openFence) throw new Error('another engine has taken it over');
        return true;
      },
      reopen: async (cause) => {
        const surplus = await disk.reopen(this, cause);
        const short = cause instanceof JournalFailure && cause.reason === 'full' ? { short: true as const } : {};
        const self = { pid: this.epoch, host: 'here', neap: '0.0.0', after: 'disk' };
        return { surplus, engine: { type: 'engine', ...self, ...short } };
      },
      mirrored: input.mirrored,
    });
    const guarding = new Guarding({
      clock,
      read: input.readGuard(this),
      watched: (state) => watchedGuards(state, machine.index),
      tell: (event) => this.host.tell(event),
    });
    const pacing = new Pacing({
      clock,
      index: machine.index,
      delayOf: input.readDelay(this),
      tell: (event) => this.host.tell(event),
    });
  }

  get state(): RunState {
    return this.host.state;
  }

  /** Replays what is on disk, says its first words, and runs. */
  start(words: readonly RunEvent[]): void {
    this.host.replay(this.#in.disk.events);
    if (this.#in.disk.length > 0) this.#goOn(this.state.skewMs, this.state.nowMs);
    for (const word of words) this.host.tell(word);
    this.host.run().then(
      () => this.#in.onEnd(null),
      (error: unknown) => this.#in.onEnd(error),
    );
  }

  /** Its machine sleeps. */
  sleep(lastsMs: number): void {
    const { agenda } = this.#in;
    this.asleepUntilMs = agenda.nowMs + lastsMs;
    agenda.put(this.asleepUntilMs, null, () => {
      this.#sleptMs += lastsMs;
    });
  }

  /** Something from outside comes to it, when it is awake. Lost when it dies before. */
  hear(work: (host: Host) => void): void {
    this.#in.agenda.put(this.#in.agenda.nowMs, this, () => work(this.host));
  }

  #actor(clock: Clock): Actor {
    const { agenda, world, chance, machine, fleet, outline, watch, planted } = this.#in;
    const ways = new Ways({
      world,
      agenda,
      chance,
      owner: this,
      planted: planted.reader,
      faultiness: this.#in.faultiness,
      current: () => this.#current,
      onDeed: (server, what, effect) => watch.deed(server, what, effect, this.epoch),
      onContact: (server) => watch.contact(server),
    });
    const servers = new Map(fleet.servers.map((server) => [server.name, server]));
    const fleetActor = new FleetActor({
      run: 'r',
      kinds: knownSteps(machine.index.plan, outline, (track, at) => stepIdAt(this.state, machine, track, at)),
      servers,
      reach: ways,
      clock,
      expected: async () => EXPECTED,
      goesHome: () => this.state.mode === 'home',
      readAgainMs: READ_AGAIN_MS,
      fuse: new FuseWatch({
        servers,
        reader: (server) => ways.reader(server),
        clock,
        edge:
          machine.index.plan.header.countdown === undefined
            ? null
            : modelEdge({ world, agenda, chance, owner: this, faultiness: this.#in.faultiness }),
        ask: async () => {
          if (this.#in.lease.epoch !== this.epoch) throw trouble('command', { name: 'the store of claims' });
        },
        known: (name) => knownClocks(this.state, name, machine.index),
        warm: null,
      }),
    });
    const inner = planted.actor?.(fleetActor, ways, world) ?? fleetActor;
    return {
      act: async (effect) => {
        if (!watch.begun(effect, this.epoch)) return new Promise(() => undefined);
        this.#current = effect;
        const made = inner.act(effect);
        this.#current = null;
        const event = await made;
        if (event.type === 'looked' && 'place' in effect) watch.looked(effect, event.outcome, ways.truthOf(effect));
        return event;
      },
    };
  }

  #page(): Promise<Failure | null> {
    const { agenda, chance, faultiness } = this.#in;
    const failure = chance.happens(faultiness()) ? trouble('timeout', { name: 'pager' }).failure : null;
    return new Promise((resolve) => void agenda.put(agenda.nowMs + 100, this, () => resolve(failure)));
  }
}

function stepIdAt(state: RunState, { index }: Machine, track: string, at: number): string {
  const found = trackOf(state, track);
  return (found && lineOf(index, found)[found.steps[at]?.plan ?? -1]?.id) ?? '';
}
