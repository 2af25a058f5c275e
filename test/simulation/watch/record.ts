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
  /** When a server of a paced step was started last, in plan time. */
  readonly startedAtMs = new Map<string, number>();
  /** The latest word of each guard, since the last engine or jump. */
  readonly guards = new Map<string, Extract<RunEvent, { type: 'guard' }>>();
  readonly overrides: Extract<RunEvent, { type: 'overrode' }>[] = [];
  freezes: readonly { readonly title: string; readonly fromMs: number; readonly toMs: number }[];
  isApproved = false;
  isLeaseLost = false;
  isMirrorBehind = false;
  skewMs = 0;
  readonly before: ReadonlyMap<string, Pick<ModelServer, 'offline' | 'traffic'>>;
  readonly frozen: ReadonlySet<string>;

  constructor({ world, outline, machine }: WatchInput) {
    this.before = new Map(
      [...world.servers.values()].map(({ name, offline, traffic }) => [name, { offline, traffic }]),
    );
    this.frozen = new Set(outline.servers.map(({ name }) => name));
    this.freezes = machine.index.plan.header.freezes;
  }

  /** Takes in one event, once it has been judged. */
  note({ event }: Stamped): void {
    switch (event.type) {
      case 'approved':
        this.isApproved = true;
        return;
      case 'engine':
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
        return;
      case 'overrode':
        this.overrides.push(event);
        return;
      case 'freezes':
        this.freezes = event.freezes ?? this.freezes;
        return;
      case 'intended':
        if ('place' in event.effect) this.flying.set(event.effect.id, event.effect);
        return;
      case 'looked':
      case 'performed':
      case 'confirmed':
        this.flying.delete(event.id);
        return;
      default:
    }
  }

  isOverridden(sort: string, about?: string): boolean {
    return this.overrides.some((each) => each.class === sort && (about === undefined || each.about === about));
  }
}

/** Looks, acts and confirmations of one server's part of a step. */
export function keyOf({ place }: Targeted): string {
  return `${place.track}/${place.step}/${place.target}`;
}
