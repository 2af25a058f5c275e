/**
 * New connections. A handshake costs a database far more than a query (a process or a thread, TLS, a login), so what it
 * completes a second is a limit of its own, and handshakes that time out have cost just as much (January 2025).
 */

/** How servers that each open so many connections follow each other. */
export interface Openings {
  /** Under way at once. */
  readonly atOnce: number;
  /** One takes so long, and the next takes its place. */
  readonly eachMs: number;
  /** Slots a second; null: as the others end. */
  readonly slotsPerSecond: number | null;
  /** Connections that one opens. */
  readonly each: number;
  /** How many there are in the largest wave. */
  readonly servers: number;
  /** Something in front lets so many through a second; null: all at once. */
  readonly limitPerSecond: number | null;
}

/**
 * The most new connections in any one second. Whoever is under way at once begins at once, so a second sees all of them,
 * and their successors where one takes less than a second; of slots 1 / C apart, ceil(C) begin within a second.
 */
export function newInOneSecond({ atOnce, eachMs, slotsPerSecond, each, servers, limitPerSecond }: Openings): number {
  const turns = atOnce * Math.max(1, Math.ceil(1000 / Math.max(1, eachMs)));
  const begun = Math.min(servers, turns, slotsPerSecond === null ? Infinity : Math.ceil(slotsPerSecond - 1e-9));
  return Math.min(begun * each, limitPerSecond ?? Infinity);
}

/** How long the last of a wave waits for its connection behind something that lets so many through a second, in milliseconds. */
export function waitBehindLimit({ atOnce, each, servers, limitPerSecond }: Openings): number {
  return limitPerSecond === null ? 0 : ((Math.min(atOnce, servers) * each) / limitPerSecond) * 1000;
}

/** How many servers at once keep within the rate: floor(rate / each), where one takes a second or longer. 0: not even one. */
export function mostAtOnce(perSecond: number, each: number): number {
  return Math.floor(perSecond / each + 1e-9);
}
