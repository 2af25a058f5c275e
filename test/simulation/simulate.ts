import type { Host } from '../../src/engine/host.ts';
import type { Plan } from '../../src/model/index.ts';
import { hashOf } from '../../src/plan/compile.ts';
import { canonicalJson } from '../../src/plan/index.ts';
import {
  burningOf,
  createMachine,
  type Machine,
  type RunEvent,
  type RunState,
  type Stamped,
} from '../../src/run/index.ts';
import { Chance } from '../support/chance.ts';
import { paperFleet } from '../support/fleet.ts';
import { paperPlan } from '../support/plans.ts';
import { Agenda } from './agenda.ts';
import { befallWorld, befoul, calmDown, drift } from './chaos.ts';
import { Delays } from './delays.ts';
import { Disk } from './disk.ts';
import { COUNTDOWN, Expiries } from './edge.ts';
import { Engine, EXPECTED, type EngineInput, type Planted } from './engine.ts';
import { Flaps } from './flaps.ts';
import { People } from './people.ts';
import { modelReader } from './reach.ts';
import { RUNBOOKS } from './runbooks.ts';
import { shapeOf, type Mishap, type Shape } from './shape.ts';
import { transcript } from './transcript.ts';
import { Broken, Watch } from './watch/index.ts';
import { World } from './world.ts';

/** So long after the world is calm every run must have ended: renewals, gates and soaks included. */
const CLOSED_WITHIN_MS = 6 * 60 * 60_000;
const EVENTS_MAX = 30_000;

/** What a seed's run did. */
export interface Told {
  readonly shape: Shape;
  readonly outcome: string;
  readonly events: readonly Stamped[];
  /** How many engines there were. */
  readonly engines: number;
  readonly appends: number;
  readonly resets: number;
  readonly virtualMs: number;
}

export class SimulationFailed extends Error {
  readonly promise: string;
  readonly shape: Shape;
  readonly transcript: string;
  /** How much happened until then: of two that break the same promise, the shorter tells more. */
  readonly events: number;

  constructor(shape: Shape, promise: string, what: string, told: string, events: number) {
    super(`seed ${shape.seed}: ${what}`);
    this.promise = promise;
    this.shape = shape;
    this.transcript = told;
    this.events = events;
  }
}

/**
 * One run of the real machine and the real engine loop from a seed. Throws SimulationFailed when a promise is broken;
 * null: the preview refused the plan, so nothing ran.
 */
export async function simulate(shape: Shape | number, planted: Planted = {}): Promise<Told | null> {
  const simulation = await prepare(typeof shape === 'number' ? shapeOf(shape) : shape, planted);
  return simulation && simulation.run();
}

async function prepare(shape: Shape, planted: Planted): Promise<Simulation | null> {
  const chance = new Chance(shape.seed + 0x50);
  const runbook = RUNBOOKS.find(({ name }) => name === shape.runbook)?.runbook;
  if (!runbook) throw new Error(`there is no runbook ${shape.runbook}`);
  const fleet = fleetOf(shape);
  const world = new World(chance, fleet.servers);
  befoul(world, chance, shape.runbook);
  const except = chance.happens(0.2)
    ? [{ server: fleet.servers.at(-1)?.name ?? '', reason: 'it is being mended', traffic: 'out' as const }]
    : [];
  const before = JSON.stringify([...world.servers.values()]);
  const { plan, outline } = await paperPlan({
    runbook,
    fleet,
    except,
    reader: (server) => {
      const reader = modelReader(world, server);
      return planted.reader?.(reader, world, server) ?? reader;
    },
    expected: EXPECTED,
  });
  if (world.deeds.length > 0 || JSON.stringify([...world.servers.values()]) !== before)
    throw new SimulationFailed(shape, 'promise 1', 'the preview changed the world', '', 0);
  if (plan.header.findings.some(({ severity, code }) => severity === 'refusal' && code !== 'hung' && code !== 'except'))
    return null;
  drift(world, chance);
  const machine = createMachine(withTimes(plan, shape));
  return new Simulation({ shape, world, machine, fleet, outline, planted });
}

