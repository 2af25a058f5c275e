import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FleetInput } from '../model/index.ts';
import { fleetModule, sshConfig, type Addresses } from './fleet-file.ts';
import type { LabKeys } from './keys.ts';

/** Writes what a user of the lab needs into its folder, each file for its owner only. */
export function writeFolder(
  dir: string,
  fleet: FleetInput,
  { keys, addresses }: { readonly keys: LabKeys; readonly addresses: readonly Addresses[] },
): void {
  const write = (name: string, text: string): void => writePrivate(dir, name, text);
  write('user_key', `${keys.user.privateKey.trimEnd()}\n`);
  write('user_key.pub', `${keys.user.publicKey}\n`);
  write('bmc-password', keys.bmcPassword);
  write('control-token', keys.token);
  write('known_hosts', addresses.map(({ sshPort, hostKey }) => `[127.0.0.1]:${sshPort} ${hostKey}\n`).join(''));
  write('ssh_config', sshConfig(fleet));
  writeFleet(dir, fleet);
}

/** Writes the fleet file anew: whoever reads it meanwhile has the old one or the new one, never half of it. */
export function writeFleet(dir: string, fleet: FleetInput): void {
  writePrivate(dir, 'fleet.ts.new', fleetModule(fleet));
  renameSync(join(dir, 'fleet.ts.new'), join(dir, 'fleet.ts'));
}

function writePrivate(dir: string, name: string, text: string): void {
  writeFileSync(join(dir, name), text, { mode: 0o600 });
}
