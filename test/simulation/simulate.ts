import { canonicalJson } from '../../src/plan/index.ts';
import {
  actStepOf,
  createMachine,
  isSettled,
  trackOf,
  type Effect,
  type Machine,
  type RunEvent,
  type RunState,
  type Stamped,
  type Track,
} from '../../src/run/index.ts';
import { Chance } from '../support/chance.ts';
import { paperFleet } from '../support/fleet.ts';
import { paperPlan } from '../support/plans.ts';
import { Actor, EXPECTED } from './actor.ts';
import { Agenda } from './agenda.ts';
import { unleash } from './chaos.ts';
import { People } from './people.ts';
import { modelReader } from './reach.ts';
import { RUNBOOKS } from './runbooks.ts';
import { Broken, Watch } from './watch.ts';
import { World } from './world.ts';

/** From here on the world is calm. */
const CALM_AT_MS = 40 * 60_000;
/** And so long after that every run must have ended: renewals, gates and soaks included. */
const CLOSED_BY_MS = CALM_AT_MS + 6 * 60 * 60_000;
const EVENTS_MAX = 20_000;

/** What a seed's run did. */
export interface Told {
  readonly seed: number;
  readonly runbook: string;
  readonly outcome: string;
  readonly events: readonly Stamped[];
  readonly troubles: readonly string[];
  readonly crashes: number;
  readonly resets: number;
  readonly virtualMs: number;
}

export class SimulationFailed extends Error {
  readonly promise: string;

  constructor(seed: number, promise: string, what: string, transcript: string) {
    super(`seed ${seed}: ${what}\n${transcript}`);
    this.promise = promise;
  }
}

/** What may be left out of a seed's world, to find the least that breaks a promise. */
export type Mute = 'chaos' | 'crashes' | 'faults' | 'people';

/** One run of the real machine from a seed. Throws SimulationFailed with a transcript when a promise is broken. */
export async function simulate(
  seed: number,
  mutes: ReadonlySet<Mute> = new Set(),
  breakMachine: (machine: Machine) => Machine = (same) => same,
): Promise<Told | null> {
  const simulation = await prepare(seed, mutes, breakMachine);
  if (simulation === null) return null;
  return simulation.run();
}

async function prepare(
  seed: number,
  mutes: ReadonlySet<Mute>,
  breakMachine: (machine: Machine) => Machine,
): Promise<Simulation | null> {
  const chance = new Chance(seed);
  const bag = RUNBOOKS.flatMap((each) => Array.from({ length: each.weight }, () => each));
  const { name, runbook } = chance.pick(bag);
  const fleet = paperFleet({ servers: chance.whole(3, 8), domains: chance.whole(1, 3) });
  const world = new World(chance, fleet.servers);
  befoul(world, chance, name);
  const except = chance.happens(0.2)
    ? [{ server: fleet.servers.at(-1)?.name ?? '', reason: 'it is being mended', traffic: 'out' as const }]
    : [];
  const { plan, outline } = await paperPlan({
    runbook,
    fleet,
    except,
    reader: (server) => modelReader(world, server),
    expected: EXPECTED,
  });
  if (plan.header.findings.some(({ severity, code }) => severity === 'refusal' && code !== 'hung' && code !== 'except'))
    return null;
  drift(world, chance);
  const machine = breakMachine(createMachine(plan));
  return new Simulation({ seed, name, mutes, world, machine, fleet, outline });
}

/** What the plan may already find. */
function befoul(world: World, chance: Chance, runbook: string): void {
  for (const server of world.servers.values()) {
    if (runbook === 'recover-fleet' ? chance.happens(0.9) : chance.happens(0.03)) server.life = 'hung';
    else if (chance.happens(0.05)) server.running = 'b'.repeat(64);
  }
}

/** What somebody changes between the plan and its run: that is not taken for what the plan saw. */
function drift(world: World, chance: Chance): void {
  if (!chance.happens(0.15)) return;
  const server = chance.happens(0.3) ? world.servers.values().next().value : chance.pick([...world.servers.values()]);
  if (server?.life !== 'up') return;
  server.touched.add('offline').add('traffic');
  if (chance.happens(0.5)) server.offline = !server.offline;
  else server.traffic = server.traffic === 'in' ? 'out' : 'in';
}

interface Setting {
  readonly seed: number;
  readonly name: string;
  readonly mutes: ReadonlySet<Mute>;
  readonly world: World;
  readonly machine: Machine;
  readonly fleet: ReturnType<typeof paperFleet>;
  readonly outline: Awaited<ReturnType<typeof paperPlan>>['outline'];
}

/** The smallest host: the protocol of the local one, in virtual time, with an engine that dies. */
class Simulation {
  readonly #in: Setting;
  readonly #agenda = new Agenda();
  readonly #events: Stamped[] = [];
  readonly #watch: Watch;
  readonly #actor: Actor;
  readonly #people: People;
  readonly #chance: Chance;
  #inbox: RunEvent[] = [];
  #state: RunState | null = null;
  #engine = 1;
  #alive = true;
  #crashAt: number[] = [];
  #troubles: readonly string[] = [];

