import { FailureError, type Clock, type Service } from '../model/index.ts';

/** What the forecast knows of one server. */
export interface FuseServer {
  readonly name: string;
  /** All that expires on it; one that is missing here is not reckoned with. */
  readonly clocks: readonly FuseClock[];
  /** How long a request waits for a dependency that does not answer, attempts included: the longest of them. */
  readonly dependencyTimeoutMs: number;
  /** How long it waits for one that refuses connections, where that is known. */
  readonly refusedWaitMs?: number | undefined;
  /** What refines the forecast. Without it every expiry is taken as fatal. */
  readonly load?: Service['load'];
}

export interface FuseClock {
  readonly name: string;
  readonly whenExpired: Clock['whenExpired'];
  /** What a fresh value's time to live is drawn from. Of a value that is not read yet, only the lowest is certain. */
  readonly ttlMs: { readonly min: number; readonly max: number };
  /** Absent: could not be read, which counts as expired. */
  readonly reading?: ClockReading | undefined;
}

export interface ClockReading {
  readonly ageMs: number;
  readonly ttlMs: number;
  /** Plan time at which it was read. */
  readonly readAtMs: number;
}

/** How all servers are refreshed right before the cut. */
export interface RefreshRule {
  /** Servers a second: fraction times capacity, over the refreshes that one server makes. */
  readonly perSecond: number;
  /** From the last slot's end to the cut: the refresh itself, reading every clock again, the gate's answer. */
  readonly overheadMs: number;
}

/**
 * Refuses numbers from which no honest forecast follows; a forecast over NaN would be a promise about nothing.
 * @throws FailureError `condition`
 */
export function checkFuseInput(
  servers: readonly FuseServer[],
  numbers: { readonly [name: string]: number },
  refresh: RefreshRule | null,
): void {
  if (servers.length === 0)
    throw unfit(
      'the forecast was asked about no server at all',
      'Name the servers: an empty selection is never all of them',
    );
  for (const [name, value] of Object.entries(numbers))
    if (!(value >= 0)) throw unfit(`${name} is ${value}`, `Give ${name} as milliseconds, 0 or more`);
  if (refresh !== null && !(refresh.perSecond > 0 && refresh.overheadMs >= 0))
    throw unfit(
      `the refresh rule says ${refresh.perSecond} servers a second and ${refresh.overheadMs} ms behind it`,
      'Give a rate above 0 and a time of 0 or more',
    );
  for (const server of servers) {
    if (!(server.dependencyTimeoutMs > 0))
      throw unfit(
        `the dependency timeout of ${server.name} is ${server.dependencyTimeoutMs} ms`,
        'Give how long a request waits, in milliseconds',
      );
    for (const { name, ttlMs } of server.clocks)
      if (!(ttlMs.min > 0 && ttlMs.max >= ttlMs.min))
        throw unfit(
          `clock ${name} on ${server.name} lives ${ttlMs.min} to ${ttlMs.max} ms`,
          'Give the range as min <= max, above 0, in milliseconds',
        );
  }
}

function unfit(what: string, remedy: string): FailureError {
  return new FailureError({ kind: 'condition', what, where: 'the forecast', state: 'Nothing was started', remedy });
}