/** Fleets on paper are the same for many seeds, and nobody changes them. */
const fleets = new Map<string, ReturnType<typeof paperFleet>>();

function fleetOf({ servers, domains, balanced }: Shape): ReturnType<typeof paperFleet> {
  const key = `${servers}/${domains}/${balanced}`;
  const balancers = { api: { offline: 'leaves', requestsPerSecond: 1_000, returnSurge: 1 } } as const;
  const fleet = fleets.get(key) ?? { ...paperFleet({ servers, domains }), ...(balanced ? { balancers } : {}) };
  fleets.set(key, fleet);
  return fleet;
}

/** The plan with what the configuration adds to it: a mirror, freezes, an agreed end. */
function withTimes(plan: Plan, { mirror, freezes, opensAtMs, closesAtMs, edge }: Shape): Plan {
  const header = {
    ...plan.header,
    mirror: mirror ? 'elsewhere' : null,
    freezes: [...freezes],
    window: {
      ...plan.header.window,
      opensAtMs,
      closesAtMs: closesAtMs === null ? null : closesAtMs + (opensAtMs ?? 0),
    },
    ...(edge && fuseGates(plan).size > 0 ? { countdown: COUNTDOWN } : {}),
  };
  return { ...plan, hash: hashOf(header), header };
}

/** The gates behind which an outage begins. */
function fuseGates({ header }: Plan): ReadonlySet<string> {
  return new Set(header.steps.flatMap((step) => (step.step === 'gate' && step.fuse !== null ? [step.id] : [])));
}

interface Setting {
  readonly shape: Shape;
  readonly world: World;
  readonly machine: Machine;
  readonly fleet: ReturnType<typeof paperFleet>;
  readonly outline: Awaited<ReturnType<typeof paperPlan>>['outline'];
  readonly planted: Planted;
}

/** A world, a disk, people, and one engine after another on it, in virtual time. */
class Simulation {
  readonly #in: Setting;
  readonly #agenda = new Agenda();
  readonly #disk: Disk;
  readonly #watch: Watch;
  readonly #people: People;
  readonly #flaps: Flaps;
  readonly #delays: Delays;
  readonly #expiries: Expiries;
  readonly #machine: Machine;
  readonly #lease = { epoch: 0 };
  readonly #events: Stamped[] = [];
  /** What folding the durable rows gives, by the true machine: the engine's own state must be the same. */
  #state: RunState | null = null;
  #engine: Engine | null = null;
  #engines = 0;
  #mirrorBehindUntilMs = 0;
  #wallOffMs = 0;
  #mended = false;
  #broken: Error | null = null;

