import {
  FailureError,
  loadSchema,
  type CountRead,
  type Finding,
  type Load,
  type Measured,
  type Server,
} from '../model/index.ts';
import { eachAtOnce } from './at-once.ts';

/** So many servers' numbers are asked for at a time. */
const READ_AT_ONCE = 16;

/** One number that was read. */
export interface LoadReading {
  readonly server: string;
  readonly what: keyof Measured;
  readonly value: number;
  readonly source: string;
  readonly atMs: number;
}

export interface Loads {
  /** The servers with what was read in place of what is declared. */
  readonly servers: readonly Server[];
  readonly readings: readonly LoadReading[];
  readonly findings: readonly Finding[];
}

/**
 * Reads what each server bears. A number that cannot be read leaves what is declared; where then one is missing, every
 * expiry is taken as fatal.
 */
export async function readLoads(
  servers: readonly Server[],
  count: (read: CountRead, where: string) => Promise<number>,
  nowMs: () => number,
): Promise<Loads> {
  const readings: LoadReading[] = [];
  const failed: { server: string; why: string }[] = [];
  const loads = new Map<string, Load | undefined>();
  await eachAtOnce(servers, READ_AT_ONCE, async ({ name, service: { measured, load } }) => {
    if (measured === undefined) return;
    const values: { [what in keyof Measured]?: number } = {};
    for (const [what, read] of Object.entries(measured) as [keyof Measured, CountRead | undefined][]) {
      if (read === undefined) continue;
      try {
        values[what] = await count(read, `${name}, ${what}`);
        readings.push({ server: name, what, value: values[what], source: sourceOfCount(read), atMs: nowMs() });
      } catch (error) {
        if (!(error instanceof FailureError)) throw error;
        failed.push({ server: name, why: `${what}: ${error.failure.what}` });
      }
    }
    const made = loadFrom(values, load);
    if (made === 'unfit')
      failed.push({ server: name, why: `its numbers make no sense together: ${JSON.stringify(values)}` });
    else loads.set(name, made);
  });
  return {
    servers: servers.map((server) => {
      const load = loads.get(server.name);
      return load === undefined ? server : { ...server, service: { ...server.service, load } };
    }),
    readings: readings.toSorted((a, b) => (a.server < b.server ? -1 : 1)),
    findings: failed.length === 0 ? [] : [unreadFinding(failed)],
  };
}

/** Of what was read and what is declared; undefined where a number is missing. */
function loadFrom(
  values: { readonly [what in keyof Measured]?: number },
  declared: Load | undefined,
): Load | undefined | 'unfit' {
  const requestsPerSecond = values.requestsPerSecond ?? declared?.requestsPerSecond;
  const memoryPerRequestBytes = values.memoryPerRequestBytes ?? declared?.memoryPerRequestBytes;
  const { memoryBaseBytes: base, memoryLimitBytes: limit } = values;
  const memoryFreeBytes = base !== undefined && limit !== undefined ? limit - base : declared?.memoryFreeBytes;
  const concurrencyLimit = values.concurrencyLimit ?? declared?.concurrencyLimit;
  if (requestsPerSecond === undefined || memoryPerRequestBytes === undefined || memoryFreeBytes === undefined)
    return undefined;
  const made = loadSchema.safeParse({
    requestsPerSecond,
    memoryPerRequestBytes,
    memoryFreeBytes,
    ...(concurrencyLimit === undefined ? {} : { concurrencyLimit }),
  });
  return made.success ? made.data : 'unfit';
}

/** Where a number comes from, in a few words. */
export function sourceOfCount(read: CountRead): string {
  if ('prometheus' in read) return `prometheus ${read.query}`.slice(0, 120);
  return ('get' in read ? `http ${read.get.split('?')[0]}` : `command ${read.command.join(' ')}`).slice(0, 120);
}

/** Which numbers the forecast was made of, and where they come from, in a line. */
export function loadWords(servers: readonly Server[], readings: readonly LoadReading[]): string[] {
  if (readings.length === 0) return [];
  const [first] = readings;
  const of = new Set(readings.map(({ server }) => server)).size;
  const sources = [...new Set(readings.map(({ what, source }) => `${what} from ${source}`))].slice(0, 5);
  return [
    `load was read of ${of} of ${servers.length} servers (of ${first?.server}: ${sources.join('; ')}); the others' is as declared`,
  ];
}

function unreadFinding(failed: readonly { readonly server: string; readonly why: string }[]): Finding {
  const [first] = failed;
  const more = failed.length > 1 ? ` and ${failed.length - 1} more` : '';
  return {
    severity: 'warning',
    code: 'load',
    what: `the load of ${first?.server}${more} cannot be read (${first?.why}): what is declared counts, and without that every expiry is taken as fatal`,
    cures: ['Mend service.measured in the fleet file; `neap fleet check` shows what each reading says'],
  };
}
