import type { Host } from '../../src/engine/host.ts';
import type { Fleet, Json, PlanHeader, Runbook } from '../../src/model/index.ts';
import {
  createMachine,
  gateOf,
  type GuardReading,
  type Machine,
  type RunEvent,
  type RunState,
  type Stamped,
} from '../../src/run/index.ts';
import { hashOf } from '../../src/plan/compile.ts';
import type { Outline } from '../../src/plan/index.ts';
import { Agenda } from '../simulation/agenda.ts';
import { Disk, type DiskFate } from '../simulation/disk.ts';
import { Engine, EXPECTED } from '../simulation/engine.ts';
import { modelReader } from '../simulation/reach.ts';
import { Watch } from '../simulation/watch/index.ts';
import { World, type ModelServer } from '../simulation/world.ts';
import { Chance } from '../support/chance.ts';
import { paperFleet } from '../support/fleet.ts';
import { paperPlan } from '../support/plans.ts';
import { endLines, Words } from './words.ts';

/** A story is over within this, in virtual time, and within so many events. */
const TOLD_WITHIN_MS = 48 * 60 * 60_000;
const EVENTS_MAX = 20_000;

/** How long the engine is away when it was killed, unless a story says otherwise. */
const DOWN_MS = 10_000;

export interface Story {
  /** The file's name. */
  readonly name: string;
  /** What it shows, for whoever reads the file: a few lines. */
  readonly about: string;
  readonly runbook: Runbook;
  readonly servers?: number;
  readonly inputs?: { readonly [name: string]: Json };
  /** What the plan says besides: a window that closes, a freeze, a mirror. */
  readonly plan?: (header: PlanHeader) => PlanHeader;
  /** What happens outside, and when. */
  readonly script?: (stage: Stage) => void;
  /** How each gate is answered, by its id, in turn; `null` is nobody. Unsaid: 20 s later, by the answer that goes on. */
  readonly answers?: { readonly [gate: string]: readonly (string | null)[] };
  /** What must be so at the end. Throws, or expects. */
  readonly end: (end: End) => void;
}

export interface End {
  readonly state: RunState;
  readonly world: World;
  readonly events: readonly Stamped[];
}

/** Where a story's script acts. */
export class Stage {
  readonly world: World;
  readonly #teller: Teller;
  readonly #fates = new Map<number, DiskFate>();

  constructor(world: World, teller: Teller) {
    this.world = world;
    this.#teller = teller;
  }

  server(name: string): ModelServer {
    return this.world.server(name);
  }

  /** At an instant of virtual time; `words` go into the transcript. */
  at(atMs: number, words: string, happen: () => void): void {
    this.#teller.later(atMs, words, happen);
  }

  /** Once, so long behind the first event for which it holds. */
  upon(holds: (event: RunEvent, state: RunState) => boolean, words: string, happen: () => void, afterMs = 1_000): void {
    this.#teller.upon(holds, words, happen, afterMs);
  }

  /** A word to whichever engine lives. */
  say(work: (host: Host) => unknown): void {
    this.#teller.say(work);
  }

  /** kill -9, and another engine after a while; null: never again by itself. */
  kill(downMs: number = DOWN_MS): void {
    this.#teller.kill(downMs);
  }

  /** The bastion is lost with its disk; an engine elsewhere goes on with what the mirror holds. */
  loseBastion(downMs: number): void {
    this.#teller.bastion = { host: 'elsewhere', from: 'ssh:vault:/srv/neap' };
    this.kill(downMs);
  }

  /** The engine's machine sleeps. */
  sleep(lastsMs: number): void {
    this.#teller.sleep(lastsMs);
  }

  /** The n-th write to the journal from now on ends like that. */
  disk(fate: DiskFate, nth = 1): void {
    this.#fates.set(this.#teller.appends + nth, fate);
  }

  fateOf(append: number): DiskFate | null {
    return this.#fates.get(append) ?? null;
  }

  /** What every guard reads from now on. */
  guards(reading: GuardReading): void {
    this.#teller.guardReading = reading;
  }