  constructor(setting: Setting) {
    this.#in = setting;
    const { world, machine, outline, shape, planted } = setting;
    this.#machine = planted.machine?.(machine) ?? machine;
    this.#watch = new Watch({ machine, outline, world, lease: this.#lease, broken: (error) => this.#break(error) });
    const commit = new Chance(shape.seed + 0x56);
    this.#disk = new Disk({
      agenda: this.#agenda,
      fateOf: (append) => this.#diskMishap(append)?.fate ?? null,
      commitMs: () => (shape.commitMs === 0 ? 0 : commit.whole(0, shape.commitMs)),
      hasty: planted.hastyDisk === true,
      onDurable: (stamped) => this.#durable(stamped),
      opensAgain: () => commit.happens(0.7),
      crash: () => this.#down(this.#diskMishap(this.#disk.appends)?.downMs ?? 0),
    });
    this.#people = new People({
      world,
      agenda: this.#agenda,
      chance: new Chance(shape.seed + 0x54),
      machine,
      calmAtMs: shape.people ? shape.calmAtMs : 0,
      state: () => this.#now,
      skewMs: () => this.#wallOffMs - (this.#state?.skewMs ?? 0),
      say: (work) => this.#say(work),
    });
    const { guards } = machine.index.plan.header;
    const isPlanned = machine.index.plan.header.countdown !== undefined;
    this.#expiries = new Expiries(world, isPlanned, fuseGates(machine.index.plan));
    this.#delays = new Delays(shape.seed, this.#agenda, shape.calmAtMs);
    this.#flaps = new Flaps(guards, shape.seed + 0x60, this.#agenda, shape.guards ? shape.calmAtMs : 0);
  }

  get #now(): RunState {
    if (this.#state === null) throw new Error('not opened');
    return this.#state;
  }

  async run(): Promise<Told> {
    const { shape, world } = this.#in;
    try {
      for (const mishap of shape.mishaps) this.#schedule(mishap);
      this.#agenda.put(shape.calmAtMs, null, () => this.#calm());
      this.#agenda.put(shape.calmAtMs + 60_000, null, () => this.#tellAgain());
      this.#people.ahead();
      this.#start();
      while (!this.#mended) await this.#pass();
    } catch (error) {
      this.#fail(this.#broken ?? error);
    }
    return {
      shape,
      outcome: this.#now.closed?.outcome ?? 'open',
      events: this.#events,
      engines: this.#engines,
      appends: this.#disk.appends,
      resets: world.deeds.filter(({ what }) => what === 'reset').length,
      virtualMs: this.#agenda.nowMs,
    };
  }

  /** Everything that can go on at this instant does; then time goes on to what is due next. */
  async #pass(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.#broken !== null) throw this.#broken;
    if (this.#mended) return;
    if (this.#events.length > EVENTS_MAX) throw new Broken('promise 12', `more than ${EVENTS_MAX} events`);
    if (this.#agenda.nowMs > this.#in.shape.calmAtMs + CLOSED_WITHIN_MS)
      throw new Broken('promise 12', 'the world is calm, gates are answered, and the run does not end');
    const happen = this.#agenda.take();
    if (!happen) throw new Broken('promise 12', 'nothing is under way, and nothing is waited for');
    this.#in.world.advance(this.#agenda.nowMs);
    this.#demandShed();
    happen();
  }

  /** Nobody meets an expiry that cannot be refreshed with traffic, where the run could have known. */
  #demandShed(): void {
    const engine = this.#engine;
    const isFree = engine?.alive === true && engine.asleepUntilMs <= this.#agenda.nowMs && !this.#isHindered();
    this.#expiries.demand(isFree, (server) => this.#state?.out[server] !== undefined);
  }

  /** The disk, or the lease, keeps every effect waiting. */
  #isHindered(): boolean {
    return this.#state?.closed !== null;
  }

  /** An engine that slept may hear bad news after the good news that ended it, and a word to halt after its end. */
  #tellAgain(): void {
    if (!this.#state || this.#state.closed) return;
    const { halted, mirrorBehind, leaseLost } = this.#state;
    const seen = 'calm';
    if (halted) this.#say((host) => host.request({ ask: 'unhalt', id: 1, by: 'somebody' }, 'somebody'));
    if (mirrorBehind) this.#untilHeard('mirrorBehind', { type: 'mirror', standing: 'current', seen });
    if (leaseLost) this.#untilHeard('leaseLost', { type: 'lease', standing: 'held', seen });
    this.#agenda.put(this.#agenda.nowMs + 60_000, null, () => this.#tellAgain());
  }

  #start(): void {
    this.#engines += 1;
    const { shape, world, fleet, outline, planted, machine } = this.#in;
    const { hash, header } = machine.index.plan;
    const input: EngineInput = {
      agenda: this.#agenda,
      world,
      chance: new Chance(shape.seed + 0x53 + this.#engines * 0x1000),
      machine: this.#machine,
      fleet,
      outline,
      disk: this.#disk,
      lease: this.#lease,
      watch: this.#watch,
      planted,
      faultiness: () => (this.#agenda.nowMs < shape.calmAtMs ? shape.faults : 0),
      wallOffMs: () => this.#wallOffMs,
      readGuard: (owner) => this.#flaps.reader(owner),
      readDelay: (owner) => this.#delays.reader(owner),
      mirrored: header.mirror === null ? null : () => this.#mirrored(),
      onEvents: (events) => this.#seen(events),
      onEnd: (error) => this.#ended(engine, error),
    };
    const engine = new Engine(input);
    this.#engine = engine;
    const opening: RunEvent[] = [
      { type: 'opened', run: 'r', plan: hash, title: 'simulated', by: 'somebody', host: 'here' },
      { type: 'approved', plan: hash, by: 'somebody' },
    ];
    engine.start([
      ...(this.#disk.length === 0 ? opening : []),
      { type: 'engine', pid: this.#engines, host: 'here', neap: '0.0.0' },
    ]);
  }

  /** An engine's loop came to its end. */
  #ended(engine: Engine, error: unknown): void {
    if (!engine.alive) return;
    engine.alive = false;
    if (engine !== this.#engine) return;
    if (error === null) {
      this.#demandReplay(engine);
      this.#mended = true;
    } else if (isExpected(error)) {
      this.#agenda.put(this.#agenda.nowMs + (this.#diskMishap(this.#disk.appends)?.downMs ?? 1_000), null, () =>
        this.#start(),
      );
    } else this.#break(error);
  }

  /** The engine dies: whoever waited in it waits no more, and what was sent may still come through. */
  #down(downMs: number): void {
    const engine = this.#engine;
    if (!engine?.alive) return;
    engine.alive = false;
    this.#agenda.put(this.#agenda.nowMs + downMs, null, () => {
      if (this.#engine === engine) this.#start();
    });
  }

  #durable(stamped: Stamped): void {
    try {
      this.#watch.event(this.#state, stamped);
      this.#state = this.#in.machine.apply(this.#state, stamped);
      this.#expiries.event(
        stamped.event,
        this.#state.fuse === null || burningOf(this.#state, this.#in.machine.index) === null,
      );
      this.#events.push(stamped);
    } catch (error) {
      this.#break(error);
    }
  }

  #seen(events: readonly RunEvent[]): void {
    for (const event of events) {
      if (event.type !== 'intended') continue;
      if (event.effect.effect === 'ask') this.#people.asked(event.effect);
      if (event.effect.effect === 'page') this.#people.paged();
      if (event.effect.effect === 'pass') this.#workBegins(event.effect.gate);
    }
  }

  /** Somebody said that the work may start: the database goes, for as long as it takes. */
  #workBegins(gate: string): void {
    const { world, shape, machine } = this.#in;
    const { outageMs } = shape;
    if (outageMs === null || outageMs === undefined || !fuseGates(machine.index.plan).has(gate)) return;
    if (this.#agenda.nowMs + outageMs >= shape.calmAtMs) return;
    befallWorld(world, this.#agenda, new Chance(shape.seed + 0x71), 'database', outageMs);
  }

  #say(work: (host: Host) => void): void {
    if (this.#engine?.alive && this.#state) this.#engine.hear(work);
  }

  #diskMishap(append: number): Extract<Mishap, { sort: 'disk' }> | undefined {
    for (const mishap of this.#in.shape.mishaps) if (mishap.sort === 'disk' && mishap.append === append) return mishap;
    return undefined;
  }

  #schedule(mishap: Mishap): void {
    if (mishap.sort === 'disk') return;
    const chance = new Chance(this.#in.shape.seed * 31 + numberOf(mishap.id));
    this.#agenda.put(mishap.atMs, null, () => this.#befall(mishap, chance));
  }

  #befall(mishap: Exclude<Mishap, { sort: 'disk' }>, chance: Chance): void {
    const later = (afterMs: number, happen: () => void): void =>
      void this.#agenda.put(this.#agenda.nowMs + afterMs, null, happen);
    const seen = mishap.id;
    switch (mishap.sort) {
      case 'trouble':
        befallWorld(this.#in.world, this.#agenda, chance, mishap.trouble, mishap.lastsMs);
        return;
      case 'kill':
        this.#down(mishap.downMs);
        return;
      case 'sleep':
        this.#sleep(mishap.lastsMs, mishap.takeover);
        return;
      case 'clock':
        this.#wallOffMs += mishap.byMs;
        return;
      case 'arm':
        this.#people.arm();
        return;
      case 'abort':
        this.#people.abort(mishap.part);
        return;
      case 'calendar':
        this.#say((host) => host.tell({ type: 'freezes', unread: seen }));
        later(mishap.lastsMs, () => this.#readCalendars(mishap.lastsMs));
        return;
      case 'halt': {
        this.#say((host) => host.request({ ask: 'halt', id: 1, by: 'somebody' }, 'somebody'));
        const unhalt = (): void => {
          this.#say((host) => host.request({ ask: 'unhalt', id: 1, by: 'somebody' }, 'somebody'));
          if (this.#state?.halted && !this.#state.closed) later(60_000, unhalt);
        };
        later(mishap.lastsMs, unhalt);
        return;
      }
      case 'lease':
        this.#say((host) => host.tell({ type: 'lease', standing: 'lost', seen }));
        later(mishap.lastsMs, () => this.#untilHeard('leaseLost', { type: 'lease', standing: 'held', seen }));
        return;
      case 'mirror':
        this.#mirrorBehindUntilMs = this.#agenda.nowMs + mishap.lastsMs;
        this.#say((host) => host.tell({ type: 'mirror', standing: 'behind', seen }));
        later(mishap.lastsMs, () => this.#untilHeard('mirrorBehind', { type: 'mirror', standing: 'current', seen }));
    }
  }

  /** They say what the plan knew, and one more freeze, and that is told until an engine heard it. */
  #readCalendars(lastsMs: number): void {
    const fromMs = this.#agenda.nowMs + lastsMs;
    const freezes = [...this.#in.shape.freezes, { title: 'a new one', fromMs, toMs: fromMs + lastsMs }];
    this.#untilHeard('freezesUnread', { type: 'freezes', freezes });
  }

  /** Good news is told again until an engine heard it. */
  #untilHeard(what: 'leaseLost' | 'mirrorBehind' | 'freezesUnread', event: RunEvent): void {
    this.#say((host) => host.tell(event));
    this.#agenda.put(this.#agenda.nowMs + 5_000, null, () => {
      // Without a state no engine was there to hear it.
      if (this.#state?.[what] !== null && !this.#state?.closed) this.#untilHeard(what, event);
    });
  }

  /** The engine's machine sleeps. Another may take the run over meanwhile; then the sleeper wakes up as a zombie. */
  #sleep(lastsMs: number, takeover: boolean): void {
    const engine = this.#engine;
    if (!engine?.alive) return;
    engine.sleep(lastsMs);
    if (takeover)
      this.#agenda.put(this.#agenda.nowMs + lastsMs / 2, null, () => {
        if (this.#engine === engine && engine.alive && !this.#state?.closed) this.#start();
      });
  }

  /** Waits a moment for a mirror that is behind. */
  #mirrored(): Promise<boolean> {
    const isThere = (): boolean => this.#mirrorBehindUntilMs <= this.#agenda.nowMs;
    const engine = this.#engine;
    return new Promise(
      (resolve) =>
        void this.#agenda.put(this.#agenda.nowMs + (isThere() ? 50 : 5_000), engine, () => resolve(isThere())),
    );
  }

  #calm(): void {
    calmDown(this.#in.world, this.#agenda);
    this.#agenda.put(this.#agenda.nowMs + 600_000, null, () => this.#calm());
  }

  /** State is what replaying the journal gives, from its own text, and nothing else. */
  #demandReplay(engine: Engine): void {
    const { machine, isReplayed } = this.#in.planted;
    if ((machine === undefined || isReplayed) && canonicalJson(engine.state) !== canonicalJson(this.#state))
      this.#break(new Broken('promise 3', 'replaying the journal gives another state'));
  }

  #break(error: unknown): void {
    this.#broken ??= error instanceof Error ? error : new Error(String(error));
  }

  #fail(error: unknown): never {
    const { shape } = this.#in;
    const told = transcript({ shape, events: this.#events, state: this.#state });
    if (error instanceof Broken)
      throw new SimulationFailed(shape, error.promise, error.message, told, this.#events.length);
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    throw new SimulationFailed(shape, 'no exception', what, told, this.#events.length);
  }
}

/** An engine may end because its journal failed, or because another took over; by nothing else. */
function isExpected(error: unknown): boolean {
  return error instanceof Error && (error.name === 'JournalFailure' || error.message.includes('taken it over'));
}

function numberOf(text: string): number {
  let hash = 7;
  for (const letter of text) hash = (hash * 31 + letter.charCodeAt(0)) >>> 0;
  return hash;
}
