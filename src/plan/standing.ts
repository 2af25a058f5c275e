import type { Fleet, PlanStep, Server, Service, Serving } from '../model/index.ts';
import { balancerOf } from './balancers.ts';
import type { Foresight } from './foresee.ts';
import type { Outline } from './outline.ts';
import { servingOf } from './serving-kinds.ts';

/** Where one server stands between two steps. */
interface Stand {
  readonly server: Server;
  /** Whether this run may count on it: it was not left out, and is in nobody's quarantine. */
  readonly counts: boolean;
  offline: boolean;
  out: boolean;
  /** Hung or not to be reached when the plan was made. */
  away: boolean;
  /** The balancer sends it no more than its own limit. */
  held: boolean;
}

/** Who serves and who is connected, as the steps of a plan go over the fleet. */
export class Standing {
  readonly #balancers: Fleet['balancers'];
  readonly #stands: ReadonlyMap<string, Stand>;
  readonly #serving = new Map<string, number>();
  readonly #connected = new Map<string, number>();

  constructor(fleet: Fleet, laid: Outline, foresights: ReadonlyMap<string, Foresight>, leftOut: ReadonlySet<string>) {
    this.#balancers = fleet.balancers;
    const starts = startsOf(laid);
    this.#stands = new Map(
      fleet.servers.map((server) => [
        server.name,
        {
          server,
          counts: !leftOut.has(server.name),
          ...standOf(foresights.get(server.name), starts),
        },
      ]),
    );
    for (const stand of this.#stands.values()) this.#count(stand, 1);
  }

  /** How many of a group serve. */
  serving(group: string): number {
    return this.#serving.get(group) ?? 0;
  }

  /** Connections that all servers together open to a dependency, at most. */
  connected(dependency: string): number {
    return this.#connected.get(dependency) ?? 0;
  }

  /** What each server of a group gets at most, where admission of all of them is held; null: it is not. */
  heldAt(group: string): number | null {
    let limit: number | null = null;
    for (const { server, counts, held } of this.#stands.values()) {
      if (server.group !== group || !counts) continue;
      if (!held) return null;
      limit = Math.max(limit ?? 0, server.service.traffic?.admission?.perSecond ?? Infinity);
    }
    return limit === Infinity ? null : limit;
  }

  /** Whether a step changes anything for that server now. */
  isMovedBy(name: string, does: Serving): boolean {
    const stand = this.#stands.get(name);
    if (!stand) return false;
    switch (does) {
      case 'goes-offline':
        return !stand.offline;
      case 'comes-online':
        return stand.offline;
      case 'leaves-traffic':
        return !stand.out;
      case 'takes-traffic':
        return stand.out;
      case 'holds-admission':
        return !stand.held;
      case 'frees-admission':
        return stand.held;
      default:
        return true;
    }
  }

  /** Whether it is in service now. */
  serves(name: string): boolean {
    const stand = this.#stands.get(name);
    return stand !== undefined && this.#serves(stand);
  }

  /** Connections that this one server has, at most: to a dependency that it does not use, 0. */
  poolOf(name: string, dependency: string): number {
    const stand = this.#stands.get(name);
    return stand ? poolTo(stand.server.service, dependency) : 0;
  }

  /** What it has in clocks: one connection each while they are refreshed. */
  clocksOf(name: string): number {
    return this.#stands.get(name)?.server.service.clocks.length ?? 0;
  }

  /** Takes in that the step is done on that server. */
  move(name: string, does: Serving): void {
    const stand = this.#stands.get(name);
    if (!stand || does === 'refreshes') return;
    this.#count(stand, -1);
    if (does === 'goes-offline') stand.offline = true;
    else if (does === 'comes-online') stand.offline = false;
    else if (does === 'leaves-traffic') stand.out = true;
    else if (does === 'takes-traffic') stand.out = false;
    else if (does === 'holds-admission') stand.held = true;
    else if (does === 'frees-admission') stand.held = false;
    // Whoever boots is online.
    else Object.assign(stand, { away: false, offline: false });
    this.#count(stand, 1);
  }

  #count(stand: Stand, sign: 1 | -1): void {
    const { server } = stand;
    if (this.#serves(stand)) add(this.#serving, server.group, sign);
    if (stand.away || stand.offline) return;
    for (const dependency of Object.keys(server.service.dependencies))
      add(this.#connected, dependency, sign * poolTo(server.service, dependency));
  }

  #serves({ server: { group }, counts, out, away, offline }: Stand): boolean {
    return counts && !out && !away && !(offline && balancerOf(this.#balancers, group)?.offline === 'leaves');
  }
}

/** The steps of the main line that say by their verdict how a server stands before them. */
function startsOf({ steps, kinds }: Outline): readonly { readonly id: string; readonly does: Serving }[] {
  return steps.flatMap((step: PlanStep) => {
    const does = step.step === 'act' && step.releases === null ? servingOf(step, kinds.get(step.id)) : null;
    return does === null ? [] : [{ id: step.id, does }];
  });
}

function standOf(
  foresight: Foresight | undefined,
  starts: ReturnType<typeof startsOf>,
): Pick<Stand, 'offline' | 'out' | 'away' | 'held'> {
  const verdicts = foresight?.verdicts ?? {};
  const was = (into: Serving, from: Serving): boolean => {
    const first = starts.find(
      ({ id, does }) =>
        (does === into || does === from) && ['nothing', 'change'].includes(verdicts[id]?.verdict ?? 'unknown'),
    );
    // `nothing` is to be done where it stands so already; a change is away from where it stands.
    return first !== undefined && (verdicts[first.id]?.verdict === 'nothing') === (first.does === into);
  };
  return {
    offline: was('goes-offline', 'comes-online'),
    out: was('leaves-traffic', 'takes-traffic'),
    // Held by somebody else is held until he lets go.
    held: false,
    away: Object.values(verdicts).some(({ verdict }) => verdict === 'contingency' || verdict === 'failed'),
  };
}

/** Connections that one server opens to a dependency at most; 0 where it uses none. */
export function poolTo(service: Service, dependency: string): number {
  return Object.hasOwn(service.dependencies, dependency) ? (service.dependencies[dependency]?.pool ?? 0) : 0;
}

function add(to: Map<string, number>, key: string, by: number): void {
  to.set(key, (to.get(key) ?? 0) + by);
}
