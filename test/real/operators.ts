import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import type { RealFleet } from './fleet.ts';
import { voyageOn, type Voyage } from './voyage.ts';

/** The addresses of operators' machines in the fleet's network, from here on. */
const FIRST_ADDRESS = 240;

/**
 * Another machine from which neap is used: a network namespace with an address of its own on the fleet's switch, a
 * state folder and a configuration. What is not apart is the kernel: boot id and process ids are those of this machine.
 */
export async function operatorOn(fleet: RealFleet, number: number, config: object = {}): Promise<Voyage> {
  const { world } = fleet;
  const name = `op${number}`;
  await world.run(`ip netns add ${name}
    ip link add v-${name} type veth peer name eth0 netns ${name}
    ip link set v-${name} master switch up
    ip -n ${name} address add ${world.net}.${FIRST_ADDRESS + number}/24 dev eth0
    ip -n ${name} link set eth0 up
    ip -n ${name} link set lo up`);
  const cwd = mkdtempSync(join(fleet.dir, `${name}-`));
  writeFileSync(join(cwd, 'neap.config.ts'), `export default ${JSON.stringify(config)};\n`);
  const fleetFile = join(cwd, 'fleet.ts');
  // The BMCs are on this machine's loopback, which the other one does not have.
  writeFileSync(fleetFile, readFileSync(fleet.fleetFile, 'utf8').replaceAll('//127.0.0.1:', `//${world.hostAddress}:`));
  return voyageOn({ ...fleet, fleetFile }, { cwd, netns: world.path(`/run/netns/${name}`) });
}

/** Lets other machines reach the BMCs, which listen on this one's loopback. */
export async function openBmcs(fleet: RealFleet): Promise<() => void> {
  const ports = fleet.servers.map(({ bmc }) => Number(new URL(bmc.url).port));
  const servers = await Promise.all(
    ports.map(
      (port) =>
        new Promise<Server>((resolve, reject) => {
          const server = createServer((socket) => {
            const onward = connect(port, '127.0.0.1');
            socket.on('error', () => onward.destroy());
            onward.on('error', () => socket.destroy());
            socket.pipe(onward).pipe(socket);
          });
          server.once('error', reject).listen(port, fleet.world.hostAddress, () => resolve(server));
        }),
    ),
  );
  return () => {
    for (const server of servers) server.close();
  };
}
