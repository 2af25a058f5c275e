import { createConnection } from 'node:net';
import type { RealFleet } from './fleet.ts';
import { runProgram } from './run-program.ts';
import type { Ended } from './run-program.ts';

/** Runs a command on a server by the system's own ssh, as the fleet's login. */
export function ssh(fleet: RealFleet, name: string, command: string): Promise<Ended> {
  return runProgram('ssh', ['-F', fleet.sshConfig, name, command]);
}

/** The same for one apictl command, as root where `sudo` is asked for. */
export function apictl(fleet: RealFleet, name: string, words: string, sudo = false): Promise<Ended> {
  return ssh(fleet, name, `${sudo ? 'sudo -n ' : ''}/srv/api/bin/apictl ${words}`);
}

/** What a port says first: its greeting, `mute` when it takes the connection and says nothing, `closed` otherwise. */
export function greeting(host: string, port: number, withinMs = 1_000): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = createConnection({ host, port });
  let connected = false;
  const limit = setTimeout(() => {
    resolve(connected ? 'mute' : 'closed');
  }, withinMs);
  socket.once('connect', () => {
    connected = true;
  });
  socket.once('data', (data) => {
    resolve(data.toString('latin1').trim());
  });
  socket.once('error', () => {
    resolve('closed');
  });
  return promise.finally(() => {
    clearTimeout(limit);
    socket.destroy();
  });
}

/** Status and text of a page, or `silent` when it is not there within a second. */
export async function page(url: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
  try {
    const answer = await fetch(url, { headers, signal: AbortSignal.timeout(1_000) });
    return `${String(answer.status)} ${(await answer.text()).trim()}`;
  } catch {
    return 'silent';
  }
}
