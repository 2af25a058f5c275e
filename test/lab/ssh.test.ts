import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import ssh2, { type ConnectConfig, type ParsedKey, type SFTPWrapper } from 'ssh2';
import { expect, test } from 'vitest';
import { enterOffline, hang, hardReset } from '../../src/herd/index.ts';
import {
  parseFileRecords,
  quoteWord,
  readFilesCommand,
  restoreFileCommand,
  writeFileCommand,
} from '../../src/transport/index.ts';
import { login, openLab, until } from './lab.ts';

test('the commands of the service read and change the model', async () => {
  using lab = await openLab();
  using api = await login(lab, 'api-01');
  const ask = async (command: string): Promise<string> => (await api.run(command)).stdout.trim();
  expect(await ask('hostname')).toBe('api-01');
  expect([await ask('id -un'), await ask('sudo -n id -un')]).toEqual(['neap', 'root']);
  expect(await ask('apictl offline status')).toBe('off');
  expect((await api.run('apictl offline on')).code).toBe(0);
  expect(await ask('apictl offline status')).toBe('on');
  const cache = JSON.parse(await ask('apictl cache status')) as { ageMs: number; ttlMs: number };
  expect(cache.ageMs).toBeLessThan(60_000);
  expect(cache.ttlMs).toBeGreaterThanOrEqual(180_000);
  expect((await api.run('apictl database ping')).code).toBe(0);
  expect(await ask('apictl path status database')).toBe('open');
  expect((await api.run('apictl path cut database 500')).code).toBe(0);
  expect(await ask('apictl path status database')).toBe('cut');
  const startMs = performance.now();
  expect((await api.run('apictl database ping')).code).toBe(1);
  expect(performance.now() - startMs).toBeGreaterThan(180);
  expect((await api.run('apictl cache refresh')).code).toBe(1);
  await api.run('apictl path restore database');
  expect((await api.run('apictl cache refresh')).code).toBe(0);
  expect(await api.run('reboot')).toMatchObject({ code: 127, stderr: 'sh: reboot: not found\n' });
  expect((await api.run('true; reboot')).code).toBe(2);
});

test('a cut path removes itself', async () => {
  using lab = await openLab();
  using api = await login(lab, 'api-01');
  await api.run('apictl offline on');
  await api.run('apictl path cut database 5');
  await until(async () => (await api.run('apictl path status database')).stdout === 'open\n');
  expect((await api.run('apictl database ping')).code).toBe(0);
});

test('only the lab key is let in, and only as the lab account', async () => {
  using lab = await openLab({ servers: 1 });
  const refused = async (change: Partial<ConnectConfig>): Promise<void> =>
    expect(login(lab, 'api-01', change)).rejects.toThrow(/authentication/i);
  const other = ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 }).private;
  await refused({ username: 'root' });
  await refused({ password: 'x' });
  await refused({ privateKey: other });
  await refused({ agent: new Forger(join(lab.dir, 'user_key.pub')) });
});

/** Shows the right public key, and signs with another one. */
class Forger extends ssh2.BaseAgent<ParsedKey> {
  readonly #shown: ParsedKey;

  constructor(publicKeyFile: string) {
    super();
    this.#shown = ssh2.utils.parseKey(readFileSync(publicKeyFile)) as ParsedKey;
  }

