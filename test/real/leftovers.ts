import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { networkInterfaces } from 'node:os';

/** What is left on this machine of a fleet that lived in `dir` and on `net`: empty when it is gone without a trace. */
export function leftovers(dir: string, net: string): readonly string[] {
  const addresses = Object.entries(networkInterfaces())
    .filter(([, at]) => at?.some(({ address }) => address.startsWith(`${net}.`)))
    .map(([name]) => `link ${name}`);
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes(dir))
    .map((line) => `mount ${line}`);
  return [...(existsSync(dir) ? [`directory ${dir}`] : []), ...addresses, ...mounts, ...processesOf(dir)];
}

// Every process of a fleet was started with its directory in the environment or the arguments, and so were those that
// they started; sshd cleans the environment of its sessions, whose mounts tell.
function processesOf(dir: string): readonly string[] {
  const own = new Set([String(process.pid), String(process.ppid)]);
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid) && !own.has(pid))
    .filter((pid) => ['environ', 'cmdline', 'mountinfo'].some((file) => textOf(`/proc/${pid}/${file}`).includes(dir)))
    .map((pid) => `process ${pid} ${textOf(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')}`);
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
