import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { fingerprint, hostKeyAlgorithms } from '../../src/transport/known-hosts.ts';
import { failureOf, finish, listen, login, newKey, startSshd } from './sshd.ts';
import type { Sshd, SshdOptions } from './sshd.ts';

let user = login();
let ends: (() => unknown)[] = [];
beforeEach(() => {
  user = login();
  ends = [];
});
afterEach(async () => {
  user.close();
  for (const end of ends) await end();
});

async function sshd(options: Partial<SshdOptions> = {}): Promise<Sshd> {
  const server = await startSshd({ userKey: user.userKey, ...options });
  ends.push(server.close);
  user.trust(server);
  return server;
}

/** A raw TCP server: what is not SSH at all. */
async function raw(greet: (socket: Socket) => unknown): Promise<number> {
  const sockets = new Set<Socket>();
  const tcp = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    greet(socket);
  });
  ends.push(() => {
    for (const socket of sockets) socket.destroy();
    tcp.close();
  });
  return listen(tcp);
}

const blobOf = (publicKey: string): Buffer => Buffer.from(publicKey.split(' ')[1] ?? '', 'base64');

describe('commands', () => {
  test('code, output and input; one login for all', async () => {
    const server = await sshd({
      answer: (command, channel) => {
        const chunks: Buffer[] = [];
        if (command === 'cat')
          channel
            .on('data', (chunk: Buffer) => chunks.push(chunk))
            .on('end', () => finish(channel, 0, Buffer.concat(chunks).toString()));
        else finish(channel, 3, 'out', 'err');
      },
    });
    const shell = user.shell(user.target(server.port));
    const [said, copied] = await Promise.all([
      shell.run('say', { timeoutMs: 2_000 }),
      shell.run('cat', { timeoutMs: 2_000, stdin: 'ü'.repeat(100_000) }),
    ]);
    expect(said).toEqual({ code: 3, signal: null, stdout: 'out', stderr: 'err', truncated: false });
    expect(copied).toMatchObject({ code: 0, stdout: 'ü'.repeat(100_000) });
    await shell.run('again', { timeoutMs: 2_000 });
    expect(server.logins).toBe(1);
  });

  test('an end by signal is told', async () => {
    const server = await sshd({
      answer: (_command, channel) => {
        channel.exit('KILL', true, 'oom');
        channel.end();
      },
    });
    expect(await user.shell(user.target(server.port)).run('x', { timeoutMs: 2_000 })).toMatchObject({
      code: null,
      signal: 'SIGKILL',
    });
  });

  test('a flood is cut at the bound and drained', async () => {
    const server = await sshd({
      answer: (_command, channel) => {
        channel.stderr.write('e'.repeat(200_000));
        channel.write('o'.repeat(3_000_000), () => finish(channel, 0));
      },
    });
    const ran = await user.shell(user.target(server.port), { outputBytes: 100_000 }).run('yes', { timeoutMs: 5_000 });
    expect([ran.code, ran.stdout.length, ran.stderr.length, ran.truncated]).toEqual([0, 100_000, 100_000, true]);
  });

  test('a command past its deadline is a timeout, its channel is closed, the session goes on', async () => {
    let closed = false;
    const server = await sshd({
      answer: (command, channel) => {
        if (command === 'hang') channel.on('close', () => (closed = true)).resume();
        else finish(channel, 0, String(closed));
      },
    });
    const shell = user.shell(user.target(server.port));
    expect(await failureOf(shell.run('hang', { timeoutMs: 150 }))).toMatchObject({ kind: 'timeout', where: 'api-1' });
    expect(await shell.run('ok', { timeoutMs: 2_000 })).toMatchObject({ code: 0, stdout: 'true' });
    expect(server.logins).toBe(1);
  });

  test('a child that holds the output open does not hold the command', async () => {
    const server = await sshd({
      answer: (_command, channel) => {
        channel.write('started');
        channel.exit(0);
      },
    });
    expect(await user.shell(user.target(server.port)).run('daemon &', { timeoutMs: 10_000 })).toMatchObject({
      code: 0,
      stdout: 'started',
    });
  });

  test('a channel that closes without an exit is lost', async () => {
    const server = await sshd({ answer: (_command, channel) => channel.close() });
    expect(await failureOf(user.shell(user.target(server.port)).run('x', { timeoutMs: 2_000 }))).toMatchObject({
      kind: 'lost',
    });
  });

  test('a connection cut in the middle of commands loses each of them, and the next one opens it again', async () => {
    const server = await sshd({
      answer: (command, channel) => {
        if (command === 'ok') finish(channel, 0);
        else if (server.commands.length === 3) server.cut();
      },
    });
    const shell = user.shell(user.target(server.port));
    const kinds = await Promise.all(
      ['a', 'b', 'c'].map(async (command) => (await failureOf(shell.run(command, { timeoutMs: 5_000 }))).kind),
    );
    expect(kinds).toEqual(['lost', 'lost', 'lost']);
    expect(await shell.run('ok', { timeoutMs: 2_000 })).toMatchObject({ code: 0 });
    expect([server.logins, server.commands]).toEqual([2, ['a', 'b', 'c', 'ok']]);
  });

  test('a server that goes silent in mid-command is lost by keepalive, long before the deadline', async () => {
    const server = await sshd({ answer: () => frozen.resolve() });
    const frozen = Promise.withResolvers<void>();
    let forwarding = true;
    const relay = await raw((socket) => {
      const onward = new (socket.constructor as typeof Socket)()
        .connect(server.port, '127.0.0.1')
        .on('error', () => undefined);
      socket.on('data', (chunk) => forwarding && onward.write(chunk));
      onward.on('data', (chunk) => forwarding && socket.write(chunk));
      socket.on('close', () => onward.destroy());
    });
    user.know(`[127.0.0.1]:${relay} ${server.hostKey.public}`);
    const shell = user.shell(user.target(relay), { keepalive: { intervalMs: 50, misses: 2 } });
    const running = failureOf(shell.run('long', { timeoutMs: 60_000 }));
    await frozen.promise;
    forwarding = false;
    expect(await running).toMatchObject({ kind: 'lost' });
  });

  test('no more than eight channels at once on one connection', async () => {
    let [now, most] = [0, 0];
    const server = await sshd({
      answer: (_command, channel) => {
        most = Math.max(most, (now += 1));
        setImmediate(() => {
          now -= 1;
          finish(channel, 0);
        });
      },
    });
    const shell = user.shell(user.target(server.port));
    await Promise.all(Array.from({ length: 40 }, () => shell.run('x', { timeoutMs: 5_000 })));
    expect(most).toBeLessThanOrEqual(8);
    expect(server.logins).toBe(1);
  });
});

