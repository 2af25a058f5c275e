import type { Kernel } from './kernel.ts';
import type { Done, Service } from './service.ts';
import { Station, type StationRules } from './station.ts';

/**
 * How a database meets requests: it serves; it refuses at once, as where nothing listens; it drops, as where packets
 * vanish; or it accepts and hangs, as a process that is stuck.
 */
export type Manner = 'up' | 'refuse' | 'drop' | 'hang';

export interface DatabaseRules extends StationRules {
  /** Connections that it holds at once, in service, in the queue or hanging; beyond them it refuses. */
  readonly connectionsMax: number;
}

/**
 * A database. Requests that it accepted and hangs on hold their connections for as long as it hangs: who gives up
 * waiting frees none of them, since the stuck process does not notice. Those that were dropped are gone for good.
 */
export class Database {
  readonly station: Station;
  readonly #connectionsMax: number;
  #manner: Manner = 'up';
  #held: { readonly key: number; readonly done: Done }[] = [];
  #connections = 0;
  #dropped = 0;

  constructor(kernel: Kernel, rules: DatabaseRules) {
    this.station = new Station(kernel, rules);
    this.#connectionsMax = rules.connectionsMax;
  }

  /** Requests that it holds a connection for. */
  get connections(): number {
    return this.#connections;
  }

  /** Requests that vanished. */
  get dropped(): number {
    return this.#dropped;
  }

  readonly ask: Service = (key, done) => {
    if (this.#manner === 'drop') {
      this.#dropped += 1;
      return;
    }
    if (this.#manner === 'refuse' || this.#connections >= this.#connectionsMax) {
      done('refused');
      return;
    }
    this.#connections += 1;
    const answer: Done = (outcome) => {
      this.#connections -= 1;
      done(outcome);
    };
    if (this.#manner === 'hang') this.#held.push({ key, done: answer });
    else this.station.ask(key, answer);
  };

  /**
   * Takes to another manner. What it served or queued before goes on, unless it hangs: that stands still until the
   * database is up again. What hung is refused when it refuses (its process was killed), and vanishes when it drops.
   */
  turn(manner: Manner): void {
    if (manner === this.#manner) return;
    const held = this.#manner === 'hang' ? this.#held : [];
    this.#manner = manner;
    if (manner === 'hang') this.station.pause();
    else this.station.resume();
    if (held.length === 0) return;
    this.#held = [];
    if (manner === 'up') for (const { key, done } of held) this.station.ask(key, done);
    else if (manner === 'refuse') for (const { done } of held) done('refused');
    else {
      this.#connections -= held.length;
      this.#dropped += held.length;
    }
  }

  /** Serves so many times as slowly from now on; 1 is its own pace. */
  slowBy(factor: number): void {
    this.station.slowBy(factor);
  }
}
