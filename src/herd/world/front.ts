import { NEVER, touchAll } from './agenda.ts';
import { isAlive, type World } from './state.ts';

/**
 * A queue in front of a limit, as a fluid: so many units come a second, so many are worked off. What waits longer than
 * its owner's patience is worked off all the same, for nobody; what finds the queue full is dropped.
 * It is a database's handshakes, and a storage's reads.
 */
export interface Queue {
  backlog: number;
  atMs: number;
  /** Units a second that come now. */
  perSecond: number;
}

export interface QueueLimits {
  /** Units a second that are worked off. */
  readonly capacityPerSecond: number;
  /** Units that can wait. */
  readonly room: number;
  /** Who waits longer has given up. */
  readonly patienceMs: number;
}

/** So little is rounding, not waiting. */
const ROUNDING = 1e-6;

/** Brings the queue up to now. */
export function flowQueue(queue: Queue, limits: QueueLimits, nowMs: number): void {
  const grown = queue.backlog + ((queue.perSecond - limits.capacityPerSecond) * (nowMs - queue.atMs)) / 1_000;
  queue.backlog = Math.min(limits.room, Math.max(0, grown));
  queue.atMs = nowMs;
}

/** How long the last in the queue waits. */
export function queueDelayMs(queue: Queue, { capacityPerSecond }: QueueLimits): number {
  return (queue.backlog / capacityPerSecond) * 1_000;
}

/** The share of those who come now that is served in time. Constant until `nextOfQueue`. */
export function servedShare(queue: Queue, limits: QueueLimits): number {
  const beyondMs = queueDelayMs(queue, limits) - limits.patienceMs;
  // At patience's end it is the next one who counts: he waits longer while the queue grows.
  const growing = queue.perSecond > limits.capacityPerSecond;
  if (growing ? beyondMs > -ROUNDING : beyondMs > ROUNDING) return 0;
  const full = growing && queue.backlog >= limits.room - ROUNDING;
  return full ? limits.capacityPerSecond / queue.perSecond : 1;
}

/** When next the queue is empty, full, at patience's end, or at one of these delays. */
export function nextOfQueue(queue: Queue, limits: QueueLimits, delaysMs: readonly number[]): number {
  const growthPerSecond = queue.perSecond - limits.capacityPerSecond;
  if (growthPerSecond === 0) return NEVER;
  let nextMs = NEVER;
  const marks = [
    0,
    limits.room,
    ...[limits.patienceMs, ...delaysMs].map((ms) => (ms / 1_000) * limits.capacityPerSecond),
  ];
  for (const mark of marks) {
    const inMs = ((mark - queue.backlog) / growthPerSecond) * 1_000;
    // What is reached already is not reached again.
    if (Math.abs(mark - queue.backlog) > ROUNDING && inMs > 0 && mark <= limits.room) {
      nextMs = Math.min(nextMs, queue.atMs + inMs);
    }
  }
  return nextMs;
}

/** A database's front: every so-manieth request opens a new connection, and that takes a handshake. */
export interface FrontOptions extends QueueLimits {
  /** New connections a request. */
  readonly perRequest: number;
  /** A check of the balancer's that reaches for the database must have its connection within this. */
  readonly checkWithinMs: number;
}

/** Brings the front up to now, with what its servers send it. */
export function settleFront(world: World): void {
  const { front, nowMs, tally } = world;
  if (front === null) return;
  flowQueue(front.queue, front.limits, nowMs);
  const arriving = world.servers.reduce((sum, server) => sum + (isAlive(server) ? server.ratePerSecond : 0), 0);
  front.queue.perSecond = arriving * front.limits.perRequest;
  tally.peakConnectionsPerSecond = Math.max(tally.peakConnectionsPerSecond, front.queue.perSecond);
  judgeFront(world);
}

/** Who is concerned when the share that is served has changed is looked at again. */
export function judgeFront(world: World): void {
  const { front, nowMs } = world;
  if (front === null) return;
  flowQueue(front.queue, front.limits, nowMs);
  const served = servedShare(front.queue, front.limits);
  if (served === front.served) return;
  front.served = served;
  touchAll(world);
}

/** Another limit on the front: a budget, a proxy, more of them, or a change that opens more connections. */
export function setFront(world: World, change: Partial<FrontOptions>): void {
  const { front } = world;
  if (front === null) return;
  flowQueue(front.queue, front.limits, world.nowMs);
  front.limits = { ...front.limits, ...change };
  front.queue.backlog = Math.min(front.queue.backlog, front.limits.room);
  settleFront(world);
}

/** When the front's state changes next by itself. */
export function nextOfFront({ front }: World): number {
  return front === null ? NEVER : nextOfQueue(front.queue, front.limits, [front.limits.checkWithinMs]);
}

/** The share of a server's requests that fails because they get no connection. */
export function failingShare({ front }: World): number {
  return front === null ? 0 : Math.min(1, front.limits.perRequest) * (1 - front.served);
}

/** Whether a check that opens a connection of its own passes. */
export function frontPasses({ front }: World): boolean {
  return front === null || queueDelayMs(front.queue, front.limits) <= front.limits.checkWithinMs + ROUNDING;
}
