import { createServer, request } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * A small balancer, a process of its own on the fleet's switch: which servers are in or out of traffic, and its own
 * check of each, which does not go through neap's path. It proxies nothing.
 *
 * Usage: balancer.ts ADDRESS PORT '{"api-01": "198.18.7.11", ...}'
 */

const CHECK_EVERY_MS = 400;
const CHECK_TIMEOUT_MS = 1_000;
/** Checks in a row that make it change its mind. */
const CHECKS_IN_A_ROW = 2;

interface Backend {
  readonly address: string;
  traffic: 'in' | 'out';
  health: 'up' | 'down';
  against: number;
}

const [address = '', port = '', servers = '{}'] = process.argv.slice(2);
const backends = new Map(
  Object.entries(JSON.parse(servers) as Record<string, string>).map(([name, at]): [string, Backend] => [
    name,
    { address: at, traffic: 'in', health: 'up', against: 0 },
  ]),
);
const changes: string[] = [];

for (const backend of backends.values()) setInterval(() => void check(backend), CHECK_EVERY_MS);
createServer((asked, response) => void serve(asked, response)).listen(Number(port), address, () => {
  process.stdout.write('ready\n');
});

async function check(backend: Backend): Promise<void> {
  const sees = (await answers(backend.address)) ? 'up' : 'down';
  backend.against = sees === backend.health ? 0 : backend.against + 1;
  if (backend.against < CHECKS_IN_A_ROW) return;
  backend.health = sees;
  backend.against = 0;
}

function answers(host: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const call = request(
    { host, port: 8080, path: '/health', agent: false, signal: AbortSignal.timeout(CHECK_TIMEOUT_MS) },
    (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    },
  );
  call.once('error', () => {
    resolve(false);
  });
  call.end();
  return promise;
}

async function serve(asked: IncomingMessage, response: ServerResponse): Promise<void> {
  const say = (status: number, body: string) =>
    response.writeHead(status, { 'content-type': 'text/plain' }).end(`${body}\n`);
  if (asked.url === '/control') return void say(200, 'here');
  if (asked.url === '/changes') return void say(200, changes.join('\n'));
  const [, name = '', what] = /^\/servers\/([\w.-]+)\/(traffic|health)$/.exec(asked.url ?? '') ?? [];
  const backend = backends.get(name);
  if (backend === undefined || what === undefined) return void say(404, 'no such server');
  if (asked.method === 'GET') return void say(200, what === 'traffic' ? backend.traffic : backend.health);
  const wanted = JSON.parse(Buffer.concat(await asked.toArray()).toString('utf8')) as unknown;
  if (asked.method !== 'PUT' || what !== 'traffic' || (wanted !== 'in' && wanted !== 'out'))
    return void say(400, 'PUT "in" or "out"');
  backend.traffic = wanted;
  changes.push(`${String(Date.now())} ${name} ${wanted}`);
  say(200, wanted);
}
