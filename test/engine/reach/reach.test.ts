import { spawn, spawnSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { createServer as createTcp } from 'node:net';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Reach, ReachCommand } from '../../../src/engine/reach/index.ts';
import { createReach } from '../../../src/engine/reach/index.ts';
import type { Server } from '../../../src/model/index.ts';
import { serverSchema } from '../../../src/model/index.ts';
import { failureOf, listen, login, startSshd } from '../../transport/sshd.ts';
import type { Answer, Sshd } from '../../transport/sshd.ts';

let user = login();
let ends: (() => unknown)[] = [];
let commands: ReachCommand[] = [];
beforeEach(() => {
  user = login();
  [ends, commands] = [[], []];
});
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const end of ends.toReversed()) await end();
  user.close();
});

/** What sshd does with a command: the real shell. */
const shell: Answer = (command, channel) => {
  const child = spawn('/bin/sh', ['-c', command], { env: { ...process.env, PATH: `${user.dir}/bin:/usr/bin:/bin` } });
  child.stdin.on('error', () => undefined);
  channel.pipe(child.stdin);
  child.stdout.pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr, { end: false });
  child.on('close', (code) => {
    channel.exit(code ?? 255);
    channel.end();
  });
};

async function sshd(answer: Answer = shell): Promise<Sshd> {
  const server = await startSshd({ userKey: user.userKey, answer });
  ends.push(server.close);
  user.trust(server);
  return server;
}

