import { createHash } from 'node:crypto';
import { chmodSync, chownSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ApiSettings } from './api/settings.ts';
import type { Machine } from './machine.ts';
import { mustRun, runProgram } from './run-program.ts';
import { scriptPath } from './world.ts';
import type { World } from './world.ts';

/** The login under which neap comes, and the process runs. */
export const LOGIN = { name: 'neap', uid: 7_327 } as const;

const DISK_SIZE = '4m';

/** The files of the expected configuration of one server, as they are at first. */
export function configurationOf(name: string): Readonly<Record<string, string>> {
  return {
    '/srv/api/etc/api.conf': `name = ${name}\nlisten = 8080\ncontrol = 127.0.0.1:8081\n`,
    '/srv/api/etc/limits.conf': 'requests = 200\nmemory = 512M\nqueue = 64\nend = true\n',
  };
}

/** Makes a machine's own /etc files, keys and directories; `publicKey` may log in. */
export async function furnish(machine: Machine, publicKey: string): Promise<void> {
  const at = (...parts: string[]) => join(machine.dir, ...parts);
  for (const dir of ['etc/ssh', 'log', 'faults', 'srv']) mkdirSync(at(dir), { recursive: true });
  chmodSync(at('faults'), 0o777);
  writeFileSync(at('log/apictl.log'), '');
  chmodSync(at('log/apictl.log'), 0o666);
  const { name } = machine.spec;
  // `*` is a password that nobody has; sshd takes `!` for a locked account.
  writeFileSync(at('etc/passwd'), appended('/etc/passwd', `neap:x:${LOGIN.uid}:${LOGIN.uid}::/srv/neap:/bin/bash`));
  writeFileSync(at('etc/shadow'), appended('/etc/shadow', 'neap:*:20000:0:99999:7:::'));
  chmodSync(at('etc/shadow'), 0o600);
  writeFileSync(at('etc/group'), appended('/etc/group', `neap:x:${LOGIN.uid}:`));
  writeFileSync(at('etc/hosts'), `127.0.0.1 localhost ${name}\n`);
  writeSudoers(machine, 'NOPASSWD: ALL');
  writeFileSync(at('etc/ssh/sshd_config'), SSHD_CONFIG);
  writeFileSync(at('etc/ssh/authorized_keys'), publicKey);
  await writeHostKey(machine);
}

/** Fills a server's empty disk: the service's programs, its configuration and its state. */
export function installService(machine: Machine, settings: ApiSettings): void {
  const at = (path: string) => join(machine.disk, path.replace(/^\/srv\//, ''));
  for (const dir of ['bin', 'lib', 'etc', 'state']) mkdirSync(at(`/srv/api/${dir}`), { recursive: true });
  chownSync(at('/srv/api/state'), LOGIN.uid, LOGIN.uid);
  cpSync(fileURLToPath(new URL('api', import.meta.url)), at('/srv/api/lib'), { recursive: true });
  writeFileSync(at('/srv/api/lib/package.json'), '{ "type": "module" }\n');
  writeFileSync(at('/srv/api/lib/settings.json'), JSON.stringify(settings));
  const { host, port } = settings.database;
  writeFileSync(at('/srv/api/lib/database.env'), `database_host=${host}\ndatabase_port=${String(port)}\n`);
  cpSync(scriptPath('apictl'), at('/srv/api/bin/apictl'));
  chmodSync(at('/srv/api/bin/apictl'), 0o755);
  for (const [path, text] of Object.entries(configurationOf(machine.spec.name))) writeFileSync(at(path), text);
}

/** Mounts an empty disk for each machine, with a home for neap's login. */
export async function mountDisks(world: World, machines: readonly Machine[]): Promise<void> {
  await world.run(machines.map(({ dir }) => `mount -t tmpfs -o mode=755,size=${DISK_SIZE} disk ${dir}/srv`).join('\n'));
  for (const { disk } of machines) {
    mkdirSync(join(disk, 'neap'));
    chownSync(join(disk, 'neap'), LOGIN.uid, LOGIN.uid);
  }
}

/** What neap's login may do by sudo. Written in place: the machine sees this very file. */
export function writeSudoers(machine: Machine, rule: 'NOPASSWD: ALL' | 'ALL'): void {
  const path = join(machine.dir, 'etc/sudoers');
  writeFileSync(
    path,
    `Defaults env_reset\nDefaults secure_path="/usr/sbin:/usr/bin:/sbin:/bin"\nneap ALL=(ALL) ${rule}\n`,
  );
  chmodSync(path, 0o440);
}

/** A new host key. Returns the public half, as in known_hosts. */
export async function writeHostKey(machine: Machine): Promise<string> {
  const path = join(machine.dir, 'etc/ssh/ssh_host_ed25519_key');
  await runProgram('rm', ['-f', path, `${path}.pub`]);
  await mustRun('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', machine.spec.name, '-f', path]);
  return hostKeyOf(machine);
}

/** The public half of its host key, as in known_hosts. */
export function hostKeyOf(machine: Machine): string {
  const [type = '', key = ''] = readFileSync(join(machine.dir, 'etc/ssh/ssh_host_ed25519_key.pub'), 'utf8').split(' ');
  return `${type} ${key}`;
}

/** Its host key's fingerprint, as people compare it: `SHA256:...`. */
export async function fingerprintOf(machine: Machine): Promise<string> {
  const shown = await mustRun('ssh-keygen', ['-lf', join(machine.dir, 'etc/ssh/ssh_host_ed25519_key.pub')]);
  return shown.split(' ')[1] ?? '';
}

/** SHA-256 of a file on a server's disk, e.g. `/srv/api/etc/api.conf`. */
export function digestOf(machine: Machine, path: string): string {
  return createHash('sha256')
    .update(readFileSync(join(machine.disk, path.replace(/^\/srv\//, ''))))
    .digest('hex');
}

function appended(path: string, line: string): string {
  return `${readFileSync(path, 'utf8').trimEnd()}\n${line}\n`;
}

const SSHD_CONFIG = `Port 22
HostKey /etc/ssh/ssh_host_ed25519_key
AuthorizedKeysFile /etc/ssh/authorized_keys
PidFile /run/sshd.pid
UsePAM no
UseDNS no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
LogLevel VERBOSE
Subsystem sftp internal-sftp
`;
