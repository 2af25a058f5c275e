import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { reader, web } from './world.ts';

// Goal: which silence is an answer, and which is none. Method: a web server that answers so or so, or not.

const probe = (get: string, withinMs = 500) => reader()({ guard: 'probe', get, withinMs });

test.each([
  [200, 'good'],
  [204, 'good'],
  [301, 'bad'],
  [404, 'bad'],
  [503, 'bad'],
] as const)('HTTP %i is %s', async (status, sort) => {
  await using site = await web((_path, response) => response.writeHead(status).end());
  expect(await probe(`${site.url}/health?full=1`)).toEqual({ sort, seen: expect.stringMatching(`^HTTP ${status} in`) });
  expect(site.asked).toEqual(['GET /health?full=1']);
});

test('connected, and no answer in time: bad', async () => {
  await using site = await web(() => undefined);
  expect(await probe(site.url, 200)).toEqual({ sort: 'bad', seen: expect.stringMatching(/no answer within 200 ms/) });
});

test('turned away: bad', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  expect(await probe(`http://127.0.0.1:${port}/`)).toEqual({
    sort: 'bad',
    seen: expect.stringMatching(/ECONNREFUSED/),
  });
});

test('no way there: no data, for it may be a fault of the path from here', async () => {
  expect(await probe('http://no-such-host.invalid/')).toMatchObject({ sort: 'no-data' });
});
