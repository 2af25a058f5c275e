import type { IncomingMessage, ServerResponse } from 'node:http';
import { databaseAnswers, isAlive, type World } from '../herd/index.ts';
import { openService, type Service } from './balancer.ts';
import { pathOf } from './body.ts';
import type { Stage } from './stage.ts';
import { say } from './web.ts';

/** The database's connections: what each server opens, what others have besides, and what it accepts. */
export interface Connections {
  readonly pool: number;
  readonly max: number;
  readonly perSecond: number;
  /** Of pods elsewhere; can be told. */
  others: number;
}

/** Connections now: a server that is online and reaches the database has all of its pool. */
export function connectionsNow(world: World, { pool, others }: Connections): number {
  const using = world.servers.filter(
    (server) => isAlive(server) && !server.offline && databaseAnswers(world, server),
  ).length;
  return using * pool + others;
}

/** What the database tells of itself: `/connections`. */
export function openDatabase(stage: Stage, connections: Connections): Promise<Service> {
  return openService(async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    stage.touch();
    if (pathOf(incoming) !== '/connections') return say(outgoing, 404, { error: 'there is /connections' });
    if (incoming.method !== 'GET') return say(outgoing, 405, { error: 'GET' });
    say(outgoing, 200, { connections: connectionsNow(stage.world, connections), max: connections.max });
  });
}
