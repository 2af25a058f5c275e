import { fleetSchema, type Fleet, type FleetInput } from '../../src/model/index.ts';

export interface FleetWish {
  readonly servers: number;
  readonly domains?: number;
  readonly group?: string;
  /** Which servers have no BMC, by number from 1. */
  readonly withoutBmc?: readonly number[];
}

/** A fleet that exists on paper only: servers api-1, api-2 ... in domains d1, d2 ..., with everything a runbook can ask for. */
export function paperFleet({ servers, domains = 2, group = 'api', withoutBmc = [] }: FleetWish): Fleet {
  const width = String(servers).length;
  const numbers = Array.from({ length: servers }, (_, index) => index + 1);
  return fleetSchema.parse({
    name: 'paper',
    control: [{ name: 'elsewhere', get: 'http://control.test/' }],
    servers: numbers.map((number) =>
      paperServer(
        `${group}-${String(number).padStart(width, '0')}`,
        group,
        `d${((number - 1) % domains) + 1}`,
        !withoutBmc.includes(number),
      ),
    ),
  } satisfies FleetInput);
}

function paperServer(name: string, group: string, domain: string, bmc: boolean): FleetInput['servers'][number] {
  const probe = { path: '/', withinMs: 2_000 };
  return {
    name,
    group,
    domain,
    url: `http://${name}.test/`,
    ...(bmc
      ? {
          bmc: {
            protocol: 'redfish',
            url: `https://${name}.bmc.test/`,
            user: 'neap',
            password: 'env:BMC',
            fingerprint: Array.from({ length: 32 }, () => 'AB').join(':'),
          },
        }
      : {}),
    service: {
      offline: { read: { run: 'offline?' }, on: { run: 'offline on' }, off: { run: 'offline off' } },
      clocks: [
        { name: 'sessions', read: { run: 'age' }, refresh: { run: 'refresh' }, ttlMs: { min: 180_000, max: 240_000 } },
      ],
      dependencies: {
        database: {
          answers: { run: 'ping' },
          cut: { run: 'cut' },
          restore: { run: 'restore' },
          path: { run: 'path' },
          delay: { run: 'delay' },
          timeoutMs: 10_000,
        },
      },
      configuration: {
        files: [{ path: '/etc/api.conf', expect: { text: 'good' }, mode: '0644', owner: 'root:root' }],
        running: { run: 'running' },
        reload: { run: 'reload' },
      },
      traffic: { read: { run: 'traffic' }, health: { run: 'up?' }, in: { run: 'in' }, out: { run: 'out' } },
      probes: { health: probe, anonymous: probe, loggedIn: probe },
    },
  };
}