  override getIdentities(callback: (error: undefined, keys: ParsedKey[]) => void): void {
    callback(undefined, [this.#shown]);
  }

  override sign(
    _key: ParsedKey,
    _data: Buffer,
    _options: unknown,
    callback?: (error: undefined, signature: Buffer) => void,
  ): void {
    callback?.(undefined, Buffer.alloc(64, 7));
  }
}

test('files are read, written and restored by the scripts of the transport', async () => {
  using lab = await openLab({ servers: 1 });
  using api = await login(lab, 'api-01');
  const path = '/srv/api/app.conf';
  const backup = '/var/lib/neap/run-1/app.conf';
  const text = 'new = it’s "right"\n';
  const bytes = Buffer.from(text);
  const read = async (): Promise<string> => {
    const { stdout } = await api.run(
      readFilesCommand([path, '/srv/api', '/nowhere', '/proc/sys/kernel/random/boot_id']),
    );
    const records = parseFileRecords(stdout, 4)!;
    expect(records.map(({ kind }) => kind)).toEqual(['file', 'not-a-file', 'absent', 'file']);
    const [first] = records;
    if (first?.kind !== 'file') throw new Error('not a file');
    expect(first).toMatchObject({ mode: '0644', owner: 'root:root', sha256: sha256(first.content!) });
    return first.content!.toString('utf8');
  };
  const before = await read();
  expect(before).toContain('server = api-01');
  const write = writeFileCommand({ path, mode: '0644', owner: 'root:root', backup, sha256: sha256(bytes) });
  expect((await api.run(write, text)).code).toBe(92);
  const asRoot = (command: string): string => `sudo -n -- sh -c ${quoteWord(`echo "neap: began" >&2\n${command}`)}`;
  expect((await api.run(asRoot(write), 'new = ')).code).toBe(94);
  expect(await read()).toBe(before);
  expect(await api.run(asRoot(write), text)).toEqual({ code: 0, stdout: '', stderr: 'neap: began\n' });
  expect(await read()).toBe(text);
  // The process holds the old content until it reloads, and the backup is what was there at first.
  const running = async (): Promise<string> => (await api.run('apictl running')).stdout.split('\n')[0]!.split(' ')[0]!;
  expect(await running()).toBe(sha256(Buffer.from(before)));
  await api.run('apictl reload');
  expect(await running()).toBe(sha256(bytes));
  await api.run(asRoot(write), text);
  expect((await api.run(asRoot(restoreFileCommand({ path, backup })))).stdout).toBe('restored\n');
  expect(await read()).toBe(before);
  expect((await api.run(asRoot(restoreFileCommand({ path, backup: '/never' })))).stdout).toBe('untouched\n');
});

test('SFTP gets, lists and puts where the account may', async () => {
  using lab = await openLab({ servers: 1 });
  using api = await login(lab, 'api-01');
  const sftp = await new Promise<SFTPWrapper>((resolve, reject) =>
    api.client.sftp((error, session) => (error ? reject(error) : resolve(session))),
  );
  const get = (path: string): Promise<string> =>
    new Promise((resolve, reject) =>
      sftp.readFile(path, (error, bytes) => (error ? reject(error) : resolve(bytes.toString()))),
    );
  const put = (path: string): Promise<string> =>
    new Promise((resolve) => sftp.writeFile(path, 'hello', (error) => resolve(error ? error.message : 'put')));
  const names = await new Promise<string[]>((resolve, reject) =>
    sftp.readdir('/srv/api', (error, list) => (error ? reject(error) : resolve(list.map(({ filename }) => filename)))),
  );
  expect(names).toEqual(['app.conf', 'routes.conf']);
  expect(await get('/srv/api/app.conf')).toContain('server = api-01');
  await expect(get('/etc/passwd')).rejects.toThrow(/no such file/i);
  expect(await put('/srv/api/app.conf')).toMatch(/permission denied/i);
  expect(await put('/home/neap/x')).toBe('put');
  expect(await get('/home/neap/x')).toBe('hello');
});

test('a hung server is silent: no banner, no word on open connections, no end; a reset ends them', async () => {
  using lab = await openLab({ model: { bootMs: 10_000 } });
  using api = await login(lab, 'api-02');
  const server = lab.lab.world.servers[1]!;
  const bootId = (await api.run('cat /proc/sys/kernel/random/boot_id')).stdout;
  lab.lab.touch();
  hang(lab.lab.world, server);
  lab.lab.touch();
  const heard: string[] = [];
  const { ssh } = lab.server('api-02');
  const socket = connect(typeof ssh === 'object' ? (ssh.port ?? 22) : 22, '127.0.0.1');
  socket.on('data', () => heard.push('data'));
  socket.on('end', () => heard.push('end'));
  socket.on('error', () => heard.push('error'));
  await new Promise((resolve) => socket.once('connect', resolve));
  const closed = new Promise<void>((resolve) => api.client.once('close', () => resolve()));
  const answered = api.run('true').catch(() => 'lost');
  expect(
    await Promise.race([answered, closed, new Promise((resolve) => setTimeout(() => resolve('silence'), 300))]),
  ).toBe('silence');
  expect(heard).toEqual([]);
  hardReset(lab.lab.world, server);
  lab.lab.touch();
  await closed;
  await until(() => heard.includes('error'));
  await until(async () =>
    login(lab, 'api-02').then(
      (again) => (again[Symbol.dispose](), true),
      () => false,
    ),
  );
  using again = await login(lab, 'api-02');
  expect((await again.run('cat /proc/sys/kernel/random/boot_id')).stdout).not.toBe(bootId);
  expect((await again.run('apictl offline status')).stdout).toBe('off\n');
});

test('the record tells what was asked, what was meant to write, and what changed anything', async () => {
  using lab = await openLab({ servers: 1 });
  using api = await login(lab, 'api-01');
  for (const command of ['apictl offline status', 'apictl offline on', 'apictl offline on', 'nonsense'])
    await api.run(command);
  const record = lab.lab.record
    .read(0)
    .map(({ server, via, what, writes, changed, ok }) => ({ server, via, what, writes, changed, ok }));
  const one = { server: 'api-01', via: 'ssh' };
  expect(record).toEqual([
    { ...one, what: 'apictl offline status', writes: false, changed: false, ok: true },
    { ...one, what: 'apictl offline on', writes: true, changed: true, ok: true },
    { ...one, what: 'apictl offline on', writes: true, changed: false, ok: true },
    { ...one, what: 'sh: nonsense: not found', writes: false, changed: false, ok: false },
  ]);
});

test('keepalives are answered', async () => {
  using lab = await openLab({ servers: 1 });
  using api = await login(lab, 'api-01', { keepaliveInterval: 100, keepaliveCountMax: 2 });
  const lost = new Promise((resolve) => api.client.once('error', () => resolve('lost')));
  expect(await Promise.race([lost, new Promise((resolve) => setTimeout(() => resolve('alive'), 700))])).toBe('alive');
  enterOffline(lab.lab.world, lab.lab.world.servers[0]!);
  expect((await api.run('apictl offline status')).stdout).toBe('on\n');
});

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
