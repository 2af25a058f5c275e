import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createTcp } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { httpGet, httpSend } from '../../src/transport/index.ts';
import { failureOf, listen } from './sshd.ts';

let server: Server | null = null;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = null;
});

async function start(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  server = createServer(answer);
  return `http://127.0.0.1:${await listen(server)}`;
}

const options = { where: 'api-1', timeoutMs: 2_000 };

test('status, body and time; headers arrive', async () => {
  const url = await start((request, response) =>
    response.writeHead(503).end(`${request.method} ${request.url} ${request.headers['cookie']}`),
  );
  const answer = await httpGet(`${url}/health?x=1`, { ...options, headers: { cookie: 'a=b' } });
  expect(answer).toMatchObject({ status: 503, body: 'GET /health?x=1 a=b' });
  expect(answer.tookMs).toBeGreaterThan(0);
});

test('a body is JSON and sent once', async () => {
  const seen: string[] = [];
  const url = await start((request, response) => {
    let body = '';
    request
      .on('data', (chunk: Buffer) => (body += chunk.toString()))
      .on('end', () => {
        seen.push(`${request.method} ${request.headers['content-type']} ${body}`);
        request.socket.destroy();
        response.destroy();
      });
  });
  expect(await failureOf(httpSend('PUT', `${url}/x`, { on: true }, options))).toMatchObject({
    kind: 'lost',
    state: 'It may have taken effect or not',
  });
  expect(seen).toEqual(['PUT application/json {"on":true}']);
});

test('no redirect is followed', async () => {
  const paths: (string | undefined)[] = [];
  const url = await start((request, response) => {
    paths.push(request.url);
    response.writeHead(302, { location: '/elsewhere' }).end();
  });
  expect(await httpGet(`${url}/a`, options)).toMatchObject({ status: 302 });
  expect(paths).toEqual(['/a']);
});

test('an endless body is cut at 256 KiB', async () => {
  const url = await start((_request, response) => {
    const more = (): void => {
      while (!response.destroyed && response.write('x'.repeat(65_536)));
    };
    response.on('drain', more);
    more();
  });
  expect((await httpGet(url, options)).body).toHaveLength(256 * 1024);
});

test.each([
  ['no header', () => undefined],
  ['no end', (_request: IncomingMessage, response: ServerResponse) => void response.writeHead(200).write('x')],
] as const)('a server that gives %s is a timeout', async (_name, answer) => {
  const url = await start(answer);
  expect(await failureOf(httpGet(`${url}/slow?token=hidden`, { ...options, timeoutMs: 150 }))).toMatchObject({
    kind: 'timeout',
    what: `GET ${url}/slow had no answer within 150 ms`,
  });
});

test('a closed port is unreachable; so is a name that is none', async () => {
  const tcp = createTcp();
  const port = await listen(tcp);
  await new Promise((resolve) => tcp.close(resolve));
  expect(await failureOf(httpGet(`http://127.0.0.1:${port}/`, options))).toMatchObject({
    kind: 'unreachable',
    what: expect.stringContaining('ECONNREFUSED'),
  });
});
