import { FailureError } from '../../model/index.ts';
import type { ClockRead, ReadCall, Server, WriteCall } from '../../model/index.ts';
import type { ReadName, WriteName } from '../../ports/index.ts';

/**
 * What the fleet lists for one server, by name. Two separate lists: what is only in the second cannot be reached by a
 * Reader, whatever it is asked (promise 1).
 */
export function readCall(server: Server, name: ReadName): ReadCall | ClockRead {
  const { service } = server;
  const [sort, of] = split(name);
  const call = ((): ReadCall | ClockRead | undefined => {
    if (sort === 'offline') return service.offline.read;
    if (sort === 'version') return service.version;
    if (sort === 'running') return service.configuration?.running;
    if (sort === 'traffic') return service.traffic?.read;
    if (sort === 'traffic-health') return service.traffic?.health;
    if (sort === 'admission') return service.traffic?.admission?.read;
    if (sort === 'clock') return service.clocks.find((clock) => clock.name === of)?.read;
    if (sort === 'answers') return dependency(server, of)?.answers;
    if (sort === 'delay') return dependency(server, of)?.delay;
    return sort === 'path' ? dependency(server, of)?.path : undefined;
  })();
  return call ?? notListed(server, name);
}

/** The same for changing. */
export function writeCall(server: Server, name: WriteName): WriteCall {
  const { service } = server;
  const [sort, of] = split(name);
  const call = ((): WriteCall | undefined => {
    if (sort === 'offline-on') return service.offline.on;
    if (sort === 'offline-off') return service.offline.off;
    if (sort === 'reload') return service.configuration?.reload;
    if (sort === 'traffic-in') return service.traffic?.in;
    if (sort === 'traffic-out') return service.traffic?.out;
    if (sort === 'admission-hold') return service.traffic?.admission?.hold;
    if (sort === 'admission-free') return service.traffic?.admission?.free;
    if (sort === 'refresh') return service.clocks.find((clock) => clock.name === of)?.refresh;
    if (sort === 'cut') return dependency(server, of)?.cut;
    return sort === 'restore' ? dependency(server, of)?.restore : undefined;
  })();
  return call ?? notListed(server, name);
}

/** Where the fleet file has each name, for the remedy. */
const PLACES: Readonly<Record<string, string>> = {
  offline: 'service.offline.read',
  'offline-on': 'service.offline.on',
  'offline-off': 'service.offline.off',
  version: 'service.version',
  running: 'service.configuration.running',
  reload: 'service.configuration.reload',
  traffic: 'service.traffic.read',
  'traffic-health': 'service.traffic.health',
  admission: 'service.traffic.admission.read',
  'admission-hold': 'service.traffic.admission.hold',
  'admission-free': 'service.traffic.admission.free',
  'traffic-in': 'service.traffic.in',
  'traffic-out': 'service.traffic.out',
  clock: 'service.clocks[name = *].read',
  refresh: 'service.clocks[name = *].refresh',
  answers: 'service.dependencies.*.answers',
  delay: 'service.dependencies.*.delay',
  path: 'service.dependencies.*.path',
  cut: 'service.dependencies.*.cut',
  restore: 'service.dependencies.*.restore',
};

function notListed(server: Server, name: string): never {
  const [sort, of] = split(name);
  throw new FailureError({
    kind: 'command',
    what: `the fleet does not say how to do ${name} on it`,
    where: server.name,
    state: 'Nothing was sent to it',
    remedy: `Add ${(PLACES[sort] ?? name).replace('*', of)} for ${server.name} to the fleet`,
  });
}

function dependency(server: Server, name: string): Server['service']['dependencies'][string] | undefined {
  return Object.hasOwn(server.service.dependencies, name) ? server.service.dependencies[name] : undefined;
}

function split(name: string): readonly [string, string] {
  const colon = name.indexOf(':');
  return colon < 0 ? [name, ''] : [name.slice(0, colon), name.slice(colon + 1)];
}
