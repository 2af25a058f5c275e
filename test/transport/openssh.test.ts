import type { ChildProcess } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Shell } from '../../src/ports/index.ts';
import type { Server } from '../../src/model/index.ts';
import {
  createPace,
  openAddressBook,
  openJumps,
  openShell,
  parseFileRecords,
  readFilesCommand,
  writeFileCommand,
} from '../../src/transport/index.ts';
import { failureOf, listen } from './sshd.ts';

const SSHD = '/usr/sbin/sshd';
const usable = existsSync(SSHD) && userInfo().uid === 0;

interface RealSshd {
  readonly port: number;
  readonly process: ChildProcess;
}

describe.skipIf(!usable)('real OpenSSH servers (needs root and openssh-server)', () => {
  const dir = mkdtempSync(join(tmpdir(), 'neap-sshd-'));
  const jumps = openJumps();
  const shells: Shell[] = [];
  const daemons: RealSshd[] = [];

  /** An sshd of its own: host keys, port and rules. */
  async function start(name: string, rules: string): Promise<RealSshd> {
    const tcp = createServer();
    const port = await listen(tcp);
    await new Promise((resolve) => tcp.close(resolve));
    for (const type of ['ed25519', 'ecdsa'])
      spawnSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-f', join(dir, `${name}-${type}`)]);
    writeFileSync(
      join(dir, `${name}.conf`),
      `Port ${port}\nListenAddress 127.0.0.1\nHostKey ${dir}/${name}-ed25519\nHostKey ${dir}/${name}-ecdsa\nAuthorizedKeysFile ${dir}/id.pub\nStrictModes no\nUsePAM no\nPermitRootLogin yes\nPasswordAuthentication no\nPidFile none\n${rules}`,
    );
    const process = spawn(SSHD, ['-D', '-e', '-f', join(dir, `${name}.conf`)], { stdio: 'ignore' });
    const daemon = { port, process };
    daemons.push(daemon);
    for (let tries = 0; tries < 100; tries += 1) {
      const up = await new Promise<boolean>((resolve) => {
        const socket = connect(port, '127.0.0.1');
        socket
          .once('error', () => resolve(false))
          .once('data', () => {
            socket.destroy();
            resolve(true);
          });
      });
      if (up) return daemon;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`sshd ${name} did not come up`);
  }

  async function shell(name: string): Promise<Shell> {
    const read = { run: 'true' };
    const probe = { path: '/', withinMs: 1_000 };
    const server: Server = {
      name,
      group: 'api',
      domain: 'a',
      ssh: 'openssh',
      service: {
        offline: { read, on: read, off: read },
        clocks: [],
        dependencies: {},
        probes: { health: probe, anonymous: probe, loggedIn: probe },
      },
    };
    const opened = openShell(await openAddressBook({ sshConfig: join(dir, 'config') }).addressOf(server), {
      jumps,
      pace: createPace(32),
    });
    shells.push(opened);
    return opened;
  }

  beforeAll(async () => {
    mkdirSync('/run/sshd', { recursive: true });
    spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(dir, 'id')]);
    const [api, bastion, closed] = await Promise.all([
      start('api', ''),
      start('bastion', 'MaxStartups 2:100:3\n'),
      start('closed', 'AllowTcpForwarding no\n'),
    ]);
    const known = [
      ['api', api],
      ['bastion', bastion],
      ['closed', closed],
    ] as const;
    // Only the second of each server's key types is known, hashed as Debian does it.
    writeFileSync(
      join(dir, 'known'),
      known
        .map(([name, { port }]) => `[127.0.0.1]:${port} ${readFileSync(join(dir, `${name}-ecdsa.pub`), 'utf8')}`)
        .join(''),
    );
    spawnSync('ssh-keygen', ['-H', '-f', join(dir, 'known')]);
    const host = (names: string, { port }: RealSshd, more = ''): string =>
      `Host ${names}\n HostName 127.0.0.1\n Port ${port}\n${more}`;
    writeFileSync(
      join(dir, 'config'),
      [
        host('api', api),
        host('behind-*', api, ' ProxyJump bastion\n'),
        host('shut', api, ' ProxyJump closed\n'),
        host('bastion', bastion),
        host('closed', closed),
        host('stranger', api, ' UserKnownHostsFile /dev/null\n'),
        host('stopped', api, ' ConnectTimeout 1\n'),
        `Host *\n User root\n IdentityFile ${dir}/id\n IdentityAgent none\n UserKnownHostsFile ${dir}/known\n GlobalKnownHostsFile /dev/null\n`,
      ].join(''),
    );
  });

  afterAll(() => {
    for (const opened of shells) opened.close();
    jumps.close();
    for (const { process } of daemons) process.kill('SIGKILL');
    rmSync(dir, { recursive: true, force: true });
  });

  test('a login by the known one of two host keys, hashed; code, output, input, signal', async () => {
    expect(readFileSync(join(dir, 'known'), 'utf8')).toMatch(/^\|1\|/);
    const api = await shell('api');
    expect(await api.run('cat; echo err >&2; exit 7', { timeoutMs: 5_000, stdin: 'x'.repeat(200_000) })).toEqual({
      code: 7,
      signal: null,
      stdout: 'x'.repeat(200_000),
      stderr: 'err\n',
      truncated: false,
    });
    expect(await api.run('kill -9 $$', { timeoutMs: 5_000 })).toMatchObject({ code: null, signal: 'SIGKILL' });
    expect(await api.run('head -c 3000000 /dev/zero', { timeoutMs: 5_000 })).toMatchObject({
      code: 0,
      truncated: true,
    });
    expect(await api.run('sleep 4 & echo ok', { timeoutMs: 8_000 })).toMatchObject({ code: 0, stdout: 'ok\n' });
    expect(await api.answers(2_000)).toBe(true);
  });

  test('files are written and read over it, whatever their names', async () => {
    const api = await shell('api');
    const path = join(dir, "app's $(id) conf");
    const text = 'a = "ü"\n'.repeat(1000);
    const sha256 = createHash('sha256').update(text).digest('hex');
    expect(
      await api.run(
        writeFileCommand({ path, mode: '0640', owner: 'root:root', backup: join(dir, 'keep/app'), sha256 }),
        { timeoutMs: 5_000, stdin: text },
      ),
    ).toMatchObject({ code: 0, stderr: '' });
    const ran = await api.run(readFilesCommand([path]), { timeoutMs: 5_000 });
    expect(parseFileRecords(ran.stdout, 1)).toEqual([
      {
        kind: 'file',
        mode: '0640',
        owner: 'root:root',
        sizeBytes: Buffer.byteLength(text),
        sha256,
        content: Buffer.from(text),
      },
    ]);
  });

  test('an unknown key is refused', async () => {
    expect(await failureOf((await shell('stranger')).run('true', { timeoutMs: 5_000 }))).toMatchObject({
      kind: 'host-key',
    });
  });

  test('twenty servers behind a jump host that allows two logins at once', async () => {
    const behind = await Promise.all(Array.from({ length: 20 }, (_, index) => shell(`behind-${index}`)));
    const ran = await Promise.all(behind.map((each) => each.run('echo ok', { timeoutMs: 10_000 })));
    expect(ran.map((each) => each.stdout)).toEqual(Array.from({ length: 20 }, () => 'ok\n'));
  });

  test('a jump host that forbids forwarding is a fault of the path', async () => {
    expect(await failureOf((await shell('shut')).run('true', { timeoutMs: 5_000 }))).toMatchObject({
      kind: 'path',
      path: 'closed',
      what: expect.stringContaining('forbids'),
    });
  });

  test('a stopped sshd stalls before its banner: unreachable within the limit', async () => {
    const stopped = await shell('stopped');
    daemons[0]?.process.kill('SIGSTOP');
    try {
      expect(await failureOf(stopped.run('true', { timeoutMs: 5_000 }))).toMatchObject({
        kind: 'unreachable',
        where: 'stopped',
      });
      expect(await stopped.answers(300)).toBe(false);
    } finally {
      daemons[0]?.process.kill('SIGCONT');
    }
  });

  test('a jump host killed in mid-command: each server behind it says path', async () => {
    const behind = await Promise.all(Array.from({ length: 3 }, (_, index) => shell(`behind-${index}`)));
    await Promise.all(behind.map((each) => each.run('true', { timeoutMs: 10_000 })));
    const marks = behind.map((_, index) => join(dir, `began-${index}`));
    const running = behind.map((each, index) =>
      failureOf(each.run(`touch ${marks[index] ?? ''}; sleep 3`, { timeoutMs: 30_000 })),
    );
    while (!marks.every((mark) => existsSync(mark))) await new Promise((resolve) => setTimeout(resolve, 10));
    // The session's own process is a child of the listening one, which only answers new logins.
    const bastion = daemons[1]?.process;
    const children = spawnSync('pgrep', ['-P', String(bastion?.pid)], { encoding: 'utf8' })
      .stdout.trim()
      .split('\n');
    bastion?.kill('SIGKILL');
    for (const child of children) process.kill(Number(child), 'SIGKILL');
    expect((await Promise.all(running)).map((failure) => `${failure.kind} ${failure.path ?? ''}`)).toEqual([
      'path bastion',
      'path bastion',
      'path bastion',
    ]);
  });
});
