import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import type { Holder } from '../../ports/index.ts';

/** Where and when an engine ran: enough to say later whether it can still be there. */
export type Whereabouts = Pick<Holder, 'host' | 'machine' | 'boot' | 'pid'>;

/** This process. Where the system does not tell (not Linux), machine and boot are empty: nothing is proven by them. */
export function whereabouts(): Whereabouts {
  const machineId = textOf('/etc/machine-id');
  const bootId = textOf('/proc/sys/kernel/random/boot_id');
  return {
    host: hostname(),
    // machine-id(5) asks not to be shown as it is.
    machine: machineId === '' ? '' : createHash('sha256').update(`neap ${machineId}`).digest('hex').slice(0, 16),
    boot: bootId === '' ? '' : `${bootId} ${pidNamespace()}`,
    pid: process.pid,
  };
}

/** This process as the holder of a lease, for whoever asked for its run. */
export function thisHolder(by: string): Holder {
  return { by, user: userInfo().username, ...whereabouts() };
}

/**
 * Whether an engine that ran there is proven gone: same boot and process ids, and no such engine among them; or this
 * machine was booted since. From another machine nothing can be seen, and `unseen` is the answer.
 */
export function seenFromHere(there: Whereabouts, run: string): 'alive' | 'gone' | 'unseen' {
  const here = whereabouts();
  if (here.boot === '' || there.boot === '') {
    if (there.host !== here.host) return 'unseen';
    return isEngine(there.pid, run) ? 'alive' : 'gone';
  }
  if (there.boot === here.boot) return there.pid !== here.pid && isEngine(there.pid, run) ? 'alive' : 'gone';
  const [bootThere] = there.boot.split(' ');
  const [bootHere] = here.boot.split(' ');
  // The same boot with process ids of its own: a container beside this one.
  if (bootThere === bootHere) return 'unseen';
  return there.machine !== '' && there.machine === here.machine && there.host === here.host ? 'gone' : 'unseen';
}

/**
 * A process id alone proves nothing: it may be another process's by now, or that of an engine which was killed and not
 * collected yet. Where the system tells (Linux), its command line has to name the run; a dead one has none.
 */
export function isEngine(pid: number, run: string): boolean {
  if (pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Somebody else's process is there all the same.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return process.platform !== 'linux' || textOf(`/proc/${pid}/cmdline`).split('\0').includes(run);
}

function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}
