import { queueDelayMs, setFront, type World } from '../world/index.ts';
import type { Actor } from './tell.ts';

/** Something that adds capacity while there is too little of it, and never above its limit. It takes nothing back. */
export interface Autoscaler {
  readonly actor: Actor;
  /** From now on it may go to so many times what there was at first. */
  allow(times: number): void;
}

/** How it goes about it: it looks so often, and adds at most such a share of what there was at first each time. */
export interface ScalePace {
  readonly fromMs: number;
  readonly everyMs: number;
  readonly step: number;
}

/** Full to this share is full enough to add more. */
const BUSY_SHARE = 0.8;

/** Scales the front of a world: its capacity for new connections, and the room to wait for one with it. */
export function autoscaled(world: World, { fromMs, everyMs, step }: ScalePace): Autoscaler {
  const first = world.front?.limits;
  let [limit, times, nextMs] = [1, 1, fromMs];
  return {
    allow(most) {
      limit = most;
    },
    actor: {
      nextMs: () => nextMs,
      act() {
        nextMs += everyMs;
        const { front } = world;
        if (!first || !front || times >= limit) return null;
        const busy = front.queue.perSecond > BUSY_SHARE * front.limits.capacityPerSecond;
        if (!busy && queueDelayMs(front.queue, front.limits) === 0) return null;
        times = Math.min(limit, times + step);
        setFront(world, { capacityPerSecond: times * first.capacityPerSecond, room: times * first.room });
        return times === limit ? `the pods are ${Number(times.toFixed(2))} times as many as they were` : null;
      },
    },
  };
}
