import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectedFiles } from '../../src/engine/index.ts';
import type { ConfigFile, Server } from '../../src/model/index.ts';
import { paperFleet } from '../support/fleet.ts';

// Goal: what a configuration should be comes from the fleet, never from a majority of servers: a text, a local file, what
// a command renders for the server, or what the server had when the plan was made.
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'neap-expected-'));
  await writeFile(join(folder, 'app.conf'), 'from a file\n');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function serverWith(expect: ConfigFile['expect']): Server {
  const [server] = paperFleet({ servers: 1 }).servers;
  if (!server) throw new Error('a paper fleet has a server');
  const file: ConfigFile = { path: '/srv/api/app.conf', expect, mode: '0644', owner: 'root:root' };
  const configuration = { files: [file], running: { run: 'apictl running' }, reload: { run: 'apictl reload' } };
  return { ...server, service: { ...server.service, configuration } };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

test.each([
  ['a text', { text: 'a text\n' }, 'a text\n'],
  ['a local file, beside the fleet', { from: 'app.conf' }, 'from a file\n'],
  ['what a command renders for that server', { rendered: 'echo "for $NEAP_SERVER"' }, 'for api-1\n'],
])('%s', async (_what, expect_, text) => {
  const [file] = await expectedFiles(serverWith(expect_), join(folder, 'fleet.ts'), {});
  expect(file).toMatchObject({ text, sha256: sha256(text), mode: '0644', owner: 'root:root' });
});

test('captured: the digest stands in the plan, and there is no content to mend with', async () => {
  const captured = { '/srv/api/app.conf': sha256('as it was') };
  const [file] = await expectedFiles(serverWith('captured'), join(folder, 'fleet.ts'), captured);
  expect(file).toMatchObject({ text: null, sha256: sha256('as it was') });
});

test.each([
  ['a file that is not there', { from: 'missing.conf' }, /missing\.conf/],
  ['a command that fails', { rendered: 'echo broken >&2; exit 3' }, /cannot be had/],
])('%s is an error that says which file and which server', async (_what, expect_, message) => {
  const read = expectedFiles(serverWith(expect_), join(folder, 'fleet.ts'), {});
  await expect(read).rejects.toThrow(message);
  await expect(read).rejects.toThrow(/api-1.*\/srv\/api\/app\.conf/);
});