describe('sudo', () => {
  test('a command under sudo says that it began; its own failures are its own', async () => {
    const server = await sshd({
      answer: (_command, channel) =>
        finish(channel, 1, 'out', 'sudo: unable to resolve host api-1\nneap: began\nsudo: no\n'),
    });
    const ran = await user.shell(user.target(server.port)).run("it's", { timeoutMs: 2_000, become: true });
    expect(ran).toMatchObject({ code: 1, stderr: 'sudo: unable to resolve host api-1\nsudo: no\n' });
    expect(server.commands[0]).toMatch(/^sudo -n -- sh -c /);
  });

  test('sudo that wants a password is a denial with the remedy', async () => {
    const server = await sshd({
      answer: (_command, channel) => finish(channel, 1, '', 'sudo: a password is \u001B[31mrequired\n'),
    });
    const failure = await failureOf(user.shell(user.target(server.port)).run('x', { timeoutMs: 2_000, become: true }));
    expect(failure).toMatchObject({
      kind: 'denied',
      what: 'sudo would not run a command without a password (sudo: a password is required)',
      state: 'The command did not run',
    });
    expect(failure.remedy).toContain('NOPASSWD');
  });
});

describe('who it is', () => {
  test('an unknown key: nothing is sent, and the fingerprint is told', async () => {
    const server = await startSshd({ userKey: user.userKey });
    ends.push(server.close);
    const failure = await failureOf(user.shell(user.target(server.port)).run('x', { timeoutMs: 2_000 }));
    expect(failure).toMatchObject({ kind: 'host-key', state: 'No login was tried' });
    expect(failure.what).toContain(fingerprint(blobOf(server.hostKey.public)));
    expect(failure.remedy).toContain('ssh-keyscan');
    expect([server.logins, server.commands]).toEqual([0, []]);
  });

  test('a changed key: both fingerprints', async () => {
    const server = await startSshd({ userKey: user.userKey });
    ends.push(server.close);
    const before = newKey();
    user.know(`[127.0.0.1]:${server.port} ${before.public}`);
    const failure = await failureOf(user.shell(user.target(server.port)).run('x', { timeoutMs: 2_000 }));
    expect(failure.kind).toBe('host-key');
    expect(failure.what).toContain(fingerprint(blobOf(server.hostKey.public)));
    expect(failure.what).toContain(fingerprint(blobOf(before.public)));
    expect(failure.remedy).toContain(`ssh-keygen -R '[127.0.0.1]:${server.port}'`);
  });

  test('of several host keys the known one is asked for, whichever stands first', async () => {
    const [first, second] = [newKey(), await rsaKey()];
    const server = await startSshd({ userKey: user.userKey, hostKeys: [first, second] });
    ends.push(server.close);
    user.know(`[127.0.0.1]:${server.port} ${second.public}`);
    expect(await user.shell(user.target(server.port)).run('x', { timeoutMs: 2_000 })).toMatchObject({ code: 0 });
  });

  test('a server without a key of any known type: both fingerprints too', async () => {
    const server = await startSshd({ userKey: user.userKey });
    ends.push(server.close);
    const before = await rsaKey();
    user.know(`[127.0.0.1]:${server.port} ${before.public}`);
    const failure = await failureOf(user.shell(user.target(server.port)).run('x', { timeoutMs: 2_000 }));
    expect(failure.kind).toBe('host-key');
    expect(failure.what).toContain(fingerprint(blobOf(server.hostKey.public)));
    expect(failure.what).toContain(fingerprint(blobOf(before.public)));
  });

  test('a revoked key is refused although it is known', async () => {
    const server = await sshd();
    user.know(`@revoked * ${server.hostKey.public}`);
    expect(await failureOf(user.shell(user.target(server.port)).run('x', { timeoutMs: 2_000 }))).toMatchObject({
      kind: 'host-key',
      what: expect.stringContaining('revoked'),
    });
  });

  test('nothing known offers everything', () => {
    expect(hostKeyAlgorithms([])).toContain('ssh-ed25519');
  });
});

