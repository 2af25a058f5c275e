import { existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeHostKey, writeSudoers } from './disk.ts';
import type { Machine } from './machine.ts';

/** What goes wrong with one machine. Each has its effect when it returns. */

/** It was installed anew: another host key, which nobody was told of. Its SSH connections end. */
export async function changeHostKey(machine: Machine): Promise<void> {
  await writeHostKey(machine);
  await restartSsh(machine);
}

/** In place of sshd something accepts connections and never says a word. Its SSH connections end. */
export async function stallBanner(machine: Machine): Promise<void> {
  await machine.kill('sshd');
  const mute = `const server = require('node:net').createServer((socket) => socket.on('error', () => {}));
    server.listen(22, () => require('node:fs').writeFileSync('/run/mute.pid', String(process.pid)))`;
  await machine.run(`rm -f /run/mute.pid
    setsid -f /run/node -e "${mute}" </dev/null >/dev/null 2>&1
    for _ in {1..500}; do [[ -s /run/mute.pid ]] && exit; sleep 0.02; done; exit 1`);
}

/** sshd is back, after `stallBanner`, `killSsh` or any other trouble with it. */
export async function restartSsh(machine: Machine): Promise<void> {
  await machine.kill('sshd');
  await machine.run(`if [[ -s /run/mute.pid ]]; then kill -KILL "$(</run/mute.pid)"; rm /run/mute.pid; fi
${START_SSHD}`);
}

// sshd leaves its pid once it listens, which it cannot while what was there is still dying: then it is started again.
const START_SSHD = `rm -f /run/sshd.pid
for _ in {1..20}; do
  /usr/sbin/sshd -E /var/log/sshd.log
  for _ in {1..25}; do [[ -s /run/sshd.pid ]] && exit; sleep 0.02; done
done
exit 1`;

/** sshd and all its sessions die; the machine lives. */
export async function killSsh(machine: Machine): Promise<void> {
  await machine.kill('sshd');
}

/**
 * The next apictl command that holds `pattern` kills its own SSH connection, once: `after` it had its effect (the
 * answer is lost) or `before` it has any.
 */
export function dropMidCommand(machine: Machine, pattern: string, when: 'before' | 'after'): void {
  writeFileSync(join(machine.dir, 'faults/drop'), `${when}\n${pattern}\n`);
}

/** Every apictl command that holds `pattern` is received at once and does nothing for so long: time for another fault. */
export function slowCommand(machine: Machine, pattern: string, seconds: number): void {
  writeFileSync(join(machine.dir, 'faults/slow'), `${String(seconds)}\n${pattern}\n`);
}

/** Whether the connection loss that `dropMidCommand` ordered is still to come. */
export function dropIsArmed(machine: Machine): boolean {
  return existsSync(join(machine.dir, 'faults/drop'));
}

/** Not a byte is free on /srv. Files that are there keep their contents. */
export function fillDisk(machine: Machine): void {
  const block = Buffer.alloc(64 * 1024);
  try {
    for (;;) writeFileSync(join(machine.disk, 'ballast'), block, { flag: 'a' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}

/** /srv has room again. */
export function freeDisk(machine: Machine): void {
  rmSync(join(machine.disk, 'ballast'), { force: true });
}

/** Its cable is out: nobody reaches it, and it reaches nobody. */
export async function goDark(machine: Machine): Promise<void> {
  await machine.world.run(`ip link set v-${machine.spec.name} down`);
}

/** Its cable is in again. */
export async function comeBack(machine: Machine): Promise<void> {
  await machine.world.run(`ip link set v-${machine.spec.name} up`);
}

/** Only the engine's path to it is gone: the balancer and the database reach it, people are served. */
export async function partition(machine: Machine): Promise<void> {
  const engine = machine.world.hostAddress;
  const rule = `type filter hook input priority 0; ip saddr ${engine} drop;`;
  await machine.run(`nft -f - <<< 'table inet fault {\n chain in { ${rule} }\n}'`);
}

/** The engine's path to it is there again. */
export async function heal(machine: Machine): Promise<void> {
  await machine.run('nft delete table inet fault');
}

/** sudo works only with a password, which nobody has. */
export function sudoWantsPassword(machine: Machine): void {
  writeSudoers(machine, 'ALL');
}

/** Hung as in the story: the kernel accepts connections, and no process says anything. Only a reset ends it for neap. */
export function hang(machine: Machine): void {
  machine.signal('SIGSTOP');
}

/** The hang ends by itself, as it does when memory comes free. */
export function unhang(machine: Machine): void {
  machine.signal('SIGCONT');
}

/** A configuration file is cut off in the middle, as by a reset during a write; the process keeps what it holds. */
export function halfApply(machine: Machine): void {
  const path = join(machine.disk, 'api/etc/limits.conf');
  truncateSync(path, Math.floor(readFileSync(path).length / 2));
}

/** The process holds other contents than those on disk, which are right: it missed a reload. */
export async function holdOldConfiguration(machine: Machine): Promise<void> {
  const path = join(machine.disk, 'api/etc/limits.conf');
  const right = readFileSync(path);
  writeFileSync(path, 'requests = 100\n');
  await machine.run('/srv/api/bin/apictl reload');
  writeFileSync(path, right);
}
