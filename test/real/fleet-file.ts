import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FleetInput } from '../../src/model/index.ts';
import type { RealBmc } from './bmc.ts';
import { configurationOf, hostKeyOf } from './disk.ts';
import type { Machine } from './machine.ts';

export interface FleetFileSpec {
  readonly dir: string;
  readonly login: 'neap' | 'root';
  readonly servers: readonly { readonly machine: Machine; readonly bmc: RealBmc; readonly domain: string }[];
  readonly jump: Machine | null;
  readonly balancerUrl: string;
  readonly ttlMs: { readonly min: number; readonly max: number };
  readonly databaseTimeoutMs: number;
  readonly capacityPerSecond: number;
  readonly unattendedApprover: string | undefined;
}

/** Writes the fleet as a user would describe it. Returns the paths of the fleet file and of the OpenSSH configuration. */
export function writeFleetFile(spec: FleetFileSpec): { readonly fleetFile: string; readonly sshConfig: string } {
  const sshConfig = writeSshConfig(spec);
  mkdirSync(join(spec.dir, 'secrets'), { mode: 0o700 });
  const fleet: FleetInput = {
    name: 'real',
    control: [{ name: 'balancer', get: `${spec.balancerUrl}/control` }],
    sshConfig,
    ...(spec.unattendedApprover === undefined ? {} : { unattendedApprover: spec.unattendedApprover }),
    servers: spec.servers.map((server) => serverOf(spec, server)),
  };
  const fleetFile = join(spec.dir, 'real.fleet.ts');
  writeFileSync(
    fleetFile,
    `import { defineFleet } from 'neap';\n\nexport default defineFleet(${JSON.stringify(fleet, null, 2)});\n`,
  );
  return { fleetFile, sshConfig };
}

type ServerInput = FleetInput['servers'][number];

function serverOf(spec: FleetFileSpec, { machine, bmc, domain }: FleetFileSpec['servers'][number]): ServerInput {
  const { name, address } = machine.spec;
  const secret = join(spec.dir, 'secrets', `bmc-${name}`);
  writeFileSync(secret, bmc.password, { mode: 0o600 });
  return {
    name,
    group: 'api',
    domain,
    url: `http://${address}:8080`,
    bmc: {
      protocol: 'redfish',
      url: bmc.url,
      user: bmc.user,
      password: `file:${secret}`,
      fingerprint: bmc.fingerprint,
    },
    service: serviceOf(spec, name),
  };
}

function apictl(words: string): { readonly run: string; readonly timeoutMs: number } {
  return { run: `/srv/api/bin/apictl ${words}`, timeoutMs: 15_000 };
}

function serviceOf(spec: FleetFileSpec, name: string): ServerInput['service'] {
  // Root needs no sudo, and a fleet that says `become` where none is needed would hide a missing one.
  const asRoot = (words: string) => (spec.login === 'root' ? apictl(words) : { ...apictl(words), become: true });
  const balancer = `${spec.balancerUrl}/servers/${name}`;
  return {
    offline: { read: apictl('offline status'), on: apictl('offline on'), off: apictl('offline off') },
    clocks: [
      { name: 'configuration', read: apictl('cache status'), refresh: apictl('cache refresh'), ttlMs: spec.ttlMs },
    ],
    dependencies: {
      database: {
        answers: apictl('database ping'),
        cut: asRoot('path cut database {seconds}'),
        restore: asRoot('path restore database'),
        path: asRoot('path status database'),
        timeoutMs: spec.databaseTimeoutMs,
        capacityPerSecond: spec.capacityPerSecond,
      },
    },
    configuration: {
      files: Object.entries(configurationOf(name)).map(([path, text]) => ({
        path,
        expect: { text },
        mode: '0644',
        owner: 'root:root',
      })),
      running: apictl('running'),
      reload: apictl('reload'),
      become: spec.login !== 'root',
    },
    traffic: {
      read: { get: `${balancer}/traffic` },
      health: { get: `${balancer}/health` },
      in: { send: `${balancer}/traffic`, method: 'PUT', body: 'in' },
      out: { send: `${balancer}/traffic`, method: 'PUT', body: 'out' },
    },
    probes: {
      health: { path: '/health', withinMs: 2_000 },
      anonymous: { path: '/', withinMs: 2_000 },
      loggedIn: { path: '/mail', headers: { authorization: 'Bearer probe' }, withinMs: 2_000 },
    },
  };
}

function writeSshConfig({ dir, login, servers, jump }: FleetFileSpec): string {
  const machines = [...servers.map(({ machine }) => machine), ...(jump === null ? [] : [jump])];
  const knownHosts = machines.map((machine) => `${machine.spec.address} ${hostKeyOf(machine)}\n`);
  writeFileSync(join(dir, 'known_hosts'), knownHosts.join(''));
  const hosts = machines.map(({ spec: { name, address, sshOnlyFrom } }) => {
    const lines = [`Host ${name}`, `  HostName ${address}`];
    if (sshOnlyFrom !== undefined && jump !== null) lines.push(`  ProxyJump ${jump.spec.name}`);
    return lines.join('\n');
  });
  const everywhere = `Host *
  User ${login}
  IdentityFile ${join(dir, 'id_ed25519')}
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile ${join(dir, 'known_hosts')}
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  BatchMode yes
  ConnectTimeout 5
`;
  const path = join(dir, 'ssh_config');
  writeFileSync(path, `${hosts.join('\n\n')}\n\n${everywhere}`);
  return path;
}
