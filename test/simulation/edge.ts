import type { EdgeSwitch } from '../../src/engine/edge.ts';
import type { Countdown } from '../../src/model/index.ts';
import { readingOf, type RunEvent } from './readings.ts';
import type { Chance } from '../support/chance.ts';
import type { Agenda, Sleeper } from './agenda.ts';
import { trouble } from './reach.ts';
import { Broken } from './watch/index.ts';
import type { World } from './world.ts';

/** What a plan says that has a page of the balancer to shed load by. */
export const COUNTDOWN: Countdown = {
  everyMs: 5_000,
  shed: { by: 'edge', actMs: 15_000, timeoutMs: 10_000, takesMs: 5_000, takesFrom: 'declared', warmPerSecond: null },
};

/** The balancer's page takes its time, and fails by seed. */
export function modelEdge(input: {
  readonly world: World;
  readonly agenda: Agenda;
  readonly chance: Chance;
  readonly owner: Sleeper;
  readonly faultiness: () => number;
}): EdgeSwitch {
  const { world, agenda, chance, owner } = input;
  const passes = async (): Promise<void> => {
    const tookMs = chance.whole(20, 800);
    await new Promise<void>((resolve) => void agenda.put(agenda.nowMs + tookMs, owner, resolve));
    if (!chance.happens(input.faultiness() * 3)) return;
    world.pageFailedAtMs = world.nowMs;
    throw trouble(chance.pick(['timeout', 'lost', 'command'] as const), { name: 'the page' });
  };
  return {
    async read() {
      await passes();
      return world.page ? 'on' : 'off';
    },
    async turn(to) {
      await passes();
      if (to === 'off' && !world.databaseUp && world.nowMs - world.databaseGoneAtMs > ANSWER_LIES_MS)
        throw new Broken('promise 9', 'the page was turned off, and the database is away');
      if ((to === 'on') !== world.page) world.done('the balancer', `page ${to}`);
      world.page = to === 'on';
    },
  };
}

/** Between the last answer of the last server and the page lies this at most: reads stall. */
const ANSWER_LIES_MS = 60_000;

/** From here on the run can have known: reads stall for half a minute, and commits and pages take their time. */
const GRACE_MS = 60_000;

/**
 * While a fuse burns and a shed is planned, no server meets its expiry with traffic. By the world's own truth, except
 * where nobody could know or act: no engine was there, the page failed, a server lost its cache by itself.
 */
export class Expiries {
  readonly #world: World;
  readonly #isPlanned: boolean;
  readonly #fuseGates: ReadonlySet<string>;
  /** Since when nothing has kept the run from acting, with the fuse burning; null: something does, or it does not burn. */
  #freeSinceMs: number | null = null;
  #burns = false;
  readonly #known = new Map<string, number>();

  constructor(world: World, isPlanned: boolean, fuseGates: ReadonlySet<string>) {
    this.#world = world;
    this.#isPlanned = isPlanned;
    this.#fuseGates = fuseGates;
  }

  /** Called with every durable event. `proves`: it ends a step that shows that the database answers from everybody. */
  event(event: RunEvent, over: boolean): void {
    const now = this.#world.nowMs;
    if (event.type === 'intended' && event.effect.effect === 'pass' && this.#fuseGates.has(event.effect.gate)) {
      this.#burns = true;
      this.#freeSinceMs = now;
    }
    if (over) this.#burns = false;
    if (event.type === 'engine' || event.type === 'jumped') this.#freeSinceMs = now;
    for (const [server, expiresAtMs] of readingOf(event)) this.#known.set(server, expiresAtMs);
  }

  /** Called whenever time has gone on. `free`: an engine lives and is awake. */
  demand(free: boolean, isOut: (server: string) => boolean): void {
    const { nowMs, page, pageFailedAtMs, databaseUp } = this.#world;
    if (!free) this.#freeSinceMs = nowMs;
    if (!this.#isPlanned || !this.#burns || databaseUp || page || this.#freeSinceMs === null) return;
    const since = Math.max(this.#freeSinceMs, pageFailedAtMs);
    for (const server of this.#world.servers.values()) {
      const known = this.#known.get(server.name);
      if (known === undefined || isOut(server.name) || server.life !== 'up' || server.traffic === 'out') continue;
      const expiresAtMs = server.cacheBornMs + server.ttlMs;
      // Whose cache is gone sooner than any reading said has lost it by itself.
      if (expiresAtMs < known - 1_000 || server.cutUntilMs > nowMs || nowMs < expiresAtMs + 1) continue;
      if (expiresAtMs < since + GRACE_MS || server.partedUntilMs > since) continue;
      throw new Broken(
        'foresight',
        `${server.name} met its expiry with traffic at ${expiresAtMs}, ${nowMs - expiresAtMs} ms ago, and load was not shed`,
      );
    }
  }
}
