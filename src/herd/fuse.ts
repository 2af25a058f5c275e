import type { Forecast } from '../model/index.ts';
import { curesFor, type Cure } from './cures.ts';
import { spreadMs } from './formulas.ts';
import { harmOfExpiry, type Harm } from './fuse-harm.ts';
import { checkFuseInput, type FuseServer, type RefreshRule } from './fuse-input.ts';
import { fuseFromReadings, type FuseReading } from './fuse-readings.ts';
import { namesOf, numberOf, secondsOf } from './fuse-words.ts';

/** What a preview asks: would a fleet that is refreshed by this rule outlast this outage? */
export interface FuseQuestion {
  readonly servers: readonly FuseServer[];
  /** null: nothing refreshes the caches before the cut, so any of them may expire at once. */
  readonly refresh: RefreshRule | null;
  readonly outageMs: number;
  /** By how much the outage may overrun, and everything else that is not in the arithmetic. */
  readonly marginMs: number;
}

/** What a run asks right before the cut, from what was just read. `refresh` only puts numbers into the cures. */
export interface FuseCheck extends FuseQuestion {
  readonly nowMs: number;
}

/**
 * A verdict on a planned outage: accepted when no expiry is fatal, or `outageMs + marginMs < fuseMs`. The fuse counts
 * from the cut; null: no expiry is fatal. `because` and `cures` are for people, with numbers; `cures` is empty when accepted.
 */
export interface FuseForecast extends Forecast {
  readonly accepted: boolean;
  readonly cures: readonly Cure[];
}

/** The same, from readings, with what the countdown needs. */
export interface FuseVerdict extends FuseForecast {
  readonly reading: FuseReading;
}

/**
 * The preview's forecast. While the database is away every expiry is fatal, scattered or not; so the fuse is the
 * lowest time to live that any fatal clock can have drawn, less what the first server in line has aged when the last
 * slot ends, less the time from there to the cut. Which server gets which slot is decided by readings on the day, so
 * the one with the shortest time to live is taken to be first.
 * @throws FailureError `condition` for numbers from which nothing follows
 */
export function forecastFuse(question: FuseQuestion): FuseForecast {
  const { servers, refresh, outageMs, marginMs } = question;
  checkFuseInput(servers, { outageMs, marginMs }, refresh);
  const exposure = exposureOf(servers);
  const [shortest] = exposure.fatal
    .flatMap(({ server }) => fatalClocks(server))
    .sort((a, b) => a.clock.ttlMs.min - b.clock.ttlMs.min);
  if (shortest === undefined) return verdict(question, exposure, null, []);
  const ageMs = refresh === null ? 0 : spreadMs(servers.length, refresh.perSecond) + refresh.overheadMs;
  const fuseMs = refresh === null ? 0 : Math.max(0, shortest.clock.ttlMs.min - ageMs);
  const why =
    refresh === null
      ? ['no step refreshes the caches right before the cut: any of them may expire at once']
      : [
          `the shortest clock is ${shortest.clock.name} on ${shortest.server}: ${secondsOf(shortest.clock.ttlMs.min)} after a refresh at the least`,
          `refreshing ${servers.length} servers at ${numberOf(refresh.perSecond)} a second takes ${secondsOf(ageMs - refresh.overheadMs)}, and ${secondsOf(refresh.overheadMs)} pass from there to the cut: ${secondsOf(fuseMs)} are left`,
        ];
  return verdict(question, exposure, fuseMs, why);
}

/**
 * The run's check, from the readings alone: what is left now on the clock that ends first. A clock that could not be
 * read counts as expired.
 * @throws FailureError `condition` for numbers from which nothing follows
 */
export function checkFuse(check: FuseCheck): FuseVerdict {
  const { servers, outageMs, marginMs, nowMs } = check;
  checkFuseInput(servers, { outageMs, marginMs, nowMs }, check.refresh);
  const reading = fuseFromReadings({ servers, nowMs, marginMs });
  return { ...verdict(check, exposureOf(servers), reading.fuseMs, reading.because), reading };
}

/** A plan's page holds the forecast of ten thousand servers, each with its own load. */
const LINES_MAX = 6;

/** Servers by what an expiry does to them. */
interface Exposure {
  readonly fatal: readonly { readonly server: FuseServer; readonly harm: Harm & { readonly fatal: true } }[];
  readonly survived: ReadonlyMap<string, readonly string[]>;
}

function exposureOf(servers: readonly FuseServer[]): Exposure {
  const fatal: { server: FuseServer; harm: Harm & { fatal: true } }[] = [];
  const survived = new Map<string, string[]>();
  for (const server of servers) {
    if (fatalClocks(server).length === 0) continue;
    const harm = harmOfExpiry(server);
    if (harm.fatal) fatal.push({ server, harm });
    else add(survived, harm.instead, server.name);
  }
  return { fatal, survived };
}

function add(lines: Map<string, string[]>, what: string, name: string): void {
  const names = lines.get(what);
  if (names === undefined) lines.set(what, [name]);
  else names.push(name);
}

function fatalClocks(server: FuseServer) {
  return server.clocks
    .filter((clock) => clock.whenExpired === 'fatal')
    .map((clock) => ({ server: server.name, clock }));
}

function verdict(
  question: FuseQuestion,
  exposure: Exposure,
  fuseMs: number | null,
  why: readonly string[],
): FuseForecast {
  const { outageMs, marginMs } = question;
  const accepted = fuseMs === null || outageMs + marginMs < fuseMs;
  const because = [...why, ...harmLines(exposure), sumLine(outageMs, marginMs, fuseMs)];
  const cures =
    accepted || fuseMs === null
      ? []
      : curesFor({ ...question, fuseMs, fatal: exposure.fatal.map(({ server }) => server) });
  return { outageMs, marginMs, fuseMs, accepted, because, cures };
}

/** What happens at an expiry, one line for all servers to which the same happens. */
function harmLines({ fatal, survived }: Exposure): readonly string[] {
  const hanging = new Map<string, string[]>();
  for (const { server, harm } of fatal) add(hanging, harm.because, server.name);
  const lines = [...hanging, ...survived].map(([what, names]) => `${namesOf(names)}: ${what}`);
  return lines.length <= LINES_MAX
    ? lines
    : [...lines.slice(0, LINES_MAX), `${lines.length - LINES_MAX} more kinds of server, each with numbers of its own`];
}

function sumLine(outageMs: number, marginMs: number, fuseMs: number | null): string {
  const planned = `an outage of ${secondsOf(outageMs)} and a margin of ${secondsOf(marginMs)}`;
  if (fuseMs === null) return `no expiry hangs a server: ${planned} have no fuse to fit into`;
  return outageMs + marginMs < fuseMs
    ? `${planned} fit into a fuse of ${secondsOf(fuseMs)}`
    : `${planned} do not fit into a fuse of ${secondsOf(fuseMs)}`;
}
