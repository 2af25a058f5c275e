import type { Machine } from '../../run/index.ts';
import type { GuardRow } from '../report.ts';
import type { Collector, Seen } from './seen.ts';

/** How each guard stood, from one transition to the next. */
export class GuardWatch implements Collector {
  readonly #machine: Machine;
  readonly rows: GuardRow[] = [];

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  see({ event, atMs }: Seen): void {
    if (event.type !== 'guard') return;
    const { guard, standing, onsetAtMs, seen } = event;
    const title = this.#machine.index.plan.header.guards.find(({ id }) => id === guard)?.title ?? '';
    this.rows.push({ guard, title, standing, atMs, onsetAtMs, seen });
  }
}