async function http(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer);
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${await listen(server)}`;
}

function server(port: number, service: object = {}, over: object = {}): Server {
  const probe = { path: '/health', withinMs: 1_000 };
  return serverSchema.parse({
    name: 'api-1',
    group: 'api',
    domain: 'a',
    ssh: {
      host: '127.0.0.1',
      port,
      user: 'deploy',
      identityFile: join(user.dir, 'id'),
      knownHostsFile: join(user.dir, 'known_hosts'),
    },
    service: {
      offline: { read: { run: 'echo off' }, on: { run: 'true' }, off: { run: 'true' } },
      probes: { health: probe, anonymous: probe, loggedIn: probe },
      ...service,
    },
    ...over,
  });
}

function reach(over: Partial<Parameters<typeof createReach>[0]> = {}): Reach {
  const opened = createReach({ control: [], ...over }, { onCommand: (command) => commands.push(command), guard: null });
  ends.push(opened.close);
  return opened;
}

const owner = (): string => spawnSync('stat', ['-c', '%U:%G', user.dir], { encoding: 'utf8' }).stdout.trim();

describe('asking', () => {
  test('by command and by HTTP, whole and by field; sanitised, trimmed and told to the journal', async () => {
    const url = await http((_request, response) => response.end('{"state":{"list":["in"]},"n":5}'));
    const { port } = await sshd();
    const one = server(port, {
      offline: { read: { run: String.raw`printf '  \033[31mon\033[0m\n'` }, on: { run: 'true' }, off: { run: 'true' } },
      clocks: [
        { name: 'sessions', read: { get: url, field: 'n' }, refresh: { run: 'true' }, ttlMs: { min: 1, max: 2 } },
      ],
      traffic: {
        read: { get: `${url}/x`, field: 'state.list.0' },
        health: { get: url, field: 'no.such' },
        in: { run: 'true' },
        out: { run: 'true' },
      },
    });
    const reader = reach().reader(one);
    expect(await Promise.all([reader.ask('offline'), reader.ask('clock:sessions'), reader.ask('traffic')])).toEqual([
      'on',
      '5',
      'in',
    ]);
    expect(await failureOf(reader.ask('traffic-health'))).toMatchObject({
      kind: 'output',
      what: expect.stringContaining('no.such'),
    });
    expect(commands).toContainEqual({
      server: 'api-1',
      how: 'http',
      command: `GET ${url}/x`,
      become: false,
      writes: false,
    });
    expect(commands.every((command) => !command.writes)).toBe(true);
  });

  test('a command that fails says how, with its words made harmless', async () => {
    const { port } = await sshd();
    const one = server(port, {
      dependencies: {
        database: { answers: { run: String.raw`printf 'no \033[5mroute\nto db' >&2; exit 4` }, timeoutMs: 10 },
      },
    });
    expect(await failureOf(reach().reader(one).ask('answers:database'))).toMatchObject({
      kind: 'command',
      where: 'api-1',
      what: 'answers:database ended with exit 4: no route / to db',
    });
  });

  test('what the fleet does not list cannot be asked or called, and nothing is sent', async () => {
    const ways = reach();
    const one = server(1);
    for (const name of ['running', 'clock:none', 'answers:constructor', 'traffic'] as const)
      expect(await failureOf(ways.reader(one).ask(name))).toMatchObject({
        kind: 'command',
        remedy: expect.stringContaining('api-1'),
      });
    for (const name of ['reload', 'refresh:none', 'cut:__proto__'] as const)
      expect(await failureOf(ways.hands(one).call(name))).toMatchObject({
        kind: 'command',
        state: 'Nothing was sent to it',
      });
    // A name of the other list, forced past the types, is not found either.
    expect(await failureOf(ways.reader(one).ask('offline-on' as 'offline'))).toMatchObject({ kind: 'command' });
    expect(commands).toEqual([]);
  });

  test('a connection that was lost meanwhile costs a read nothing, and a write is never repeated', async () => {
    let reboots = 0;
    const machine = await sshd((command, channel, connection) => {
      if (command.includes('dies') && (reboots += 1) === 1) machine.cut();
      else shell(command, channel, connection);
    });
    const one = server(machine.port, {
      offline: { read: { run: 'echo dies' }, on: { run: 'echo dies' }, off: { run: 'true' } },
    });
    const ways = reach();
    expect(await ways.reader(one).ask('offline')).toBe('dies');
    reboots = 0;
    expect(await failureOf(ways.hands(one).call('offline-on'))).toMatchObject({ kind: 'lost' });
    expect(machine.commands).toEqual(['echo dies', 'echo dies', 'echo dies']);
  });
});

describe('files', () => {
  const files = { files: [], running: { run: 'true' }, reload: { run: 'true' } };

  test('facts of more files than one command takes, then written and put back', async () => {
    const machine = await sshd();
    const ways = reach();
    const one = server(machine.port, { configuration: files });
    const paths = Array.from({ length: 25 }, (_, index) => join(user.dir, `f${index}`));
    for (const path of paths.slice(1)) writeFileSync(path, 'x'.repeat(65_536));
    const facts = await ways.reader(one).files(paths);
    expect(facts.map((fact) => [fact.path, fact.sizeBytes])).toEqual(
      paths.map((path, index) => [path, index === 0 ? 0 : 65_536]),
    );
    expect(facts[0]).toEqual({ path: paths[0], sha256: 'absent', mode: '', owner: '', sizeBytes: 0, text: null });
    expect(machine.commands).toHaveLength(3);
    const [path = ''] = paths;
    const file = { path, text: 'new ü\n', mode: '0640', owner: owner(), backup: join(user.dir, 'keep/f0') };
    await ways.hands(one).putFile(file);
    expect(await ways.reader(one).files([path])).toEqual([
      {
        path,
        sha256: createHash('sha256').update('new ü\n').digest('hex'),
        mode: '0640',
        owner: owner(),
        sizeBytes: 7,
        text: 'new ü\n',
      },
    ]);
    await ways.hands(one).restoreFile(file);
    expect(existsSync(path)).toBe(false);
    expect(commands.filter((command) => command.writes).map((command) => command.command)).toEqual([
      `write file ${path}`,
      `restore file ${path}`,
    ]);
  });

  test('bytes that are no UTF-8 are known by digest only', async () => {
    const { port } = await sshd();
    writeFileSync(join(user.dir, 'binary'), Buffer.from([0xff, 0xfe, 0]));
    expect(
      (
        await reach()
          .reader(server(port))
          .files([join(user.dir, 'binary')])
      )[0],
    ).toMatchObject({ sizeBytes: 3, text: null });
  });

  test('under become everything about files goes through sudo, which may refuse', async () => {
    mkdirSync(join(user.dir, 'bin'));
    // Stands in for sudo: runs what follows `-n --`, or refuses while there is a file called `password`.
    writeFileSync(
      join(user.dir, 'bin/sudo'),
      `#!/bin/sh\n[ "$1 $2" = "-n --" ] || exit 9\nif [ -e ${user.dir}/password ]; then echo "sudo: a password is required" >&2; exit 1; fi\nshift 2\nexec "$@"\n`,
      { mode: 0o755 },
    );
    const machine = await sshd();
    const ways = reach();
    const one = server(machine.port, { configuration: { ...files, become: true } });
    const path = join(user.dir, "it's");
    await ways.hands(one).putFile({ path, text: 'x', mode: '0600', owner: owner(), backup: join(user.dir, 'keep/x') });
    expect([readFileSync(path, 'utf8'), statSync(path).mode & 0o777]).toEqual(['x', 0o600]);
    expect((await ways.reader(one).files([path]))[0]?.text).toBe('x');
    expect(machine.commands.every((command) => command.startsWith('sudo -n -- '))).toBe(true);
    expect(commands.every((command) => command.become)).toBe(true);
    writeFileSync(join(user.dir, 'password'), '');
    expect(await failureOf(ways.reader(one).files([path]))).toMatchObject({
      kind: 'denied',
      what: expect.stringContaining('a password is required'),
    });
  });

  test('no space is told as such', async () => {
    const machine = await sshd((_command, channel) => {
      channel.stderr.write('cat: write error: No space left on device\n');
      channel.exit(91);
      channel.end();
    });
    const put = reach()
      .hands(server(machine.port))
      .putFile({ path: '/etc/app', text: 'x', mode: '0600', owner: 'root:root', backup: '/k' });
    expect(await failureOf(put)).toMatchObject({ kind: 'full', state: 'The file is as it was' });
  });
});

