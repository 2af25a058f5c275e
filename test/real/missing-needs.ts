import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const PROGRAMS: Readonly<Record<string, string>> = {
  '/usr/sbin/sshd': 'openssh-server',
  '/usr/bin/ssh': 'openssh-client',
  '/usr/sbin/ip': 'iproute2',
  '/usr/sbin/nft': 'nftables',
  '/usr/bin/sudo': 'sudo',
  '/usr/bin/unshare': 'util-linux',
};

/** What this machine lacks for a fleet of real servers, in words; empty when they can be started here. */
export function missingNeeds(): readonly string[] {
  if (process.platform !== 'linux') return ['Linux'];
  if (process.getuid?.() !== 0) return ['root'];
  const programs = Object.entries(PROGRAMS)
    .filter(([path]) => !existsSync(path))
    .map(([path, debianPackage]) => `${path} (apt-get install ${debianPackage})`);
  if (programs.length > 0) return programs;
  const tried = spawnSync(
    'unshare',
    ['--mount', '--net', '--pid', '--uts', '--ipc', '--fork', 'nft', 'add table inet t'],
    {
      encoding: 'utf8',
      timeout: 10_000,
    },
  );
  return tried.status === 0 ? [] : [`namespaces and nftables in the kernel (${tried.stderr.trim()})`];
}

/** For `describe.skipIf`: says on stderr what is missing, so that a skipped suite is not silent. */
export function cannotRunHere(): boolean {
  const missing = missingNeeds();
  if (missing.length > 0) process.stderr.write(`SKIPPED: real servers need ${missing.join(', ')}\n`);
  return missing.length > 0;
}
