import type { ActStep } from '../../src/model/index.ts';
import { canonicalJson, type Outline } from '../../src/plan/index.ts';
import {
  allFlying,
  actStepOf,
  isSettled,
  trackOf,
  type Effect,
  type Looked,
  type Machine,
  type RunEvent,
  type RunState,
  type Stamped,
  type Track,
} from '../../src/run/index.ts';
import type { Lease } from './engine.ts';
import type { Truth } from './ways.ts';
import type { ModelServer, World } from './world.ts';

type Targeted = Extract<Effect, { place: unknown }>;

/** A promise that a run broke. */
export class Broken extends Error {
  readonly promise: string;

  constructor(promise: string, what: string) {
    super(`${promise}: ${what}`);
    this.promise = promise;
  }
}

/** An act may follow its look by so much: right before means right before. */
const RIGHT_BEFORE_MS = 5_000;

export interface WatchInput {
  readonly machine: Machine;
  readonly outline: Outline;
  readonly world: World;
  readonly lease: Lease;
  /** Called with what was broken, besides throwing it: whoever called may take a throw for a server's failure. */
  readonly broken: (error: Broken) => void;
}

/** The promises as code: held against every event, and against the world at the end. It trusts the events, and not the machine's own sums. */
export class Watch {
  readonly #in: WatchInput;
  readonly #intended = new Map<string, Effect>();
  readonly #ended = new Set<string>();
  readonly #performed = new Map<string, string[]>();
  readonly #acts: ReadonlySet<string> = new Set(['perform', 'undo']);
  readonly #looks = new Map<string, { atMs: number; needsAreTrue: boolean; hung: boolean; repeatable: boolean }>();
  readonly #before: ReadonlyMap<string, Pick<ModelServer, 'offline' | 'traffic'>>;
  readonly #frozen: ReadonlySet<string>;