describe('changing', () => {
  test('{seconds} becomes digits, in commands, addresses and bodies', async () => {
    const seen: string[] = [];
    const url = await http((request, response) => {
      let body = '';
      request
        .on('data', (chunk: Buffer) => (body += chunk.toString()))
        .on('end', () => {
          seen.push(`${request.method} ${request.url} ${body}`);
          response.writeHead(request.url === '/no' ? 409 : 204).end();
        });
    });
    const machine = await sshd();
    const database = {
      answers: { run: 'true' },
      timeoutMs: 10,
      cut: { run: 'echo cut {seconds}' },
      restore: { send: `${url}/{seconds}`, method: 'PUT', body: { for: '{seconds}' } },
    };
    const one = server(machine.port, {
      dependencies: { database },
      offline: { read: { run: 'true' }, on: { send: `${url}/no`, method: 'POST' }, off: { run: 'exit 3' } },
    });
    const hands = reach().hands(one);
    await hands.call('cut:database', { seconds: 30 });
    await hands.call('restore:database', { seconds: 30 });
    expect(machine.commands).toEqual(['echo cut 30']);
    expect(seen).toEqual(['PUT /30 {"for":"30"}']);
    for (const seconds of [0, 1.5, -1, Number.NaN, 1e9])
      expect(await failureOf(hands.call('cut:database', { seconds }))).toMatchObject({ kind: 'internal' });
    expect(await failureOf(hands.call('cut:database'))).toMatchObject({
      kind: 'internal',
      state: 'Nothing was sent to it',
    });
    expect(await failureOf(hands.call('offline-on'))).toMatchObject({
      kind: 'command',
      what: expect.stringContaining('409'),
    });
    expect(await failureOf(hands.call('offline-off'))).toMatchObject({
      kind: 'command',
      what: expect.stringContaining('exit 3'),
    });
  });
});

describe('HTTP of the server', () => {
  test('stays on the server, carries secrets by reference, and redacts them wherever they come back', async () => {
    vi.stubEnv('NEAP_TEST_SESSION', 'session-of-somebody');
    const url = await http((request, response) => response.end(`${request.url} saw ${request.headers['cookie']}`));
    const { port } = await sshd();
    const ways = reach();
    const one = server(
      port,
      { offline: { read: { run: 'echo session-of-somebody' }, on: { run: 'true' }, off: { run: 'true' } } },
      { url },
    );
    const answer = await ways
      .reader(one)
      .get('//evil.example/a', { headers: { cookie: 'env:NEAP_TEST_SESSION' }, timeoutMs: 1_000 });
    expect(answer).toMatchObject({ status: 200, body: '/evil.example/a saw [redacted]' });
    expect(await ways.reader(one).ask('offline')).toBe('[redacted]');
    expect(await failureOf(reach().reader(server(port)).get('/', { timeoutMs: 1_000 }))).toMatchObject({
      kind: 'command',
      remedy: expect.stringContaining('url'),
    });
  });

  test('secrets from files and commands; one that cannot be had is named, never shown', async () => {
    const { secrets, redactor } = reach();
    writeFileSync(join(user.dir, 'secret'), 'from a file\n');
    expect(await secrets.resolve(`file:${user.dir}/secret`)).toBe('from a file');
    expect(await secrets.resolve('command:printf from-a-command')).toBe('from-a-command');
    expect(redactor.redact('from a file, from-a-command')).toBe('[redacted], [redacted]');
    for (const reference of ['env:NEAP_NO_SUCH', 'file:/no/such', 'command:echo hidden; echo hidden >&2; exit 3']) {
      const failure = await failureOf(secrets.resolve(reference));
      expect(failure).toMatchObject({ kind: 'denied', what: expect.stringContaining(reference) });
      expect(JSON.stringify(failure).replaceAll(reference, '')).not.toContain('hidden');
    }
  });
});

