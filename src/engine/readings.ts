import { FailureError, type Fleet, type Server } from '../model/index.ts';
import { clocksOf, sourceOfClock } from '../steps/index.ts';
import { eachAtOnce } from './at-once.ts';
import { pauseRealMs, planClock } from './clock.ts';
import { openEdge } from './edge.ts';
import { counter, guardReader } from './guards.ts';
import { readLoads, type LoadReading } from './loads.ts';
import type { Reach } from './reach/index.ts';

/** So many servers are read at a time. */
const READ_AT_ONCE = 16;
/** Every clock is read twice, so far apart in real milliseconds: what counts in another unit goes by at another speed. */
const TWICE_MS = 1_500;
/** What is left falls as fast as time goes by; beyond these shares of that it does not. */
const SLOWEST = 0.5;
const FASTEST = 3;

/** One clock of one server, as it was read. */
export interface ClockNow {
  readonly server: string;
  readonly clock: string;
  readonly source: string;
  /** Plan time of the reading. */
  readonly atMs: number;
  /** Null: it cannot be read, and is not known before neap has refreshed it. */
  readonly leftMs: number | null;
  readonly ttlMs: number;
  /** One clock for all servers that share it, and who refreshes it. */
  readonly shared: string | null;
  readonly tendedBy: string | null;
}

/** Everything that a forecast is made of, as it reads now. */
export interface FleetReadings {
  readonly atMs: number;
  readonly clocks: readonly ClockNow[];
  readonly loads: readonly LoadReading[];
  /** The balancer's page; null: the fleet names none. */
  readonly page: 'on' | 'off' | null;
  readonly faults: readonly { readonly server: string | null; readonly what: string }[];
}

/** Reads it, and writes nothing. What cannot be believed is a fault, with its remedy. */
export async function readFleet(fleet: Fleet, fleetPath: string, reach: Reach): Promise<FleetReadings> {
  const clock = planClock(fleet.clock);
  const faults: { server: string | null; what: string }[] = [];
  const first = await readAll(fleet, reach, clock.nowMs, faults);
  const loads = await readLoads(fleet.servers, counter(fleetPath, reach.redactor), clock.nowMs);
  for (const { what } of loads.findings) faults.push({ server: null, what });
  const page = await pageOf(fleet, fleetPath, reach, faults);
  await pauseRealMs(TWICE_MS);
  const again = await readAll(fleet, reach, clock.nowMs, []);
  for (const each of first) {
    const later = again.find(({ server, clock: name }) => server === each.server && name === each.clock);
    const what = later ? speedFault(each, later) : null;
    if (what !== null) faults.push({ server: each.server, what });
  }
  return { atMs: clock.nowMs(), clocks: first, loads: loads.readings, page, faults };
}

async function readAll(
  fleet: Fleet,
  reach: Reach,
  nowMs: () => number,
  faults: { server: string | null; what: string }[],
): Promise<ClockNow[]> {
  const found: ClockNow[] = [];
  await eachAtOnce(fleet.servers, READ_AT_ONCE, async (server) => {
    try {
      found.push(...(await clocksNow(server, reach, nowMs())));
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
      faults.push({ server: server.name, what: `${error.failure.what}. ${error.failure.remedy}` });
    }
  });
  return found.toSorted((a, b) => (a.server < b.server ? -1 : 1));
}

async function clocksNow(server: Server, reach: Reach, nowMs: number): Promise<ClockNow[]> {
  const readings = await clocksOf(server, reach.reader(server), nowMs);
  return server.service.clocks.flatMap((clock): ClockNow[] => {
    const read = readings.find(({ name }) => name === clock.name);
    if (!read) return [];
    return [
      {
        server: server.name,
        clock: clock.name,
        source: sourceOfClock(clock),
        atMs: read.readAtMs,
        leftMs: read.unknown ? null : read.ttlMs - read.ageMs,
        ttlMs: read.ttlMs,
        shared: clock.shared ?? null,
        tendedBy: clock.tendedBy ?? null,
      },
    ];
  });
}

async function pageOf(
  fleet: Fleet,
  fleetPath: string,
  reach: Reach,
  faults: { server: string | null; what: string }[],
): Promise<'on' | 'off' | null> {
  if (!fleet.edge) return null;
  try {
    return await openEdge(fleet.edge, guardReader(fleetPath, reach.redactor), () => undefined).read();
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    faults.push({ server: null, what: `the balancer's page: ${error.failure.what}. ${error.failure.remedy}` });
    return null;
  }
}

/** A reading that does not go by as time does is of another unit, or stands still. */
function speedFault(was: ClockNow, is: ClockNow): string | null {
  // What has expired, or was fetched anew meanwhile, shows no speed.
  if (was.leftMs === null || is.leftMs === null || was.leftMs <= 0 || is.leftMs <= 0 || is.leftMs > was.leftMs)
    return null;
  const wentBy = is.atMs - was.atMs;
  const fell = was.leftMs - is.leftMs;
  if (fell >= wentBy * SLOWEST && fell <= wentBy * FASTEST) return null;
  const speed = fell < wentBy * SLOWEST ? 'too slowly' : 'too fast';
  return `what is left of clock ${was.clock} fell by ${Math.round(fell)} ms in ${Math.round(wentBy)} ms, ${speed} to be told in this unit (from ${was.source}). Mend service.clocks ${was.clock}.read: is its unit right, and does it count?`;
}
