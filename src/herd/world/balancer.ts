import { isAlive, type World } from './state.ts';

/** Shares the load among the servers in rotation that the balancer sees healthy. With its page on, none gets any. */
export function balance(world: World): void {
  const { options, servers, balancer } = world;
  let sharers = 0;
  for (const server of servers) if (server.inRotation && server.seenUp) sharers += 1;
  const sumPerSecond = balancer.page ? 0 : options.requestsPerSecond * servers.length;
  const share = Math.min(options.balancerLimitPerSecond ?? Infinity, sumPerSecond / Math.max(1, sharers));
  for (const server of servers) server.ratePerSecond = server.inRotation && server.seenUp ? share : 0;
}

/** One round of the balancer's checks, when its time has come: `fall` silent in a row take a server down, `rise` bring it back. */
export function checkHealth(world: World): void {
  const { intervalMs, fall, rise } = world.options.health;
  const round = Math.floor(world.nowMs / intervalMs);
  if (round <= world.balancer.checkedRound) return;
  world.balancer.checkedRound = round;
  for (const server of world.servers) {
    if (isAlive(server) === server.seenUp) {
      server.contrary = 0;
      continue;
    }
    server.contrary += 1;
    if (server.contrary < (server.seenUp ? fall : rise)) continue;
    server.seenUp = !server.seenUp;
    server.contrary = 0;
  }
}

/** When the next round could change anything. */
export function nextCheckMs(world: World): number {
  const unsettled = world.servers.some((server) => server.contrary > 0 || isAlive(server) !== server.seenUp);
  return unsettled ? (world.balancer.checkedRound + 1) * world.options.health.intervalMs : Infinity;
}
