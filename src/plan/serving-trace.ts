import type { ActStep, ConnectionTrace, Serving, ServingTrace } from '../model/index.ts';
import { opensConnections } from './serving-kinds.ts';
import type { Standing } from './standing.ts';
import { concurrencyOf } from './timing.ts';

/** What one wave of a step does to who serves and who is connected. */
export type Trace = ServingTrace & { readonly connections: ReadonlyMap<string, ConnectionTrace> };

/** Lets a wave go over the fleet, and tells what that changed. */
export function traceOf(
  wave: readonly string[],
  does: Serving,
  at: {
    readonly standing: Standing;
    readonly group: string;
    readonly names: readonly string[];
    readonly step: ActStep;
    readonly failures: number;
  },
): Trace {
  const { standing, group, names, step, failures } = at;
  const moved = wave.filter((name) => standing.isMovedBy(name, does));
  const atOnce = Math.min(concurrencyOf(step, failures), moved.length);
  const restarting = does === 'restarts' ? Math.min(atOnce, moved.filter((name) => standing.serves(name)).length) : 0;
  const before = standing.serving(group);
  const connected = new Map(names.map((name) => [name, standing.connected(name)]));
  const opens = opensConnections(does);
  for (const name of moved) standing.move(name, does);
  const connections = new Map(
    names.map((name): [string, ConnectionTrace] => {
      const pools = moved.map((server) => standing.poolOf(server, name)).filter((pool) => pool > 0);
      // A refresh has a connection of its own for each clock, while it lasts.
      const clocks = does === 'refreshes' ? Math.max(0, ...moved.map((server) => standing.clocksOf(server))) : 0;
      const users = does === 'refreshes' && pools.length > 0 ? atOnce : 0;
      return [
        name,
        {
          before: connected.get(name) ?? 0,
          after: standing.connected(name),
          opening: opens ? pools.length : users,
          each: opens ? Math.max(0, ...pools) : clocks,
          borrowed: users * clocks,
        },
      ];
    }),
  );
  return { before, after: standing.serving(group), restarting, connections };
}
