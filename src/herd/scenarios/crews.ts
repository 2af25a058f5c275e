import {
  hardReset,
  isAlive,
  NEVER,
  refreshCache,
  setPage,
  setRotation,
  type ServerState,
  type World,
} from '../world/index.ts';
import type { Actor } from './tell.ts';

/** People who find the fleet dead and work on it by hand, one server after another. */
export interface Hands {
  /** From the first hang until traffic is stopped; NEVER: it is not. */
  readonly stopTrafficAfterMs: number;
  /** From the first hang until the first of them is at work; NEVER: nobody comes. */
  readonly comeAfterMs: number;
  readonly people: number;
  /** What one of them needs for a server: log in out of band, reset it, wait for it, look at its configuration. */
  readonly perServerMs: number;
}

/** Recovery by hand: traffic is stopped, people come, reset one by one, and open the service when all are back. */
export function byHand(world: World, hands: Hands): readonly Actor[] {
  const deadSinceMs = (): number => world.tally.firstDeadMs ?? NEVER;
  let stopped = false;
  let opened = false;
  let lastMs = -NEVER;
  const stop: Actor = {
    nextMs: () => (stopped ? NEVER : Math.min(NEVER, deadSinceMs() + hands.stopTrafficAfterMs)),
    act() {
      stopped = true;
      setPage(world, true);
      return 'traffic is stopped: nobody recovers by it';
    },
  };
  const reset: Actor = {
    nextMs() {
      if (opened || deadSinceMs() === NEVER || hands.comeAfterMs === NEVER) return NEVER;
      return Math.max(deadSinceMs() + hands.comeAfterMs, lastMs + hands.perServerMs / hands.people);
    },
    act() {
      const first = lastMs < 0 && world.tally.dead === world.tally.deadAtMost;
      lastMs = world.nowMs;
      const server = world.servers.find(({ hungAtMs }) => hungAtMs !== null);
      if (server) {
        hardReset(world, server);
        return first ? `${hands.people} people are there and reset one server after another` : null;
      }
      if (world.servers.some((each) => !isAlive(each))) return null;
      opened = true;
      setPage(world, false);
      return 'the service is opened again';
    },
  };
  return [stop, reset];
}

/** A contingency that was planned, approved beforehand, and stands ready. */
export interface Contingency {
  /** From the first hang until it is told from silence: three checks that fail, from two places. */
  readonly noticeMs: number;
  /** A person opens the gate before power is touched. */
  readonly gateMs: number;
  readonly resetsPerMinute: number;
  /** Proving the configuration of a server that has booted. */
  readonly proveMs: number;
  readonly refreshesPerSecond: number;
}

/** Recovery as a plan has it: the page at the edge, resets in a rate, each server proven and warm before it is used. */
export function byContingency(world: World, plan: Contingency): readonly Actor[] {
  const deadSinceMs = (): number => world.tally.firstDeadMs ?? NEVER;
  const out = new Map<ServerState, number>();
  let [noticed, opened, lastResetMs, lastRefreshMs] = [false, false, -NEVER, -NEVER];
  const notice: Actor = {
    nextMs: () => (noticed ? NEVER : Math.min(NEVER, deadSinceMs() + plan.noticeMs)),
    act() {
      noticed = true;
      setPage(world, true);
      return 'the contingency arms: the page is shown, hung servers are taken out';
    },
  };
  const reset: Actor = {
    nextMs() {
      if (opened || deadSinceMs() === NEVER || world.tally.dead === 0) return NEVER;
      return Math.max(deadSinceMs() + plan.noticeMs + plan.gateMs, lastResetMs + 60_000 / plan.resetsPerMinute);
    },
    act() {
      const first = lastResetMs < 0;
      lastResetMs = world.nowMs;
      const server = world.servers.find(({ hungAtMs }) => hungAtMs !== null);
      if (!server) return null;
      setRotation(world, server, false);
      hardReset(world, server);
      out.set(server, server.bootedAtMs + plan.proveMs);
      return first ? `hard resets begin, ${plan.resetsPerMinute} a minute` : null;
    },
  };
  const giveBack: Actor = {
    nextMs() {
      const [next] = out;
      if (next === undefined || world.database.state !== 'up') return NEVER;
      return Math.max(world.nowMs, next[1], lastRefreshMs + 1_000 / plan.refreshesPerSecond);
    },
    act() {
      const [next] = out;
      if (!next) return null;
      lastRefreshMs = world.nowMs;
      out.delete(next[0]);
      refreshCache(world, next[0]);
      setRotation(world, next[0], true);
      if (world.tally.dead > 0 || out.size > 0) return null;
      opened = true;
      setPage(world, false);
      return 'all are proven, warm and back: the page goes';
    },
  };
  return [notice, reset, giveBack];
}