  constructor(setting: Setting) {
    this.#in = setting;
    const { world, machine, fleet, outline, seed, mutes } = setting;
    this.#watch = new Watch({ machine, outline, world });
    this.#chance = new Chance(seed + 0x51);
    const faulty = new Chance(seed + 0x52).happens(0.5) && !mutes.has('faults') ? 0.03 : 0;
    this.#actor = new Actor({
      world,
      agenda: this.#agenda,
      chance: new Chance(seed + 0x53),
      fleet,
      outline,
      stepOf: ({ place }) => {
        const track = trackOf(this.#now, place.track);
        if (!track) throw new Error(`no track ${place.track}`);
        return actStepOf(machine.index, track, place.step);
      },
      faultiness: () => (this.#agenda.nowMs < CALM_AT_MS ? faulty : 0),
      engine: () => this.#engine,
      tell: (event) => this.#inbox.push(event),
      onLooked: (effect, looked) => this.#watch.looked(effect, looked),
      onDeed: (server, what, effect) => this.#watch.deed(server, what, effect),
      onContact: (server) => this.#watch.contact(server),
    });
    this.#people = new People({
      world,
      agenda: this.#agenda,
      chance: new Chance(seed + 0x54),
      machine,
      calmAtMs: mutes.has('people') ? 0 : CALM_AT_MS,
      state: () => this.#now,
      say: (event) => this.#say(event),
    });
  }

  get #now(): RunState {
    if (this.#state === null) throw new Error('not opened');
    return this.#state;
  }

  async run(): Promise<Told> {
    try {
      this.#unleash();
      this.#write({
        type: 'opened',
        run: 'r',
        plan: this.#in.machine.index.plan.hash,
        title: 'simulated',
        by: 'somebody',
        host: 'here',
      });
      this.#write({ type: 'approved', plan: this.#in.machine.index.plan.hash, by: 'somebody' });
      this.#write({ type: 'engine', pid: 1, host: 'here', neap: '0.0.0' });
      while (!this.#now.closed) await this.#turn();
      this.#demandReplay();
    } catch (error) {
      if (error instanceof Broken)
        throw new SimulationFailed(this.#in.seed, error.promise, error.message, this.transcript());
      throw new SimulationFailed(
        this.#in.seed,
        'no exception',
        error instanceof Error ? (error.stack ?? error.message) : String(error),
        this.transcript(),
      );
    }
    const { seed, name, world } = this.#in;
    return {
      seed,
      runbook: name,
      outcome: this.#now.closed?.outcome ?? 'open',
      events: this.#events,
      troubles: this.#troubles,
      crashes: this.#engine - 1,
      resets: world.deeds.filter(({ what }) => what === 'reset').length,
      virtualMs: this.#agenda.nowMs,
    };
  }

  /** The last events, one a line, for whoever has to understand a failure. */
  transcript(last = 60): string {
    const lines = this.#events
      .slice(-last)
      .map(({ atMs, event }) => `${String(Math.round(atMs / 100) / 10).padStart(8)} ${told(event)}`);
    const tracks = (this.#state?.tracks ?? []).map(
      (track) => `${track.id}: ${track.status}, step ${track.cursor}; ${unsettled(track)}`,
    );
    const outs = Object.entries(this.#state?.out ?? {}).map(
      ([server, { step, fate, track, recovered }]) =>
        `${server} out at ${step}: ${fate}, track ${track}, recovered ${recovered}`,
    );
    outs.push(`flying: ${Object.keys(this.#state?.flying ?? {}).join(' ')}`);
    return [
      `runbook ${this.#in.name}, ${this.#in.world.servers.size} servers`,
      ...this.#troubles,
      ...lines,
      ...tracks,
      ...outs,
    ].join('\n');
  }

  #unleash(): void {
    const { world, seed, mutes } = this.#in;
    const chance = new Chance(seed + 0x55);
    this.#troubles = mutes.has('chaos') ? [] : unleash(world, this.#agenda, chance, CALM_AT_MS);
    const crashes = mutes.has('crashes') || chance.happens(0.5) ? 0 : chance.whole(1, 4);
    this.#crashAt = Array.from({ length: crashes }, () => chance.whole(4, chance.pick([60, 300, 900]))).toSorted(
      (a, b) => a - b,
    );
    if (mutes.has('people')) return;
    if (chance.happens(0.15))
      this.#agenda.put(chance.whole(0, CALM_AT_MS), null, () =>
        this.#say({ type: 'abort', by: 'somebody', reason: 'enough' }),
      );
    if (chance.happens(0.2)) {
      const atMs = chance.whole(0, chance.pick([300_000, CALM_AT_MS]));
      this.#agenda.put(atMs, null, () => this.#say({ type: 'halted', by: 'somebody' }));
      const unhalt = (): void => {
        this.#say({ type: 'unhalted', by: 'somebody' });
        if (this.#now.halted) this.#agenda.put(this.#agenda.nowMs + 60_000, null, unhalt);
      };
      this.#agenda.put(atMs + chance.whole(1_000, 900_000), null, unhalt);
    }
  }

  /** Once round the host's loop. */
  async #turn(): Promise<void> {
    if (this.#events.length > EVENTS_MAX) throw new Broken('promise 12', `more than ${EVENTS_MAX} events`);
    if (this.#agenda.nowMs > CLOSED_BY_MS)
      throw new Broken('promise 12', 'the world is calm, gates are answered, and the run does not end');
    if (!this.#alive) return this.#pass();
    if (this.#inbox.length > 0) {
      for (const event of this.#inbox.splice(0)) {
        if (!this.#write(event)) return;
      }
      return;
    }
    const { decision, effects, wakeAtMs } = this.#in.machine.next(this.#now);
    if (decision) {
      this.#write(decision);
      return;
    }
    if (effects.length > 0) {
      for (const effect of effects) if (!this.#write({ type: 'intended', effect })) return;
      for (const effect of effects) this.#start(effect);
      return;
    }
    if (wakeAtMs !== null && wakeAtMs <= (this.#agenda.nextAtMs ?? Infinity)) {
      this.#agenda.nowMs = Math.max(this.#agenda.nowMs, Math.ceil(wakeAtMs));
      this.#in.world.advance(this.#agenda.nowMs);
      this.#write({ type: 'time' });
      return;
    }
    await this.#pass();
  }

  async #pass(): Promise<void> {
    const happen = this.#agenda.take();
    if (!happen) throw new Broken('promise 12', 'nothing is under way, and nothing is waited for');
    this.#in.world.advance(this.#agenda.nowMs);
    await happen();
  }

  #start(effect: Effect): void {
    switch (effect.effect) {
      case 'ask':
        this.#inbox.push({ type: 'asked', id: effect.id });
        this.#people.asked(effect);
        return;
      case 'pass':
        return;
      case 'page':
        this.#agenda.put(this.#agenda.nowMs + 100, this.#engine, () => {
          this.#inbox.push({ type: 'paged', id: effect.id });
        });
        return;
      default:
        this.#actor.act(effect);
    }
  }

  /** False: the engine died right after it was written. */
  #write(event: RunEvent): boolean {
    const stamped = { atMs: Math.round(this.#agenda.nowMs), event };
    this.#watch.event(this.#state, stamped);
    this.#state = freeze(this.#in.machine.apply(this.#state, stamped));
    this.#events.push(stamped);
    const next = this.#crashAt[0];
    if (next === undefined || this.#events.length < next || this.#state.closed) return true;
    this.#crashAt = this.#crashAt.slice(1);
    this.#crash();
    return false;
  }

  #say(event: RunEvent): void {
    if (this.#alive) this.#inbox.push(event);
  }

  /** The engine dies: whoever waited in it waits no more, and what was sent may still come through. */
  #crash(): void {
    this.#alive = false;
    this.#inbox = [];
    this.#agenda.drop(this.#engine);
    this.#engine += 1;
    const downMs = this.#chance.happens(0.7) ? this.#chance.whole(500, 20_000) : this.#chance.whole(60_000, 1_000_000);
    this.#agenda.put(this.#agenda.nowMs + downMs, null, () => {
      this.#demandReplay();
      this.#alive = true;
      this.#write({ type: 'engine', pid: this.#engine, host: 'here', neap: '0.0.0' });
    });
  }

  /** State is what replaying the journal gives, from its own JSON, and nothing else. */
  #demandReplay(): void {
    const journal = JSON.parse(JSON.stringify(this.#events)) as Stamped[];
    let state: RunState | null = null;
    for (const event of journal) state = this.#in.machine.apply(state, event);
    if (canonicalJson(state) !== canonicalJson(this.#state))
      throw new Broken('promise 3', 'replaying the journal gives another state');
    this.#state = state;
  }
}

function unsettled(track: Track): string {
  const current = track.steps[track.cursor];
  if (current?.step !== 'act') return current?.step ?? 'at its end';
  const open = current.waves.flatMap(({ targets }) =>
    Object.entries(targets).filter(([, target]) => !isSettled(target)),
  );
  return open
    .map(([server, { phase, failure }]) => `${server} ${phase}${failure ? ` (${failure.kind}: ${failure.what})` : ''}`)
    .join(', ');
}

/** Nobody may change a state that was given out. Shares what is frozen already, so it costs what is new. */
function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const part of Object.values(value)) freeze(part);
  return value;
}

function told(event: RunEvent): string {
  switch (event.type) {
    case 'intended':
      return `intended ${event.effect.id}`;
    case 'looked':
      return 'failure' in event.outcome
        ? `looked ${event.id}: ${event.outcome.failure.kind}`
        : `looked ${event.id}: ${event.outcome.verdict.verdict} ${JSON.stringify('change' in event.outcome.verdict ? event.outcome.verdict.change : '')} condition ${event.outcome.condition.holds} need ${event.outcome.need.holds}`;
    case 'performed':
    case 'confirmed':
      return `${event.type} ${event.id}${event.failure ? `: ${event.failure.kind}` : ''}`;
    default:
      return JSON.stringify(event).slice(0, 400);
  }
}
