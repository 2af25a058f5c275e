import { connect } from 'node:net';
import { get } from 'node:http';
import type { Lab } from './lab.ts';

/** How long the whole lab may take to answer, and one server each time it is asked. Real milliseconds. */
const ALL_MS = 30_000;
const ONE_MS = 5_000;
/** So many servers are asked at a time. */
const FAN_OUT = 16;

/** Resolves when every server that is meant to answer does so over SSH and HTTP. Rejects with the names of those that do not. */
export async function awaitAnswers(lab: Lab): Promise<void> {
  const waiting = new Set(lab.answering);
  const untilMs = Date.now() + ALL_MS;
  const servers = lab.fleet.servers.filter(({ name }) => waiting.has(name));
  const queue = [...servers];
  const ask = async (): Promise<void> => {
    for (let server = queue.shift(); server !== undefined && Date.now() < untilMs; server = queue.shift()) {
      const port = typeof server.ssh === 'object' ? (server.ssh.port ?? 22) : 22;
      if ((await bannerComes(port)) && (await healthComes(`${server.url ?? ''}/health`))) waiting.delete(server.name);
      else queue.push(server);
    }
  };
  await Promise.all(Array.from({ length: FAN_OUT }, ask));
  if (waiting.size > 0)
    throw new Error(
      `after ${ALL_MS / 1_000} s these servers of the lab do not answer: ${[...waiting].slice(0, 10).join(', ')}`,
    );
}

function bannerComes(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: ONE_MS });
    const settle = (came: boolean): void => {
      socket.destroy();
      resolve(came);
    };
    socket.once('data', (bytes) => settle(bytes.toString('latin1').startsWith('SSH-2.0-')));
    socket.once('timeout', () => settle(false));
    socket.once('error', () => settle(false));
  });
}

function healthComes(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(url, { timeout: ONE_MS, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    request.once('timeout', () => request.destroy());
    request.once('error', () => resolve(false));
  });
}
