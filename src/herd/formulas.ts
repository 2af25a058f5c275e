/**
 * The closed forms that the forecast is made of. Symbols, where the literature has them: r requests a second and
 * server, D the time a request waits for its dependency, W a concurrency limit, N servers, C refreshes a second.
 */

/**
 * How far above its mean the number in flight is taken to go. In flight at one moment is Poisson (see
 * `highestInFlight`), so one look in three million lies beyond five standard deviations; a fleet of 200 that waits
 * 10 s a request for ten minutes gives 12,000 independent looks.
 */
const DEVIATIONS = 5;

/** Beyond this many places Erlang's recursion is not worth its time and its fluid limit is exact to 0.1%. */
const ERLANG_PLACES_MAX = 1_000_000;

/** Little's law, L = r * D: how many requests are in flight on average (J. D. C. Little, Operations Research 9(3), 1961). */
export function inFlight(requestsPerSecond: number, waitMs: number): number {
  return (requestsPerSecond * waitMs) / 1000;
}

/**
 * The highest number in flight that has to be reckoned with around a mean. Poisson arrivals that do not wait for each
 * other are an M/G/infinity queue, whose occupancy is Poisson with mean r * D whatever the waits are distributed like
 * (L. Takács, Introduction to the Theory of Queues, 1962); so its deviation is the mean's square root.
 */
export function highestInFlight(mean: number): number {
  return mean + DEVIATIONS * Math.sqrt(mean);
}

/** The largest mean whose `highestInFlight` still has room in so many places: that function's inverse. */
export function meanThatFits(places: number): number {
  const root = (-DEVIATIONS + Math.sqrt(DEVIATIONS * DEVIATIONS + 4 * places)) / 2;
  return root * root;
}

/**
 * How long after an expiry the last place is taken, t = places / r: while D has not passed nobody leaves, so places
 * fill at the rate of arrivals. With places = W it is the time to saturation, with places = free memory over memory a
 * request it is the time to exhaustion. Infinity where nothing arrives.
 */
export function fillMs(places: number, requestsPerSecond: number): number {
  return requestsPerSecond > 0 ? (places / requestsPerSecond) * 1000 : Infinity;
}

/** How many requests fit into the memory that is free. */
export function placesInMemory(memoryFreeBytes: number, memoryPerRequestBytes: number): number {
  return Math.floor(memoryFreeBytes / memoryPerRequestBytes);
}

/**
 * Erlang's loss formula B(W, L): the share of requests refused by W places without a queue under an offered load of
 * L = r * D, whatever the waits are distributed like (A. K. Erlang, 1917; insensitivity: B. A. Sevastyanov, 1957).
 * By the recursion 1/B(k) = 1 + (k / L) / B(k - 1), which does not overflow into nonsense: 1/B grows to Infinity.
 */
export function erlangB(places: number, offered: number): number {
  if (offered <= 0) return 0;
  if (places > ERLANG_PLACES_MAX) return Math.max(0, 1 - places / offered);
  let inverse = 1;
  for (let k = 1; k <= places; k++) inverse = 1 + (k / offered) * inverse;
  return 1 / inverse;
}

/**
 * From the first slot's start to the last slot's end, N / C: what the first server has aged when the last is done.
 * A fleet whose shortest time to live is `a` has a - N / C left then.
 */
export function spreadMs(servers: number, perSecond: number): number {
  return (servers / perSecond) * 1000;
}

/**
 * The most slots that begin within any window of this length, both ends included, when slots begin 1 / C apart:
 * floor(C * window) + 1. The pigeonhole bound that every emitted schedule is held to.
 */
export function mostInWindow(perSecond: number, windowMs: number): number {
  return Math.floor((perSecond * windowMs) / 1000 + 1e-9) + 1;
}
