import type { ClockNow, FleetReadings } from '../../engine/index.ts';
import { waitMs } from '../../herd/index.ts';
import type { Fleet } from '../../model/index.ts';
import { clockTime, duration, nameServers } from '../../run/index.ts';

/** So many servers are shown one by one. */
const SHOWN_MAX = 12;

/** What a forecast for this fleet would be made of, each with its source, and what it would have to do without. */
export function readingsText(fleet: Fleet, { atMs, clocks, loads, page }: FleetReadings): string[] {
  return [
    `Readings at ${clockTime(atMs)}:`,
    ...clockLines(clocks),
    ...dependencyLines(fleet),
    ...loads
      .slice(0, SHOWN_MAX)
      .map(
        ({ server, what, value, source, atMs: at }) =>
          `  ${server}: ${what} ${value} (from ${source}, ${clockTime(at)})`,
      ),
    ...(loads.length > SHOWN_MAX ? [`  and ${loads.length - SHOWN_MAX} more numbers of load`] : []),
    ...(page === null ? [] : [`  the balancer's page is ${page}`]),
    ...lacking(fleet, clocks).map((line) => `Mind: ${line}`),
  ];
}

function clockLines(clocks: readonly ClockNow[]): string[] {
  return [...Map.groupBy(clocks, ({ clock }) => clock)].flatMap(([name, all]) => {
    const known = all.filter((each) => each.leftMs !== null).toSorted((a, b) => (a.leftMs ?? 0) - (b.leftMs ?? 0));
    const unknown = all.filter((each) => each.leftMs === null);
    const shared = [...new Set(all.flatMap((each) => (each.shared === null ? [] : [each.shared])))];
    return [
      `  clock ${name}: ${all.length} ${all.length === 1 ? 'server' : 'servers'}${shared.length > 0 ? `, shared as ${shared.join(', ')}: one clock each, refreshed by ${[...new Set(all.map((each) => each.tendedBy))].join(', ')}` : ''}`,
      ...known
        .slice(0, SHOWN_MAX)
        .map(
          ({ server, leftMs, ttlMs, source, atMs }) =>
            `    ${server}: ${leftWords(leftMs ?? 0)} of ${duration(ttlMs)} (from ${source}, ${clockTime(atMs)})`,
        ),
      ...(known.length > SHOWN_MAX
        ? [`    and ${known.length - SHOWN_MAX} more, up to ${duration(known.at(-1)?.leftMs ?? 0)}`]
        : []),
      ...(unknown.length > 0
        ? [
            `    ${nameServers(unknown.map(({ server }) => server))}: its age cannot be read; unknown until neap has refreshed it`,
          ]
        : []),
    ];
  });
}

function leftWords(leftMs: number): string {
  return leftMs > 0 ? `${duration(leftMs)} left` : 'expired';
}

/** One line for all servers that ask a dependency alike. */
function dependencyLines({ servers }: Fleet): string[] {
  const lines = new Map<string, string[]>();
  for (const { name, service } of servers)
    for (const [dependency, each] of Object.entries(service.dependencies)) {
      const waits = (['refuse', 'drop', 'hang'] as const).map(
        (manner) => `${manner} ${duration(waitMs(each, manner))}`,
      );
      const how = each.tries === undefined ? duration(each.timeoutMs) : waits.join(', ');
      const serves =
        each.capacityPerSecond === undefined ? '' : `; it serves ${each.capacityPerSecond} refreshes a second`;
      const line = `${dependency}: a request waits ${how}${serves} (declared)`;
      lines.set(line, [...(lines.get(line) ?? []), name]);
    }
  return [...lines].map(([line, names]) => `  ${line}, on ${names.length} of ${servers.length} servers`);
}

/** What is not declared, and what that costs. */
function lacking({ servers, edge }: Fleet, clocks: readonly ClockNow[]): string[] {
  const names = (pick: (server: Fleet['servers'][number]) => boolean): string[] =>
    servers.filter(pick).map(({ name }) => name);
  const without = names(({ service }) => service.clocks.length === 0);
  const loadless = names(({ service }) => service.load === undefined && service.measured === undefined);
  const long = names(({ service }) =>
    Object.values(service.dependencies).some((each) => each.tries !== undefined && waitMs(each, null) > each.timeoutMs),
  );
  return [
    ...(without.length > 0
      ? [
          `${nameServers(without)}: no clock is listed, so nothing says when it expires. The least that a service must give is its shortest time to live, a way to refresh it, and a logged-in probe; until then only a rehearsal can show what happens: neap rehearse`,
        ]
      : []),
    ...(loadless.length > 0
      ? [
          `${nameServers(loadless)}: no load is declared or read, so every expiry is taken as fatal (service.load, service.measured)`,
        ]
      : []),
    ...(long.length > 0
      ? [
          `${nameServers(long)}: attempts and backoff add up to more than the timeoutMs that is declared for the dependency; the sum counts`,
        ]
      : []),
    ...(edge === undefined && clocks.length > 0
      ? ['the fleet names no page of the balancer (edge), so nothing sheds load when an outage outlasts the fuse']
      : []),
  ];
}
