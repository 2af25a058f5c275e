import {
  connectionsNow,
  createReach,
  eachAtOnce,
  expectedFiles,
  loadConfig,
  loadFleet,
  readFleet,
  type FleetReadings,
} from '../../engine/index.ts';
import { FailureError, type Fleet, type Server } from '../../model/index.ts';
import type { ReadName, Reader } from '../../ports/index.ts';
import { readingsText } from '../views/readings.ts';
import { fleetPath } from './plan.ts';

/** So many servers are read at a time. */
const READ_AT_ONCE = 16;

/** `neap fleet check`: tries every reading that the fleet lists, on every server, and writes nothing. 1 when something does not answer as it should. */
export async function check({
  fleet: given,
  json,
}: {
  readonly fleet?: string;
  readonly json?: boolean;
}): Promise<number> {
  const config = await loadConfig(process.cwd());
  const { value: fleet, path } = await loadFleet(fleetPath(config, given), config.cwd);
  const reach = createReach(fleet);
  const lines = new Map<string, string[]>();
  try {
    await eachAtOnce(fleet.servers, READ_AT_ONCE, async (server) => {
      lines.set(server.name, await checkServer(server, reach.reader(server), path));
    });
    // Whoever is silent is said to be so once.
    const silent = new Set([...lines].flatMap(([name, faults]) => (faults.length > 0 ? [name] : [])));
    const readable = { ...fleet, servers: fleet.servers.filter(({ name }) => !silent.has(name)) };
    const readings = await readFleet(readable, path, reach);
    for (const { server, what } of readings.faults)
      if (server !== null) lines.set(server, [...(lines.get(server) ?? []), what]);
    const control = await reach.control();
    const connections = await connectionsNow(fleet, path, reach.redactor);
    const others = [
      ...readings.faults.flatMap(({ server, what }) => (server === null ? [what] : [])),
      ...connections.findings.map(({ what }) => what),
    ];
    const connected = Object.fromEntries(connections.counts);
    const wrong = [...lines.values()].filter((faults) => faults.length > 0).length;
    if (json)
      process.stdout.write(
        `${JSON.stringify({ ...readings, connections: connected, control, servers: Object.fromEntries(lines) }, null, 2)}\n`,
      );
    else process.stdout.write(checkText(fleet, { lines, others, readings, connected, control, wrong }));
    return wrong === 0 && others.length === 0 ? 0 : 1;
  } finally {
    await reach.close();
  }
}

interface Checked {
  /** Faults of each server. */
  readonly lines: ReadonlyMap<string, readonly string[]>;
  /** Faults of nobody in particular. */
  readonly others: readonly string[];
  readonly readings: FleetReadings;
  /** Connections that each dependency has now, where they can be read. */
  readonly connected: { readonly [dependency: string]: number };
  readonly control: string | null;
  readonly wrong: number;
}

function checkText(fleet: Fleet, { lines, others, readings, connected, control, wrong }: Checked): string {
  const servers = fleet.servers.flatMap(({ name }) => {
    const faults = lines.get(name) ?? [];
    return faults.length === 0
      ? [`${name}: every reading answers`]
      : [`${name}:`, ...faults.map((fault) => `  ${fault}`)];
  });
  const end =
    wrong === 0 && others.length === 0
      ? `${fleet.servers.length} servers are ready.`
      : wrong === 0
        ? 'The servers are ready; what they share is not.'
        : `${wrong} of ${fleet.servers.length} servers are not ready.`;
  const text = [
    `control targets: ${control === null ? 'none named' : control}`,
    ...servers,
    ...readingsText(fleet, readings),
    ...Object.entries(connected).map(([name, count]) => `connections of ${name}: ${count} now`),
    ...others.map((what) => `Wrong: ${what}`),
    end,
  ];
  return `${text.join('\n')}\n`;
}

async function checkServer(server: Server, read: Reader, fleetPath: string): Promise<string[]> {
  const { service } = server;
  const faults: string[] = [];
  const attempt = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
      faults.push(`${what}: ${error.failure.what}. ${error.failure.remedy}`);
    }
  };
  const names: ReadName[] = [
    'offline',
    ...(service.version ? (['version'] as const) : []),
    ...service.clocks.flatMap(({ name, read: readable }): ReadName[] => (readable ? [`clock:${name}`] : [])),
    ...Object.entries(service.dependencies).flatMap(([name, { path }]): ReadName[] => [
      `answers:${name}`,
      ...(path ? [`path:${name}` as const] : []),
    ]),
    ...(service.configuration ? (['running'] as const) : []),
    ...(service.traffic ? (['traffic', 'traffic-health'] as const) : []),
    ...(service.traffic?.admission ? (['admission'] as const) : []),
  ];
  await attempt('ssh', () => read.bootId());
  // One silence is said once.
  if (faults.length === 0) for (const name of names) await attempt(name, () => read.ask(name));
  if (service.configuration && faults.length === 0) {
    await attempt('configuration', async () =>
      read.files((await expectedFiles(server, fleetPath, {})).map((file) => file.path)),
    );
  }
  if (server.bmc) await attempt('bmc', () => read.power());
  if (server.url !== undefined)
    for (const probe of [service.probes.health, service.probes.anonymous, service.probes.loggedIn])
      await attempt(`GET ${probe.path}`, () =>
        read.get(probe.path, { headers: probe.headers ?? {}, timeoutMs: probe.withinMs }),
      );
  return faults;
}