  /** Whether the mirror has what was written. */
  mirror(holds: boolean): void {
    this.#teller.mirrorHolds = holds;
    const standing = holds ? 'current' : 'behind';
    this.say((host) => host.tell({ type: 'mirror', standing, seen: holds ? 'it answers' : 'no route to it' }));
  }
}

/** Tells one story: the real machine and the real loop over a model world, in virtual time, as lines to read. */
export async function tell(story: Story): Promise<{ readonly text: string; readonly end: End }> {
  const fleet = paperFleet({ servers: story.servers ?? 4, domains: 2 });
  const world = new World(new Steady(1), fleet.servers);
  for (const server of world.servers.values()) server.ttlMs = 240_000;
  const { plan: made, outline } = await paperPlan({
    runbook: story.runbook,
    fleet,
    inputs: story.inputs ?? {},
    reader: (server) => modelReader(world, server),
    expected: EXPECTED,
  });
  const header = story.plan?.(made.header) ?? made.header;
  const teller = new Teller(story, createMachine({ ...made, header, hash: hashOf(header) }), world, fleet, outline);
  await teller.run();
  const end = { state: teller.state, world, events: teller.events };
  story.end(end);
  return { text: teller.text(), end };
}

/** No chance: everything takes the least time, and nothing goes wrong by itself. */
class Steady extends Chance {
  override whole(least: number): number {
    return least;
  }

  override happens(): boolean {
    return false;
  }
}

class Teller {
  readonly events: Stamped[] = [];
  guardReading: GuardReading = { sort: 'good', seen: 'as it should be' };
  mirrorHolds = true;
  bastion: { readonly host: string; readonly from?: string } = { host: 'bastion' };
  readonly #story: Story;
  readonly #machine: Machine;
  readonly #world: World;
  readonly #fleet: Fleet;
  readonly #outline: Outline;
  readonly #agenda = new Agenda();
  readonly #disk: Disk;
  readonly #watch: Watch;
  readonly #lease = { epoch: 0 };
  readonly #words: Words;
  readonly #waiting: { readonly holds: (event: RunEvent, state: RunState) => boolean; readonly happen: () => void }[] =
    [];
  readonly #asked = new Map<string, number>();
  #state: RunState | null = null;
  #engine: Engine | null = null;
  #broken: Error | null = null;
  #over = false;

