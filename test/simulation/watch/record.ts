import type { ActStep } from '../../../src/model/index.ts';
import type { Outline } from '../../../src/plan/index.ts';
import type { Effect, Machine, RunEvent, Stamped } from '../../../src/run/index.ts';
import type { ModelServer, World } from '../world.ts';

export type Targeted = Extract<Effect, { place: unknown }>;

/** A promise that a run broke. */
export class Broken extends Error {
  readonly promise: string;

  constructor(promise: string, what: string) {
    super(`${promise}: ${what}`);
    this.promise = promise;
  }
}

/** Who may act on the servers, by the store of claims. */
export interface Lease {
  epoch: number;
}

export interface WatchInput {
  readonly machine: Machine;
  readonly outline: Outline;
  readonly world: World;
  readonly lease: Lease;
  /** Called with what was broken, besides throwing it: whoever called may take a throw for a server's failure. */
  readonly broken: (error: Broken) => void;
}

/** What one look told, against what was so in the world. */
export interface Look {
  readonly atMs: number;
  readonly needsAreTrue: boolean;
  readonly hung: boolean;
  readonly repeatable: boolean;
}

/** What the events so far say, kept apart from the machine's own sums. */
export class Record {
  readonly intended = new Map<string, Effect>();
  readonly ended = new Set<string>();
  /** Effects under way for the engine that lives. */
  readonly flying = new Map<string, Targeted>();
  /** Changes that were intended, by step and server. */
  readonly performed = new Map<string, string[]>();
  readonly looks = new Map<string, Look>();
  readonly stepOf = new Map<string, ActStep>();
  /** Changes that an engine began and did not live to see the end of, and that nobody looked for since. */
  readonly inDoubt = new Set<string>();
  /** When a server of a paced step was started last, in plan time. */
  readonly startedAtMs = new Map<string, number>();
  /** The share of its bound that a paced step was told to keep to, by track and step. */
  readonly shares = new Map<string, number>();
  /** The latest word of each guard, since the last engine or jump. */
  readonly guards = new Map<string, Extract<RunEvent, { type: 'guard' }>>();
  overrides: Extract<RunEvent, { type: 'overrode' }>[] = [];
  isCalendarUnread = false;
  freezes: readonly { readonly title: string; readonly fromMs: number; readonly toMs: number }[];
  isApproved = false;
  /** Once open, a clock that is set back closes it no more. */
  hasOpened = false;
  isLeaseLost = false;
  isMirrorBehind = false;
  skewMs = 0;
  readonly #opensAtMs: number | null;
  readonly before: ReadonlyMap<string, Pick<ModelServer, 'offline' | 'traffic'>>;
  readonly frozen: ReadonlySet<string>;

  constructor({ world, outline, machine }: WatchInput) {
    this.before = new Map(
      [...world.servers.values()].map(({ name, offline, traffic }) => [name, { offline, traffic }]),
    );
    this.frozen = new Set(outline.servers.map(({ name }) => name));
    this.freezes = machine.index.plan.header.freezes;
    this.#opensAtMs = machine.index.plan.header.window.opensAtMs;
  }

  /** Time goes on to the instant of an event. */
  advance(atMs: number): void {
    this.hasOpened ||= this.#opensAtMs === null || atMs >= this.#opensAtMs - this.skewMs;
  }

  /** Takes in one event, once it has been judged. */
  note({ event }: Stamped): void {
    switch (event.type) {
      case 'approved':
        this.isApproved = true;
        return;
      case 'engine':
        for (const effect of this.flying.values())
          if (effect.effect === 'perform' || effect.effect === 'undo') this.inDoubt.add(keyOf(effect));
        this.flying.clear();
        this.guards.clear();
        return;
      case 'jumped':
        this.guards.clear();
        if (event.sort === 'clock') this.skewMs += event.byMs;
        return;
      case 'guard':
        this.guards.set(event.guard, event);
        return;
      case 'lease':
        this.isLeaseLost = event.standing === 'lost';
        return;
      case 'mirror':
        this.isMirrorBehind = event.standing === 'behind';
        // A decision to go on without it has served when it is there again.
        if (!this.isMirrorBehind) this.overrides = this.overrides.filter((each) => each.class !== 'mirror');
        return;
      case 'paced':
        this.shares.set(`${event.track}/${event.step}`, event.share);
        return;
      case 'renewed':
        this.shares.clear();
        return;
      case 'overrode':
        this.overrides.push(event);
        return;
      case 'freezes':
        this.isCalendarUnread = event.unread !== undefined;
        this.freezes = event.freezes ?? this.freezes;
        return;
      case 'intended':
        if (!('place' in event.effect)) return;
        this.flying.set(event.effect.id, event.effect);
        if (event.effect.effect === 'confirm') this.inDoubt.delete(keyOf(event.effect));
        return;
      case 'performed':
        // It was never begun after all.
        if (event.unsent) this.#takeBack(event.id);
        this.flying.delete(event.id);
        return;
      case 'looked':
      case 'confirmed':
        this.flying.delete(event.id);
        return;
      default:
    }
  }

  #takeBack(id: string): void {
    const effect = this.intended.get(id);
    const step = this.stepOf.get(id);
    if (effect?.effect !== 'perform' || !step) return;
    const key = `${step.releases ?? step.id}/${effect.place.target}`;
    const earlier = this.performed.get(key)?.slice(0, -1) ?? [];
    if (earlier.length > 0) this.performed.set(key, earlier);
    else this.performed.delete(key);
  }

  isOverridden(sort: string, about?: string): boolean {
    return this.overrides.some((each) => each.class === sort && (about === undefined || each.about === about));
  }
}

/** Looks, acts and confirmations of one server's part of a step. */
export function keyOf({ place }: Targeted): string {
  return `${place.track}/${place.step}/${place.target}`;
}
