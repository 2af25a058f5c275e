import {
  FailureError,
  type Fleet,
  type Forecast,
  type PlanRehearsal,
  type PlanStep,
  type RehearsalRecord,
  type RehearsedSoftware,
  type Server,
} from '../model/index.ts';
import {
  ageingMs,
  carriedRehearsal,
  judgeRehearsal,
  plannedOutage,
  showsManner,
  type CompileInput,
  type RehearsalVerdict,
} from '../plan/index.ts';
import { readSoftware } from '../steps/index.ts';
import { eachAtOnce } from './at-once.ts';
import { expectedFiles } from './expected.ts';
import { flawOf, listRehearsals } from './rehearsals.ts';
import type { Reach } from './reach/index.ts';

/** So many servers are asked at a time which version they run. */
const READ_AT_ONCE = 32;

export interface RehearsedQuestion {
  readonly steps: readonly PlanStep[];
  readonly servers: readonly Server[];
  readonly failures: number;
  readonly fleet: Fleet;
  readonly fleetPath: string;
  /** Where records and journals lie; null: nowhere. */
  readonly stateDir: string | null;
  readonly captured: CompileInput['captured'];
  readonly reach: Pick<Reach, 'reader'>;
  readonly nowMs: number;
}

/** What rehearsals show of the outage that a plan's gate speaks of, for each of its groups; none: it speaks of none. Reads only. */
export async function rehearsedFor(question: RehearsedQuestion): Promise<readonly RehearsalVerdict[]> {
  const { steps, servers, failures, fleet, stateDir } = question;
  const outage = plannedOutage(steps);
  if (outage === null) return [];
  const records = stateDir === null ? [] : await listRehearsals(stateDir, fleet.name);
  const shows = ({ rehearsal }: RehearsalRecord): boolean => showsManner(rehearsal.manner, outage.manner);
  const groups = Map.groupBy(servers, ({ group }) => group);
  return Promise.all(
    [...groups].map(async ([group, own]) => {
      const names = new Set(own.map(({ name }) => name));
      const record =
        records
          .filter(
            ({ rehearsal }) =>
              rehearsal.group === group && rehearsal.dependency === (outage.dependency ?? rehearsal.dependency),
          )
          .toSorted((a, b) => b.rehearsal.cutAtMs - a.rehearsal.cutAtMs)
          .toSorted((a, b) => Number(shows(b)) - Number(shows(a)))[0] ?? null;
      return judgeRehearsal({
        outage,
        group,
        servers: own,
        carried: carriedRehearsal(steps, outage, names),
        ageingMs: ageingMs(
          steps,
          outage,
          names,
          failures,
          own.every(({ service }) => service.clocks.length > 0),
        ),
        record,
        flaw: record === null || stateDir === null ? null : await flawOf(stateDir, record),
        versions: record === null ? new Map() : await versionsOf(own, question),
        software: record === null ? null : await softwareOf(record.rehearsal.server, question),
        nowMs: question.nowMs,
        rule: fleet.rehearsal,
        fleetPath: question.fleetPath,
      });
    }),
  );
}

/** The servers with every clock fatal whose expiry no rehearsal has outlived. A plan that knows of none leaves them as declared. */
export function believing(
  servers: readonly Server[],
  rehearsals: readonly PlanRehearsal[] | undefined,
): readonly Server[] {
  if (rehearsals === undefined || rehearsals.length === 0) return servers;
  const believed = new Map(rehearsals.map((each) => [each.group, new Set(each.believed)]));
  return servers.map((server) => {
    const names = believed.get(server.group);
    if (names === undefined) return server;
    const clocks = server.service.clocks.map((clock) =>
      clock.whenExpired === 'fatal' || names.has(clock.name) ? clock : { ...clock, whenExpired: 'fatal' as const },
    );
    return { ...server, service: { ...server.service, clocks } };
  });
}

/** A forecast in which the smaller of the computed and the measured fuse counts. */
export function capped<T extends { readonly forecast: Forecast }>(
  computed: T | null,
  verdicts: readonly RehearsalVerdict[],
): T | null {
  if (computed === null) return null;
  const { forecast } = computed;
  const measured = verdicts.flatMap((each) => (each.measured ? [each.measured] : []));
  const fuseMs = [forecast.fuseMs, ...measured.map((each) => each.fuseMs)].filter((ms) => ms !== null);
  const because = measured.map((each) => each.because);
  const blind = verdicts.some(({ rehearsal }) => rehearsal.blind) && forecast.fuseMs === null;
  const reckoned = blind
    ? ['no clock is declared, so nothing can be reckoned: what a rehearsal shows is all that is known']
    : forecast.because;
  const binds = measured.some((each) => each.fuseMs !== null && each.fuseMs < (forecast.fuseMs ?? Infinity));
  return {
    ...computed,
    forecast: {
      ...forecast,
      fuseMs: fuseMs.length === 0 ? null : Math.min(...fuseMs),
      because: binds ? [...because, ...reckoned] : [...reckoned, ...because],
    },
  };
}

/** Whoever does not answer is not in it: other steps say so. */
async function versionsOf(
  servers: readonly Server[],
  { reach }: RehearsedQuestion,
): Promise<Map<string, string | null>> {
  const versions = new Map<string, string | null>();
  await eachAtOnce(servers, READ_AT_ONCE, async (server) => {
    const software = await told(() => readSoftware(server, reach.reader(server), { expected: [] }));
    if (software !== null) versions.set(server.name, software.version);
  });
  return versions;
}

async function softwareOf(
  name: string,
  { fleet, reach, captured, fleetPath }: RehearsedQuestion,
): Promise<RehearsedSoftware | null> {
  const server = fleet.servers.find((each) => each.name === name);
  if (!server) return null;
  return told(async () => {
    const expected = await expectedFiles(server, fleetPath, captured.get(name) ?? {});
    return readSoftware(server, reach.reader(server), { expected });
  });
}

async function told<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof FailureError) return null;
    throw error;
  }
}