  constructor(story: Story, machine: Machine, world: World, fleet: Fleet, outline: Outline) {
    this.#story = story;
    this.#machine = machine;
    this.#world = world;
    this.#fleet = fleet;
    this.#outline = outline;
    const broken = (error: Error): void => void (this.#broken ??= error);
    this.#watch = new Watch({ machine, outline, world, lease: this.#lease, broken });
    this.#words = new Words(machine);
    const stage = new Stage(world, this);
    this.#disk = new Disk({
      agenda: this.#agenda,
      fateOf: (append) => stage.fateOf(append),
      commitMs: () => 0,
      hasty: false,
      onDurable: (stamped) => this.#durable(stamped),
      opensAgain: () => true,
      crash: () => this.kill(DOWN_MS),
    });
    story.script?.(stage);
  }

  get state(): RunState {
    if (this.#state === null) throw new Error('not opened');
    return this.#state;
  }

  get appends(): number {
    return this.#disk.appends;
  }

  async run(): Promise<void> {
    this.#start();
    while (!this.#over) {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#broken !== null) throw this.#broken;
      if (this.#over) return;
      if (this.events.length > EVENTS_MAX || this.#agenda.nowMs > TOLD_WITHIN_MS)
        throw new Error(`the story does not end:\n${this.text().split('\n').slice(-30).join('\n')}`);
      const happen = this.#agenda.take();
      if (!happen) throw new Error(`nothing is waited for:\n${this.text().split('\n').slice(-30).join('\n')}`);
      this.#world.advance(this.#agenda.nowMs);
      happen();
    }
  }

  later(atMs: number, words: string, happen: () => void): void {
    this.#agenda.put(atMs, null, () => {
      if (words !== '') this.#words.outside(this.#agenda.nowMs, words);
      happen();
    });
  }

  upon(holds: (event: RunEvent, state: RunState) => boolean, words: string, happen: () => void, afterMs: number): void {
    this.#waiting.push({ holds, happen: () => this.later(this.#agenda.nowMs + afterMs, words, happen) });
  }

  say(work: (host: Host) => unknown): void {
    if (this.#engine?.alive) this.#engine.hear((host) => void work(host));
  }

  kill(downMs: number): void {
    const engine = this.#engine;
    if (!engine?.alive) return;
    engine.alive = false;
    this.#agenda.put(this.#agenda.nowMs + downMs, null, () => {
      if (this.#engine === engine) this.#start();
    });
  }

  sleep(lastsMs: number): void {
    const engine = this.#engine;
    if (!engine?.alive) return;
    engine.asleepUntilMs = this.#agenda.nowMs + lastsMs;
    this.#agenda.put(engine.asleepUntilMs, engine, () =>
      engine.host.tell({ type: 'jumped', sort: 'slept', byMs: lastsMs }),
    );
  }

  text(): string {
    const { about, runbook, servers = 4 } = this.#story;
    return `${[about, '', `${runbook.title}, ${servers} servers`, '', ...this.#words.lines(), '', ...endLines(this.state, this.#world)].join('\n')}\n`;
  }

  #start(): void {
    const plan = this.#machine.index.plan.hash;
    const engine = new Engine({
      agenda: this.#agenda,
      world: this.#world,
      chance: new Steady(2),
      machine: this.#machine,
      fleet: this.#fleet,
      outline: this.#outline,
      disk: this.#disk,
      lease: this.#lease,
      watch: this.#watch,
      planted: {},
      faultiness: () => 0,
      readGuard: () => () => Promise.resolve(this.guardReading),
      readDelay: () => () => Promise.resolve(3),
      mirrored: this.#machine.index.plan.header.mirror === null ? null : () => Promise.resolve(this.mirrorHolds),
      onEvents: (events) => this.#seen(events),
      onEnd: (error) => this.#ended(engine, error),
    });
    this.#engine = engine;
    const opening: RunEvent[] = [
      { type: 'opened', run: 'run', plan, title: this.#story.runbook.title, by: 'anna', host: 'bastion' },
      { type: 'approved', plan, by: 'anna' },
    ];
    engine.start([
      ...(this.#disk.length === 0 ? opening : []),
      { type: 'engine', pid: engine.epoch, neap: '0.0.0', ...this.bastion },
    ]);
  }

  #ended(engine: Engine, error: unknown): void {
    if (!engine.alive) return;
    engine.alive = false;
    if (error === null) this.#over = true;
    else if (engine === this.#engine) this.#broken ??= asError(error);
  }

  #durable(stamped: Stamped): void {
    try {
      this.#watch.event(this.#state, stamped);
      const before = this.#state;
      this.#state = this.#machine.apply(before, stamped);
      this.events.push(stamped);
      this.#words.event(stamped, before, this.#state);
    } catch (error) {
      this.#broken ??= asError(error);
    }
  }

  #seen(events: readonly RunEvent[]): void {
    for (const event of events) {
      if (event.type === 'intended' && event.effect.effect === 'ask') this.#answer(event.effect.gate);
      for (const each of this.#waiting.filter(({ holds }) => holds(event, this.state))) {
        this.#waiting.splice(this.#waiting.indexOf(each), 1);
        each.happen();
      }
    }
  }

  #answer(gate: string): void {
    const nth = this.#asked.get(gate) ?? 0;
    this.#asked.set(gate, nth + 1);
    const planned = this.#story.answers?.[gate];
    const open = this.state.tracks.map((track) => gateOf(track, this.#machine.index)).find((each) => each?.id === gate);
    const goOn = Object.entries(open?.step.answers ?? {}).find(([, does]) => does === 'go-on')?.[0];
    const answer = planned === undefined ? goOn : planned[nth];
    if (answer === undefined || answer === null) return;
    this.#agenda.put(this.#agenda.nowMs + 20_000, null, () => {
      const givenAtMs = this.#agenda.nowMs;
      this.say((host) => host.request({ ask: 'answer', id: 1, gate, answer, by: 'anna', givenAtMs }, 'anna'));
    });
  }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
