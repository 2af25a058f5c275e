import type { Plan } from '../../model/index.ts';
import {
  awayOf,
  flyingOf,
  keptOut,
  rejoinCommand,
  trackOf,
  unprovenServers,
  type Machine,
  type Place,
  type RunState,
  type TargetState,
} from '../../run/index.ts';
import type { Boot, Deed, ServerRow } from '../report.ts';
import { plannedOf } from './planned.ts';
import type { Collector, Seen } from './seen.ts';

/** A deed while it is being gathered. */
interface Doing {
  deed: Deed;
  readonly isReset: boolean;
}

interface Kept {
  readonly deeds: Map<string, Doing>;
  readonly boots: Boot[];
  checks: number;
}

/** What was done to each server, how often it was reset, and in which boots it was seen. */
export class Servers implements Collector {
  readonly #machine: Machine;
  readonly #kept = new Map<string, Kept>();

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  see({ event, before, after, atMs }: Seen): void {
    if (event.type === 'intended' && (event.effect.effect === 'perform' || event.effect.effect === 'undo')) {
      const doing = this.#doing(event.effect.place, after, atMs);
      doing.deed = { ...doing.deed, attempts: doing.deed.attempts + 1 };
      return;
    }
    if (event.type !== 'looked' && event.type !== 'performed' && event.type !== 'confirmed') return;
    const effect = before ? flyingOf(before.flying, event.id) : undefined;
    if (!effect || !('place' in effect)) return;
    const target = targetAt(after, effect.place);
    if (target) this.#settle(effect.place, target, after, atMs);
  }

  rows(state: RunState): ServerRow[] {
    const { plan } = this.#machine.index;
    const unproven = new Set(state.closed ? unprovenServers(state, this.#machine.index) : []);
    const away = new Set(
      keptOut(state, this.#machine.index).filter((server) => awayOf(state, this.#machine.index, server) === 'out'),
    );
    const planned = plan.slices
      .flatMap((slice) => slice.servers)
      .map((server): ServerRow => {
        const kept = this.#of(server.name);
        const doings = [...kept.deeds.values()];
        const deeds = doings.map(({ deed }) => deed);
        const out = state.out[server.name];
        return {
          ...server,
          ended:
            away.has(server.name) && !unproven.has(server.name)
              ? 'quarantined'
              : endedOf(server.name, state, unproven, deeds),
          why: out?.failure.what ?? failedUndo(deeds),
          remedy: away.has(server.name)
            ? `Bring it back, proven: ${rejoinCommand([server.name], this.#machine.index)}`
            : out && !out.recovered
              ? out.failure.remedy
              : null,
          outAtMs: out?.sinceMs ?? null,
          outAt: out?.title ?? null,
          deeds,
          checks: kept.checks,
          boots: kept.boots,
          resets: doings.filter(({ isReset, deed }) => isReset && deed.attempts > 0).map(({ deed }) => deed),
        };
      });
    return [...planned, ...leftOut(plan)];
  }

  #settle(place: Place, target: TargetState, state: RunState, atMs: number): void {
    const kept = this.#of(place.target);
    const bootId = bootIdIn(target.readings);
    if (bootId !== null && kept.boots.at(-1)?.bootId !== bootId) kept.boots.push({ bootId, atMs });
    if (target.phase === 'done' && !target.dirty) {
      kept.checks += 1;
      return;
    }
    if (target.phase !== 'done' && target.phase !== 'failed' && target.phase !== 'unknown') return;
    const doing = this.#doing(place, state, atMs);
    doing.deed = { ...doing.deed, state: target.phase, endedAtMs: atMs, why: target.failure?.what ?? null };
  }

  /** One deed for a step on a server, however often it was tried; after a renewal it is another. */
  #doing(place: Place, state: RunState, atMs: number): Doing {
    const { deeds } = this.#of(place.target);
    const track = trackOf(state, place.track);
    const key = `${place.track}/${track?.renewals ?? 0}/${place.step}`;
    const known = deeds.get(key);
    if (known) return known;
    const step = track?.steps[place.step];
    const planned = track && step ? plannedOf(track, step, this.#machine) : undefined;
    const deed: Deed = {
      track: place.track,
      id: planned?.id ?? '',
      title: planned?.title ?? '',
      does: step?.step === 'act' ? step.does : 'perform',
      state: 'under way',
      attempts: 0,
      startedAtMs: atMs,
      endedAtMs: null,
      why: null,
    };
    const doing: Doing = { deed, isReset: planned?.step === 'act' && planned.kind.name === 'hard-reset' };
    deeds.set(key, doing);
    return doing;
  }

  #of(server: string): Kept {
    const known = this.#kept.get(server);
    if (known) return known;
    const fresh: Kept = { deeds: new Map(), boots: [], checks: 0 };
    this.#kept.set(server, fresh);
    return fresh;
  }
}

function endedOf(
  server: string,
  state: RunState,
  unproven: ReadonlySet<string>,
  deeds: readonly Deed[],
): ServerRow['ended'] {
  if (unproven.has(server)) return 'not proven';
  const out = state.out[server];
  if (out) return out.recovered ? 'recovered' : 'out';
  if (!state.closed) return 'under way';
  if (state.mode === 'forward') return 'done';
  return deeds.some((deed) => deed.attempts > 0) ? 'home' : 'untouched';
}

function failedUndo(deeds: readonly Deed[]): string | null {
  return deeds.findLast((deed) => deed.state === 'failed' || deed.state === 'unknown')?.why ?? null;
}

function leftOut({ header, slices }: Plan): ServerRow[] {
  const planned = new Set(slices.flatMap((slice) => slice.servers.map(({ name }) => name)));
  return header.except
    .filter(({ server }) => !planned.has(server))
    .map(({ server, reason }) => ({
      name: server,
      group: null,
      domain: null,
      ended: 'left out',
      why: reason,
      remedy: null,
      outAtMs: null,
      outAt: 'the plan',
      deeds: [],
      checks: 0,
      boots: [],
      resets: [],
    }));
}

function targetAt(state: RunState, place: Place): TargetState | undefined {
  const step = trackOf(state, place.track)?.steps[place.step];
  return step?.step === 'act' ? step.waves[place.wave]?.targets[place.target] : undefined;
}

function bootIdIn(readings: unknown): string | null {
  const found = typeof readings === 'object' && readings !== null && 'bootId' in readings ? readings.bootId : null;
  return typeof found === 'string' ? found : null;
}
