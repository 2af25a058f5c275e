import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Server } from '../../src/model/index.ts';
import { openAddressBook } from '../../src/transport/index.ts';
import { failureOf } from './sshd.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'neap-config-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(dir, { recursive: true });
});

function server(name: string, ssh: Server['ssh'] = 'openssh'): Server {
  const read = { run: 'true' };
  const probe = { path: '/', withinMs: 1_000 };
  return {
    name,
    group: 'api',
    domain: 'a',
    ssh,
    service: {
      offline: { read, on: read, off: read },
      clocks: [],
      dependencies: {},
      probes: { health: probe, anonymous: probe, loggedIn: probe },
    },
  };
}

function book(text: string): ReturnType<typeof openAddressBook> {
  writeFileSync(join(dir, 'config'), text);
  return openAddressBook({ sshConfig: join(dir, 'config') });
}

test('an address in the fleet is taken as it is', async () => {
  const address = await openAddressBook({}).addressOf(
    server('api-1', { host: '10.0.0.1', port: 2200, user: 'u', identityFile: '~/k', knownHostsFile: '/kh' }),
  );
  expect(address).toMatchObject({
    name: 'api-1',
    host: '10.0.0.1',
    port: 2200,
    user: 'u',
    identityFiles: [join(homedir(), 'k')],
    agent: null,
    knownHostsFiles: ['/kh'],
    jump: null,
  });
});

test('without ssh on this machine the failure says what to do', async () => {
  vi.stubEnv('PATH', dir);
  expect(await failureOf(openAddressBook({}).addressOf(server('api-1')))).toMatchObject({
    kind: 'unreachable',
    where: 'api-1',
    remedy: expect.stringContaining('openssh-client'),
  });
});

describe.skipIf(spawnSync('ssh', ['-V']).error !== undefined)('ssh -G', () => {
  test('host, port, user, keys, agent and known hosts, with tokens and tildes expanded', async () => {
    vi.stubEnv('MY_AGENT', '/run/agent');
    const text = `Host api-*\n HostName %h.example\n Port 2200\n User deploy\n IdentityFile ~/.ssh/%n-%r\n IdentityFile %d/%%k\n IdentityAgent $MY_AGENT\n IdentitiesOnly yes\n UserKnownHostsFile ~/kh /kh2\n GlobalKnownHostsFile none\n HostKeyAlias the-api\n ConnectTimeout 3\n`;
    expect(await book(text).addressOf(server('api-1'))).toEqual({
      name: 'api-1',
      host: 'api-1.example',
      port: 2200,
      user: 'deploy',
      identityFiles: [join(homedir(), '.ssh/api-1-deploy'), join(homedir(), '%k')],
      identitiesOnly: true,
      agent: '/run/agent',
      knownHostsFiles: [join(homedir(), 'kh'), '/kh2'],
      hostKeyName: 'the-api',
      jump: null,
      connectTimeoutMs: 3_000,
    });
  });

  test('defaults: the name itself, port 22, this user, the agent of the environment', async () => {
    vi.stubEnv('SSH_AUTH_SOCK', '/run/mine');
    const address = await book('').addressOf(server('api-1'));
    expect(address).toMatchObject({
      host: 'api-1',
      port: 22,
      user: userInfo().username,
      agent: '/run/mine',
      hostKeyName: null,
      connectTimeoutMs: 10_000,
    });
    expect((await book('IdentityAgent none\n').addressOf(server('api-1'))).agent).toBeNull();
  });

  test('jump hosts: the last one stands before the server, each with its own configuration', async () => {
    const text = `Host api-1\n ProxyJump me@outer:2201,inner\nHost inner\n HostName 10.0.0.9\n ProxyJump not-this\nHost outer\n User nobody\n IdentityFile /k/outer\n`;
    const { jump } = await book(text).addressOf(server('api-1'));
    expect(jump).toMatchObject({ name: 'inner', host: '10.0.0.9', port: 22 });
    expect(jump?.jump).toMatchObject({
      name: 'outer',
      host: 'outer',
      port: 2201,
      user: 'me',
      identityFiles: ['/k/outer'],
      jump: null,
    });
  });

  test('what is not supported is refused with what is', async () => {
    expect(await failureOf(book('Host *\n ProxyCommand nc %h %p\n').addressOf(server('api-1')))).toMatchObject({
      kind: 'unreachable',
      remedy: expect.stringContaining('ProxyJump'),
    });
    expect(
      await failureOf(
        book('Host api-1\n ProxyJump a\nHost a\n ProxyJump b\nHost b\n ProxyJump a\n').addressOf(server('api-1')),
      ),
    ).toMatchObject({ what: expect.stringContaining('jump hosts') });
    expect(await failureOf(book('Nonsense yes\n').addressOf(server('api-1')))).toMatchObject({
      what: expect.stringContaining('ssh -G'),
    });
  });
});
