import { createReach, eachAtOnce, expectedFiles, loadConfig, loadFleet } from '../../engine/index.ts';
import { FailureError, type Server } from '../../model/index.ts';
import type { ReadName, Reader } from '../../ports/index.ts';
import { fleetPath } from './plan.ts';

/** So many servers are read at a time. */
const READ_AT_ONCE = 16;

/** `neap fleet check`: tries every reading that the fleet lists, on every server, and writes nothing. 1 when something does not answer as it should. */
export async function check({ fleet: given }: { readonly fleet?: string }): Promise<number> {
  const config = await loadConfig(process.cwd());
  const { value: fleet, path } = await loadFleet(fleetPath(config, given), config.cwd);
  const reach = createReach(fleet);
  const lines = new Map<string, string[]>();
  try {
    await eachAtOnce(fleet.servers, READ_AT_ONCE, async (server) => {
      lines.set(server.name, await checkServer(server, reach.reader(server), path));
    });
    const control = await reach.control();
    process.stdout.write(`control targets: ${control === null ? 'none named' : control}\n`);
  } finally {
    await reach.close();
  }
  let wrong = 0;
  for (const { name } of fleet.servers) {
    const faults = lines.get(name) ?? [];
    wrong += faults.length > 0 ? 1 : 0;
    process.stdout.write(
      faults.length === 0
        ? `${name}: every reading answers\n`
        : `${name}:\n${faults.map((fault) => `  ${fault}\n`).join('')}`,
    );
  }
  process.stdout.write(
    wrong === 0
      ? `${fleet.servers.length} servers are ready.\n`
      : `${wrong} of ${fleet.servers.length} servers are not ready.\n`,
  );
  return wrong === 0 ? 0 : 1;
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
    ...service.clocks.map(({ name }): ReadName => `clock:${name}`),
    ...Object.entries(service.dependencies).flatMap(([name, { path }]): ReadName[] => [
      `answers:${name}`,
      ...(path ? [`path:${name}` as const] : []),
    ]),
    ...(service.configuration ? (['running'] as const) : []),
    ...(service.traffic ? (['traffic', 'traffic-health'] as const) : []),
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