describe('no session', () => {
  test('a refused login is denied, after one try and with what was tried', async () => {
    const server = await startSshd({ userKey: newKey() });
    ends.push(server.close);
    user.trust(server);
    const failure = await failureOf(user.shell(user.target(server.port)).run('x', { timeoutMs: 2_000 }));
    expect(failure).toMatchObject({ kind: 'denied', what: expect.stringContaining(`${user.dir}/id`) });
    expect(
      await failureOf(
        user.shell(user.target(server.port, { identityFiles: ['/nowhere'] })).run('x', { timeoutMs: 2_000 }),
      ),
    ).toMatchObject({ kind: 'denied', what: expect.stringContaining('no key') });
  });

  test('a closed port is unreachable at once', async () => {
    const server = await sshd();
    await server.close();
    expect(await failureOf(user.shell(user.target(server.port)).run('x', { timeoutMs: 2_000 }))).toMatchObject({
      kind: 'unreachable',
      what: expect.stringContaining('ECONNREFUSED'),
    });
  });

  test.each([
    ['says nothing', () => undefined],
    ['says one byte and stops', (socket: Socket) => socket.write('S')],
    ['greets and stops', (socket: Socket) => socket.write('SSH-2.0-x\r\n')],
  ] as const)('a server that %s is unreachable within the limit', async (_name, greet) => {
    const port = await raw(greet);
    const fromMs = performance.now();
    const failure = await failureOf(
      user.shell(user.target(port, { connectTimeoutMs: 300 })).run('x', { timeoutMs: 60_000 }),
    );
    expect(failure).toMatchObject({
      kind: 'unreachable',
      state: 'Nothing was sent to it',
      what: expect.stringContaining('300 ms'),
    });
    expect(performance.now() - fromMs).toBeLessThan(2_000);
  });

  test.each([
    ['hangs up before it greets', (socket: Socket) => socket.end()],
    ['resets', (socket: Socket) => socket.resetAndDestroy()],
    ['speaks HTTP', (socket: Socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['greets with ten megabytes', (socket: Socket) => socket.end('x'.repeat(10_000_000))],
  ] as const)('a server that %s is unreachable', async (_name, greet) => {
    const port = await raw(greet);
    expect(await failureOf(user.shell(user.target(port)).run('x', { timeoutMs: 60_000 }))).toMatchObject({
      kind: 'unreachable',
    });
  });

  test('logins that are turned away without a greeting, as MaxStartups does, are tried again', async () => {
    const server = await sshd();
    let turned = 0;
    const port = await raw((socket) => {
      if ((turned += 1) <= 2) return socket.end('Exceeded MaxStartups\r\n');
      const onward = new (socket.constructor as typeof Socket)().connect(server.port, '127.0.0.1');
      return onward
        .on('error', () => socket.destroy())
        .pipe(socket)
        .pipe(onward);
    });
    user.know(`[127.0.0.1]:${port} ${server.hostKey.public}`);
    expect(await user.shell(user.target(port)).run('x', { timeoutMs: 2_000 })).toMatchObject({ code: 0 });
    expect([turned, server.commands]).toEqual([3, ['x']]);
  });

  test('whether it answers: a login, a refusal and a greeting are answers; silence is none', async () => {
    const server = await sshd({
      answer: (_command, channel) => (server.commands.length < 3 ? finish(channel, 0) : undefined),
    });
    const shell = user.shell(user.target(server.port));
    expect(await shell.answers(2_000)).toBe(true);
    expect(server.logins).toBe(0);
    await shell.run('open', { timeoutMs: 2_000 });
    expect(await shell.answers(2_000)).toBe(true);
    expect(await shell.answers(200)).toBe(false);
    expect(await user.shell(user.target(await raw(() => undefined))).answers(200)).toBe(false);
  });
});

describe('jump hosts', () => {
  test('many servers behind one: one login there; its death is one fault of the path', async () => {
    const jump = await sshd({ forward: true });
    const started = Promise.withResolvers<void>();
    let running = 0;
    const behind = await sshd({
      answer: (command, channel) =>
        command === 'ok' ? finish(channel, 0) : (running += 1) === 20 && started.resolve(),
    });
    const via = user.target(jump.port, { name: 'bastion' });
    const shells = Array.from({ length: 20 }, (_, index) =>
      user.shell(user.target(behind.port, { name: `api-${index}`, jump: via, connectTimeoutMs: 8_000 })),
    );
    const oks = await Promise.all(shells.map((shell) => shell.run('ok', { timeoutMs: 8_000 })));
    expect(oks.every((ran) => ran.code === 0)).toBe(true);
    expect([jump.logins, behind.logins]).toEqual([1, 20]);
    const long = shells.map((shell) => failureOf(shell.run('long', { timeoutMs: 60_000 })));
    await started.promise;
    await jump.close();
    const failures = await Promise.all(long);
    expect(new Set(failures.map((failure) => `${failure.kind} ${failure.path ?? ''}`))).toEqual(
      new Set(['path bastion']),
    );
    expect(failures[7]).toMatchObject({ where: 'api-7', state: expect.stringContaining('may have run') });
  });

  test('a jump host that was cut off is logged in to once more, for all behind it', async () => {
    const jump = await sshd({ forward: true });
    const behind = await sshd();
    const via = user.target(jump.port, { name: 'bastion' });
    const shells = Array.from({ length: 5 }, (_, index) =>
      user.shell(user.target(behind.port, { name: `api-${index}`, jump: via })),
    );
    await Promise.all(shells.map((shell) => shell.run('ok', { timeoutMs: 5_000 })));
    jump.cut();
    // The cut is seen by the connections themselves: until then a command on one of them is lost.
    await vi.waitFor(() => Promise.all(shells.map((shell) => shell.run('ok', { timeoutMs: 5_000 }))), {
      timeout: 60_000,
    });
    expect([jump.logins, behind.logins]).toEqual([2, 10]);
  });

  test('a jump host that cannot be reached is the path; a dead server behind a good one is not', async () => {
    const dead = await sshd();
    await dead.close();
    const away = user.target(dead.port, { name: 'bastion' });
    expect(await failureOf(user.shell(user.target(1, { jump: away })).run('x', { timeoutMs: 2_000 }))).toMatchObject({
      kind: 'path',
      path: 'bastion',
      where: 'api-1',
    });
    const jump = await sshd({ forward: true });
    const shell = user.shell(user.target(dead.port, { jump: user.target(jump.port, { name: 'bastion' }) }));
    expect(await failureOf(shell.run('x', { timeoutMs: 2_000 }))).toMatchObject({
      kind: 'unreachable',
      where: 'api-1',
    });
  });

  test('a silent server behind a good jump host is unreachable within its own limit', async () => {
    const jump = await sshd({ forward: true });
    const silent = await raw(() => undefined);
    const shell = user.shell(
      user.target(silent, { jump: user.target(jump.port, { name: 'bastion' }), connectTimeoutMs: 300 }),
    );
    expect(await failureOf(shell.run('x', { timeoutMs: 2_000 }))).toMatchObject({
      kind: 'unreachable',
      where: 'api-1',
    });
  });
});

async function rsaKey(): Promise<ReturnType<typeof newKey>> {
  const { utils } = (await import('ssh2')).default;
  return utils.generateKeyPairSync('rsa', { bits: 2048 });
}
