/**
 * The request-level simulator: single requests in virtual time, seeded and deterministic. A composition is made of
 * small services, one inside the other, on one kernel; each piece can be tested alone.
 */
export { closedClients, OpenArrivals } from './arrivals.ts';
export { type Backoff, backoffMs } from './backoff.ts';
export { balanced, type HealthRules } from './balanced.ts';
export { cached, lookAside, readThrough, WarmKeys } from './cache.ts';
export { withCap } from './cap.ts';
export { CoupledTimers, type CoupledTimersRules } from './coupled-timers.ts';
export { Database, type DatabaseRules, type Manner } from './database.ts';
export { constant, type Draw, either, exponential, normal, uniform } from './draws.ts';
export { ExpiringValue, type ExpiringValueCounts, type ExpiringValueRules, type RefreshWay } from './expiring-value.ts';
export { type Due, Kernel } from './kernel.ts';
export { QueueDelay } from './queue-delay.ts';
export { recoveryChain, type RecoveryQuestion } from './recovery-chain.ts';
export { type RetryBudget, type RetryRules, withRetries } from './retries.ts';
export { type Done, type Outcome, type Service, since, type Tally, tallied } from './service.ts';
export { singleFlight } from './single-flight.ts';
export { Station, type StationRules } from './station.ts';
export { Stream } from './stream.ts';
export { withTimeout } from './timeout.ts';
export { Zipf } from './zipf.ts';