describe('boot and vital signs', () => {
  test("the boot ID is the kernel's", async () => {
    const { port } = await sshd();
    expect(await reach().reader(server(port)).bootId()).toBe(
      readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
    );
  });

  test('all alive, in parallel; a BMC is asked over its pinned certificate', async () => {
    vi.stubEnv('NEAP_TEST_BMC', 'bmc password');
    const pems = await generate([{ name: 'commonName', value: 'bmc' }], { keyType: 'ec' });
    const bmc = createHttps({ key: pems.private, cert: pems.cert }, (request, response) => {
      const bodies: Record<string, object> = {
        '/redfish/v1/': { Systems: { '@odata.id': '/s' } },
        '/s': { Members: [{ '@odata.id': '/s/1' }] },
        '/s/1': { PowerState: 'On' },
      };
      response.end(JSON.stringify(bodies[request.url ?? '']));
    });
    const bmcPort = await listen(bmc);
    ends.push(() => bmc.close());
    const url = await http((request, response) => response.writeHead(request.url === '/health' ? 500 : 200).end('up'));
    const { port } = await sshd();
    const one = server(
      port,
      { traffic: { read: { get: url }, health: { get: `${url}/lb` }, in: { run: 'true' }, out: { run: 'true' } } },
      {
        url,
        bmc: {
          protocol: 'redfish',
          url: `https://127.0.0.1:${bmcPort}`,
          user: 'ops',
          password: 'env:NEAP_TEST_BMC',
          fingerprint: new X509Certificate(pems.cert).fingerprint256,
        },
      },
    );
    const ways = reach({ control: [{ name: 'gateway', get: url, timeoutMs: 500 }] });
    expect(await ways.reader(one).vitals()).toEqual({
      ssh: 'answers',
      http: 'answers',
      balancer: 'up',
      power: 'On',
      control: 'answers',
    });
    await Promise.all([ways.reader(one).vitals(), ways.reader(one).vitals()]);
    expect(commands.filter((command) => command.server === 'gateway')).toHaveLength(1);
  });

  test('all silent: never throws, and takes about five seconds at the most', async () => {
    const sockets: { destroy: () => void }[] = [];
    const tcp = createTcp((socket) => sockets.push(socket.on('error', () => undefined)));
    const port = await listen(tcp);
    ends.push(() => {
      for (const socket of sockets) socket.destroy();
      tcp.close();
    });
    const url = `http://127.0.0.1:${port}`;
    const one = server(
      port,
      { traffic: { read: { get: url }, health: { get: url }, in: { run: 'true' }, out: { run: 'true' } } },
      {
        url,
        bmc: {
          protocol: 'redfish',
          url: `https://127.0.0.1:${port}`,
          user: 'ops',
          password: 'env:NEAP_NO_SUCH',
          fingerprint: `${'00:'.repeat(31)}00`,
        },
      },
    );
    const fromMs = performance.now();
    const vitals = await reach({ control: [{ name: 'gateway', get: url, timeoutMs: 500 }] })
      .reader(one)
      .vitals();
    expect(vitals).toEqual({ ssh: 'silent', http: 'silent', balancer: 'unknown', power: 'Unknown', control: 'silent' });
    expect(performance.now() - fromMs).toBeLessThan(6_500);
  }, 10_000);

  test('a fleet without these views says so', async () => {
    const { port } = await sshd();
    expect(await reach().reader(server(port)).vitals()).toEqual({
      ssh: 'answers',
      http: null,
      balancer: null,
      power: null,
      control: null,
    });
  });
});
