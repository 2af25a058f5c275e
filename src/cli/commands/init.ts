import { existsSync, readdirSync } from 'node:fs';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ownVersion } from '../../engine/index.ts';
import { root } from '../../launch/index.ts';

const CONFIG = `import { defineConfig } from 'neap';

export default defineConfig({
  fleet: './fleet.ts',
  // Pages people: a command of yours that gets the text on its standard input.
  // page: { command: ['./page.sh'] },
});
`;

const FLEET = `import { defineFleet, reading } from 'neap';

/** How one server of this service is read and switched. Every command runs on the server itself, over SSH. */
const service = (name: string) => ({
  offline: {
    read: { run: 'test -e /srv/api/offline && echo on || echo off' },
    on: { run: 'touch /srv/api/offline' },
    off: { run: 'rm -f /srv/api/offline' },
  },
  // What runs there: a rehearsal counts for the version that was rehearsed.
  version: { run: 'cat /srv/api/version' },
  // Whatever expires on a server; the shortest counts. Answers {"ageMs": n, "ttlMs": n}.
  clocks: [
    {
      name: 'config',
      // Where its age lies in the answer, and in which unit. See also: reading.redisTtl, fileAge, http, prometheus.
      read: reading.command({ run: 'curl -fsS http://localhost:8080/cache', age: 'ageMs', ttl: 'ttlMs', unit: 'ms' }),
      refresh: { run: 'curl -fsS -X POST http://localhost:8080/cache/refresh' },
      ttlMs: { min: 180_000, max: 240_000 },
    },
  ],
  dependencies: {
    database: {
      answers: { run: 'pg_isready -h db.example.org' },
      // Must remove itself: after {seconds} the path is open again, whatever became of neap.
      cut: { run: '/usr/local/sbin/cut-database {seconds}', become: true },
      restore: { run: '/usr/local/sbin/cut-database off', become: true },
      path: { run: '/usr/local/sbin/cut-database status' },
      // What the cut does to who asks: refuse, drop or hang. A rehearsal shows no worse than that.
      cutManner: 'drop' as const,
      timeoutMs: 10_000,
      // How one request tries: what it waits follows from how the database is away.
      tries: { attempts: 2, connectTimeoutMs: 1_000, answerTimeoutMs: 4_500, backoffMs: [500] },
      capacityPerSecond: 40,
    },
  },
  configuration: {
    files: [{ path: '/srv/api/app.conf', expect: { from: './files/app.conf' }, mode: '0644', owner: 'root:root' }],
    running: { run: 'curl -fsS http://localhost:8080/configuration' },
    reload: { run: 'systemctl reload api', become: true },
    become: true,
  },
  traffic: {
    read: { get: \`http://balancer.example.org:8404/servers/\${name}\`, field: 'state' },
    health: { get: \`http://balancer.example.org:8404/servers/\${name}\`, field: 'health' },
    in: { send: \`http://balancer.example.org:8404/servers/\${name}\`, method: 'PUT' as const, body: { state: 'in' } },
    out: { send: \`http://balancer.example.org:8404/servers/\${name}\`, method: 'PUT' as const, body: { state: 'out' } },
  },
  probes: {
    health: { path: '/health', withinMs: 3_000 },
    anonymous: { path: '/', withinMs: 3_000 },
    loggedIn: { path: '/mail', headers: { authorization: 'Session probe' }, withinMs: 3_000 },
  },
});

export default defineFleet({
  name: 'production',
  // Something outside the fleet that must answer: when it does not, the silence is ours, and power is disarmed.
  control: [{ name: 'gateway', get: 'http://gateway.example.org/' }],
  // The balancer's page: neap turns it on before the first cache expires, when an outage lasts too long.
  edge: {
    read: { get: 'http://balancer.example.org:8404/page', field: 'on' },
    on: { send: 'http://balancer.example.org:8404/page', method: 'PUT', body: { on: true } },
    off: { send: 'http://balancer.example.org:8404/page', method: 'PUT', body: { on: false } },
    takesMs: 5_000,
  },
  servers: ['api-01', 'api-02'].map((name, at) => ({
    name,
    group: 'api',
    domain: at % 2 === 0 ? 'rack-a' : 'rack-b',
    // How SSH reaches it comes from your OpenSSH configuration: ssh -G api-01.
    url: \`http://\${name}.example.org:8080\`,
    bmc: {
      protocol: 'redfish' as const,
      url: \`https://\${name}-bmc.example.org\`,
      user: 'neap',
      password: 'env:BMC_PASSWORD',
      // openssl s_client -connect api-01-bmc.example.org:443 </dev/null | openssl x509 -noout -fingerprint -sha256
      fingerprint: '${'00:'.repeat(31)}00',
    },
    service: service(name),
  })),
});
`;

/** What the fleet above expects on every server. */
const APP_CONF = '# Put here what /srv/api/app.conf is to hold on every server.\n';

/** `neap init`: what a fleet of one's own begins with. Files that are there already stay as they are. */
export async function init(folder: string | undefined): Promise<number> {
  const target = resolve(folder ?? '.');
  await mkdir(join(target, 'runbooks'), { recursive: true });
  const manifest = {
    name: 'maintenance',
    private: true,
    type: 'module',
    devDependencies: { neap: await ownVersion() },
  };
  await put(join(target, 'neap.config.ts'), (file) => writeFile(file, CONFIG));
  await put(join(target, 'fleet.ts'), (file) => writeFile(file, FLEET));
  await mkdir(join(target, 'files'), { recursive: true });
  await put(join(target, 'files', 'app.conf'), (file) => writeFile(file, APP_CONF));
  await put(join(target, 'package.json'), (file) => writeFile(file, `${JSON.stringify(manifest, null, 2)}\n`));
  const shipped = fileURLToPath(new URL('runbooks/', root));
  for (const name of readdirSync(shipped).filter((each) => each.endsWith('.ts'))) {
    await put(join(target, 'runbooks', name), (file) => copyFile(join(shipped, name), file));
  }
  process.stdout.write(
    `Next: fill in ${join(target, 'fleet.ts')}, then: neap fleet check && neap plan runbooks/database-upgrade.ts\n`,
  );
  return 0;
}

async function put(file: string, write: (file: string) => Promise<void>): Promise<void> {
  const there = existsSync(file);
  if (!there) await write(file);
  process.stdout.write(`${there ? 'kept ' : 'wrote'} ${file}\n`);
}