  constructor(input: WatchInput) {
    this.#in = input;
    this.#before = new Map(
      [...input.world.servers.values()].map(({ name, offline, traffic }) => [name, { offline, traffic }]),
    );
    this.#frozen = new Set(input.outline.servers.map(({ name }) => name));
  }

  /** Called with every event before it is folded. */
  event(state: RunState | null, { atMs, event }: Stamped): void {
    if (state === null) return;
    if (state.closed) throw new Broken('promise 8', `event ${event.type} after the run was closed`);
    if (event.type === 'intended') this.#intendedNow(state, event.effect, atMs);
    if (
      event.type === 'looked' ||
      event.type === 'performed' ||
      event.type === 'confirmed' ||
      event.type === 'diagnosed'
    ) {
      if (!this.#intended.has(event.id))
        throw new Broken('promise 3', `an outcome of ${event.id}, which was never intended`);
      if (this.#ended.has(event.id)) throw new Broken('promise 3', `a second outcome of ${event.id}`);
      this.#ended.add(event.id);
    }
    if (event.type === 'closed') this.#closing(state, event);
  }

  /** Called when an engine begins an effect. */
  begun({ id }: Effect, epoch: number): void {
    if (epoch !== this.#in.lease.epoch && this.#acts.has(id.split('/').at(-2) ?? ''))
      this.#break('promise 4', `${id} was begun under epoch ${epoch}, and ${this.#in.lease.epoch} holds the run`);
  }

  /** Called when a look came to its end, with what was so in the world meanwhile. */
  looked(effect: Targeted, outcome: Looked | { readonly failure: unknown }, truth: Truth): void {
    if ('failure' in outcome) return;
    const { verdict, repeatable } = outcome;
    this.#looks.set(keyOf(effect), {
      atMs: this.#in.world.nowMs,
      needsAreTrue: this.#needsOf(effect).every((need) => truth[need]),
      hung: verdict.verdict === 'change' && truth.hung,
      repeatable,
    });
  }

  /** Called when a change comes through to a server, right before it does. */
  deed(name: string, what: string, effect: Effect, epoch: number): void {
    const server = this.#in.world.server(name);
    if (!this.#intended.has(effect.id))
      this.#break(
        epoch === this.#in.lease.epoch ? 'promise 3' : 'promise 4',
        `${what} on ${name} came before its intent`,
      );
    if (!('place' in effect)) return;
    if (effect.place.target !== name)
      this.#break('promise 2', `${what} on ${name}, and ${effect.id} is on ${effect.place.target}`);
    if (
      what === 'reset' &&
      server.life !== 'hung' &&
      !server.touched.has('power') &&
      this.#looks.get(keyOf(effect))?.hung !== true
    ) {
      this.#break('promise 10', `${name} was reset, and it was ${server.life}`);
    }
    if (what === 'reset' && server.life === 'booting' && !server.touched.has('power'))
      this.#break('promise 10', `${name} was reset while it boots`);
    if (what === 'refresh:stamps' && server.stamps > 0) this.#break('promise 3', `${name} was stamped twice`);
  }

  contact(name: string): void {
    if (!this.#frozen.has(name)) this.#break('promise 5', `${name} is not in the frozen target set, and was contacted`);
  }

  #break(promise: string, what: string): never {
    const error = new Broken(promise, what);
    this.#in.broken(error);
    throw error;
  }

  #needsOf(effect: Targeted): readonly (keyof Truth)[] {
    const step = this.#stepOf.get(effect.id);
    return step === undefined
      ? []
      : (effect.effect === 'undo' || (effect.effect === 'look' && effect.for === 'undo')
          ? step.undoNeeds
          : step.needs
        ).map(({ need }) => need);
  }

  readonly #stepOf = new Map<string, ActStep>();

  #intendedNow(state: RunState, effect: Effect, atMs: number): void {
    if (this.#intended.has(effect.id) && !isRepeatable(effect))
      throw new Broken('promise 3', `effect id ${effect.id} was used twice`);
    this.#intended.set(effect.id, effect);
    this.#ended.delete(effect.id);
    if (!('place' in effect)) return;
    const { place } = effect;
    const track = trackOf(state, place.track);
    if (!track) throw new Broken('promise 2', `effect ${effect.id} is of no track`);
    const step = actStepOf(this.#in.machine.index, track, place.step);
    this.#stepOf.set(effect.id, step);
    if (!this.#frozen.has(place.target))
      throw new Broken('promise 5', `${effect.id} is on a server outside the frozen target set`);
    const act = track.steps[place.step];
    const target = act?.step === 'act' ? act.waves[place.wave]?.targets[place.target] : undefined;
    if (!target || act?.step !== 'act')
      throw new Broken('promise 2', `${effect.id} is on a server which has no part in that wave`);
    const starts = effect.effect === 'look' && target.phase === 'waiting';
    if (starts) this.#starting(state, track, step, effect.id, atMs);
    if (effect.effect === 'perform' || effect.effect === 'undo') this.#acting(state, track, step, effect, atMs);
  }

  #starting(state: RunState, track: Track, step: ActStep, id: string, atMs: number): void {
    if (track.kind !== 'main') return;
    // Letting go of a hold is no new work.
    if (state.halted && step.releases === null) throw new Broken('promise 8', `${id} was started while halted`);
    if (step.nature !== 'restore') {
      if (state.mode === 'home') throw new Broken('promise 7', `${id} was started after the run turned for home`);
      const counted = spent(state) + underWay(track, this.#in.machine);
      const { failures } = this.#in.machine.index.plan.header.budget;
      if (counted >= failures)
        throw new Broken(
          'promise 6',
          `${id} was started with ${spent(state)} failed and ${underWay(track, this.#in.machine)} under way of ${failures}`,
        );
    }
    if (step.nature === 'risk' && atMs > state.openedAtMs + this.#in.machine.index.plan.header.window.limitMs) {
      throw new Broken('promise 7', `${id} was started after the window closed`);
    }
  }

  #acting(
    state: RunState,
    track: Track,
    step: ActStep,
    effect: Extract<Targeted, { effect: 'perform' | 'undo' }>,
    atMs: number,
  ): void {
    const { place, id } = effect;
    if (track.kind === 'main' && state.halted && step.releases === null)
      throw new Broken('promise 8', `${id} was made while halted`);
    if (track.kind === 'main' && state.mode === 'home')
      throw new Broken('promise 7', `${id} was made after the run turned for home`);
    const key = `${step.releases ?? step.id}/${place.target}`;
    if (effect.effect === 'undo') {
      if (!this.#performed.get(key)?.includes(canonicalJson(effect.change)))
        throw new Broken('promise 2', `${id} undoes a change that was never made`);
    } else {
      this.#demandPlanned(state, track, step, effect);
      const again = !step.idempotent && this.#performed.has(key);
      if (again && this.#looks.get(keyOf(effect))?.repeatable !== true)
        throw new Broken('promise 3', `${id} is made again, and nothing shows that it is safe`);
      this.#performed.set(key, [...(this.#performed.get(key) ?? []), canonicalJson(effect.change)]);
    }
    const look = this.#looks.get(keyOf(effect));
    if (!look || atMs - look.atMs > RIGHT_BEFORE_MS)
      throw new Broken(
        'design, facts',
        `${id} acts on a look that is ${look ? atMs - look.atMs : 'infinitely many'} ms old`,
      );
    if (!look.needsAreTrue) throw new Broken('promise 9', `${id} acts while a need of it is unmet`);
  }

  #demandPlanned(state: RunState, track: Track, step: ActStep, effect: Extract<Targeted, { effect: 'perform' }>): void {
    const { place, id } = effect;
    const { index } = this.#in.machine;
    if (track.kind === 'contingency') {
      const contingency = index.plan.header.contingencies.find((each) => each.id === track.contingency);
      if (!track.servers.includes(place.target))
        throw new Broken('promise 2', `${id} is on a server that the contingency was not armed for`);
      const rejoinAt = track.steps.findIndex((each) => each.step === 'rejoin');
      const isBack =
        trackOf(state, 'main')?.status === 'finished' ||
        state.tracks.some((each) => each.kind === 'home' && each.status === 'finished');
      if (rejoinAt >= 0 && rejoinAt < place.step && !isBack)
        throw new Broken('promise 2', `${id} did not wait for the fleet`);
      const many =
        Object.values(state.out).filter((out) => out.track === track.id).length > (contingency?.suspectAbove ?? 0);
      const rearmed = track.steps.some(
        (each) => each.step === 'gate' && each.gate?.id === 'rearm' && each.phase === 'passed',
      );
      if (many && step.kind.name === 'hard-reset' && !rearmed)
        throw new Broken('promise 10', `${id} after many went silent, and nobody re-armed power`);
    } else {
      if (!step.waves.some((wave) => wave.includes(place.target)))
        throw new Broken('promise 2', `${id} is on a server that the plan does not have there`);
      const planned = index.verdict(step.id, place.target);
      const asPlanned =
        planned.verdict === 'unknown' ||
        (planned.verdict === 'change' && canonicalJson(planned.change) === canonicalJson(effect.change));
      if (!asPlanned) throw new Broken('promise 2', `${id} is not what the plan says (${planned.verdict})`);
    }
    const kind = this.#in.outline.kinds.get(step.id);
    const bounded = kind?.bounds?.(effect.change as never, kind.input.parse(step.input) as never);
    const planned = index.verdict(step.id, place.target);
    if (planned.verdict === 'unknown' && bounded !== true)
      throw new Broken('promise 2', `${id} is outside the bounds of its kind`);
  }

  #closing(state: RunState, { outcome, exitCode, summary }: Extract<RunEvent, { type: 'closed' }>): void {
    if ({ done: 0, home: 1, human: 5, stale: 6 }[outcome] !== exitCode)
      throw new Broken('exit codes', `${outcome} with ${exitCode}`);
    if (allFlying(state.flying).length > 0) throw new Broken('promise 8', 'the run was closed with effects under way');
    if (state.mode === 'home' && state.paged.home !== true)
      throw new Broken('promise 7', 'it turned for home and nobody was paged');
    const words = /State not proven: (.*)$/.exec(summary)?.[1] ?? '';
    const named = [...this.#frozen].filter((name) => new RegExp(`\\b${name}\\b`).test(words));
    if ((outcome === 'human') !== named.length > 0)
      throw new Broken('promise 8', `outcome ${outcome} names ${named.length} servers`);
    const { world } = this.#in;
    for (const server of world.servers.values()) {
      if (!this.#frozen.has(server.name) || named.includes(server.name)) continue;
      this.#demandLeftWell(server, summary);
    }
  }

  #demandLeftWell(server: ModelServer, summary: string): void {
    const { world } = this.#in;
    const before = this.#before.get(server.name);
    const say = (what: string): never => {
      throw new Broken('promise 8', `${server.name} was left ${what}, and is not named: ${summary}`);
    };
    if (!server.touched.has('offline') && server.offline !== before?.offline) say(`offline ${server.offline}`);
    if (!server.touched.has('traffic') && server.traffic !== before?.traffic) say(`${server.traffic} at the balancer`);
    if (server.cutUntilMs > world.nowMs) say('with its path cut');
    const mine = world.deeds.some(
      (deed) => deed.server === server.name && (deed.what === 'reset' || deed.what === 'put-file'),
    );
    if (
      mine &&
      !server.touched.has('config') &&
      !server.touched.has('power') &&
      server.life === 'up' &&
      !world.isProven(server)
    )
      say('with unproven configuration');
  }
}

function isRepeatable(effect: Effect): boolean {
  return effect.effect === 'page' || effect.effect === 'diagnose';
}

function keyOf({ place }: Targeted): string {
  return `${place.track}/${place.step}/${place.target}`;
}

function spent(state: RunState): number {
  const own = Object.values(state.out).filter(({ path }) => path === null).length;
  return own + Object.keys(state.paths).length;
}

/** Servers begun and not settled in main steps that count, whichever step. */
function underWay(track: Track, machine: Machine): number {
  let count = 0;
  track.steps.forEach((act, at) => {
    if (act.step !== 'act' || actStepOf(machine.index, track, at).nature === 'restore') return;
    for (const { targets } of act.waves)
      count += Object.values(targets).filter((target) => target.phase !== 'waiting' && !isSettled(target)).length;
  });
  return count;
}
