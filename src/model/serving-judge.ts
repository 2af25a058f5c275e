import type { ActStep, Finding } from './plan.ts';
import type { Balancer, ConnectionLimits, ConnectionsOfStep, LoadOfStep, Serving } from './serving.ts';

/** How one wave finds those who serve, and leaves them. */
export interface ServingTrace {
  readonly before: number;
  readonly after: number;
  /** Away at one time because they restart. */
  readonly restarting: number;
}

/** Connections to one dependency before and after one wave, from pools alone. */
export interface ConnectionTrace {
  readonly before: number;
  readonly after: number;
  /** Servers of the wave that open some, there or on its way home. */
  readonly opening: number;
  /** The most that one of them opens. */
  readonly each: number;
  /** Short-lived ones, while the wave is under way. */
  readonly borrowed: number;
}

/** A step of a group behind one balancer, and how its waves go. */
export interface LoadFacts {
  readonly step: ActStep;
  readonly does: Serving;
  readonly group: string;
  /** Its limit is the least of what it always keeps to and what the plan holds then. */
  readonly balancer: Balancer;
  /** What admission can be held at, by the servers' part of the fleet file; null: it cannot. */
  readonly holdsAt: number | null;
  /** Requests a second to the whole group. */
  readonly trafficPerSecond: number;
  readonly trace: readonly ServingTrace[];
  readonly resizedFrom: number | null;
}

/** A step whose waves change who is connected to a dependency. */
export interface ConnectionFacts {
  readonly step: ActStep;
  readonly does: Serving;
  readonly dependency: string;
  readonly limits: ConnectionLimits;
  /** What the fleet's own pools gave before the first step, all of them full. */
  readonly declaredAtFirst: number;
  /** What it has now, as read; null: it was not. */
  readonly reading: number | null;
  readonly trace: readonly ConnectionTrace[];
  /** How many of the step are under way at once. */
  readonly atOnce: number;
  /** How long a request waits for a connection. */
  readonly timeoutMs: number;
}

/** The arithmetic by which a plan judges what its steps do to those who serve: pure, and given to the compiler. */
export interface ServingJudge {
  /** How many may restart at once, of so many who serve, so that the others bear the traffic; null: as many as it likes. */
  readonly restartsAllowed: (trafficPerSecond: number, serving: number, balancer: Balancer) => number | null;
  /** Null: the step does nothing of the kind. */
  readonly load: (facts: LoadFacts) => Judged<LoadOfStep> | null;
  readonly connections: (facts: ConnectionFacts) => Judged<ConnectionsOfStep> | null;
}

interface Judged<T> {
  readonly of: T;
  readonly findings: readonly Finding[];
}
