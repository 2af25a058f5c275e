import { NEVER, touch } from './agenda.ts';
import { databaseAnswers } from './database.ts';
import { accountEdge } from './flow.ts';
import { frontPasses } from './front.ts';
import { inFlight } from './pile.ts';
import { isAlive, type ServerState, type World } from './state.ts';

/**
 * Shares the load among the servers in rotation that the balancer sees healthy, by their weight. With its page on, none
 * gets any; what exceeds the share that a server may get, and what nobody is there for, is refused at the edge.
 */
export function balance(world: World): void {
  const { options, servers, balancer, edge } = world;
  if (!balancer.stale) return;
  balancer.stale = false;
  accountEdge(world);
  let [sharing, all] = [0, 0];
  for (const server of servers) {
    all += server.traits.weight;
    if (shares(world, server)) sharing += server.traits.weight;
  }
  const sumPerSecond = options.requestsPerSecond * all * balancer.load;
  const admittedPerSecond = balancer.page ? 0 : sumPerSecond * balancer.admits;
  const wholeShare = sharing === 0 ? 0 : admittedPerSecond / sharing;
  const share = Math.min(options.balancerLimitPerSecond ?? Infinity, wholeShare);
  let sent = 0;
  for (const server of servers) {
    const wanted = shares(world, server) ? share * server.traits.weight : 0;
    const perSecond = Math.min(wanted, server.limitPerSecond ?? Infinity);
    sent += perSecond;
    if (perSecond === server.ratePerSecond) continue;
    server.ratePerSecond = perSecond;
    touch(world, server);
  }
  edge.pagedPerSecond = sumPerSecond - admittedPerSecond;
  edge.refusedPerSecond = Math.max(0, admittedPerSecond - sent);
}

function shares({ options }: World, server: ServerState): boolean {
  return server.inRotation && server.seenUp && !(options.offlineLeaves && server.offline);
}

/** One round of the balancer's checks, when its time has come: `fall` silent in a row take a server down, `rise` bring it back. */
export function checkHealth(world: World): void {
  const { balancer, options, nowMs } = world;
  const { intervalMs, fall, rise } = options.health;
  const round = Math.floor((nowMs - options.health.phaseMs) / intervalMs);
  if (round <= balancer.checkedRound) return;
  balancer.checkedRound = round;
  if (!watches(world)) return;
  balancer.watch = false;
  for (const server of world.servers) {
    if (isSound(world, server) === server.seenUp) {
      server.contrary = 0;
      continue;
    }
    balancer.watch = true;
    server.contrary += 1;
    if (server.contrary < (server.seenUp ? fall : rise)) continue;
    server.seenUp = !server.seenUp;
    server.contrary = 0;
    balancer.stale = true;
  }
}

/** Whether the check's answer comes. What it needs for that differs: a process, a free worker, or the database. */
export function isSound(world: World, server: ServerState): boolean {
  if (!isAlive(server)) return false;
  const { asks } = world.options.health;
  if (asks === 'worker') {
    const places = server.traits.concurrencyLimit ?? Infinity;
    return inFlight(server.pile, world.nowMs) < places - 1e-3;
  }
  return asks === 'process' || (databaseAnswers(world, server) && frontPasses(world));
}

/** When the next round could change anything. */
export function nextCheckMs(world: World): number {
  const { intervalMs, phaseMs } = world.options.health;
  return watches(world) ? (world.balancer.checkedRound + 1) * intervalMs + phaseMs : NEVER;
}

/** Somebody may be in another state than the balancer has him. Checks that look beyond the process are always made. */
function watches({ balancer, options }: World): boolean {
  return balancer.watch || options.health.asks !== 'process';
}
