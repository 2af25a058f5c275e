import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  FILE_EXIT,
  parseFileRecords,
  parseRestored,
  quoteWord,
  readFilesCommand,
  restoreFileCommand,
  shellWords,
  writeFileCommand,
} from '../../src/transport/index.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'neap-files-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const isRoot = userInfo().uid === 0;
const sha256 = (text: string | Buffer): string => createHash('sha256').update(text).digest('hex');

/** Runs one command line as sshd does: the account's shell with -c. */
function sh(command: string, stdin = ''): { code: number | null; stdout: string; stderr: string } {
  const done = spawnSync('/bin/sh', ['-c', command], { input: stdin, encoding: 'utf8' });
  return { code: done.status, stdout: done.stdout, stderr: done.stderr };
}

function owner(path: string): string {
  return spawnSync('stat', ['-c', '%U:%G', path], { encoding: 'utf8' }).stdout.trim();
}

function write(
  path: string,
  text: string,
  over: { mode?: string; owner?: string; backup?: string; sha256?: string } = {},
): ReturnType<typeof sh> {
  return sh(
    writeFileCommand({
      path,
      mode: '0640',
      owner: owner(dir),
      backup: join(dir, 'keep/app'),
      sha256: sha256(text),
      ...over,
    }),
    text,
  );
}

describe('words', () => {
  test.each(['', 'plain', "it's", '$(touch x) `id` "q"', 'a\nb', '-rf', '*', "''", '\\', 'ü€'])(
    '%j arrives as one word',
    (word) => {
      expect(sh(`printf '[%s]' ${shellWords([word, 'end'])}`).stdout).toBe(`[${word}][end]`);
    },
  );

  test('a NUL is refused', () => {
    expect(() => quoteWord('a\0b')).toThrow(TypeError);
  });
});

describe('reading', () => {
  test('content, mode, owner, size and digest; absent, a directory, a link, an empty and a large file', () => {
    const odd = join(dir, "odd 'name' $(id)\n.conf");
    writeFileSync(odd, 'a = 1\n');
    chmodSync(odd, 0o604);
    writeFileSync(join(dir, 'empty'), '');
    writeFileSync(join(dir, 'edge'), 'x'.repeat(65_536));
    writeFileSync(join(dir, 'large'), 'x'.repeat(65_537));
    symlinkSync(odd, join(dir, 'link'));
    const paths = [
      odd,
      join(dir, 'none/such'),
      dir,
      join(dir, 'link'),
      join(dir, 'empty'),
      join(dir, 'edge'),
      join(dir, 'large'),
    ];
    const ran = sh(readFilesCommand(paths));
    const records = parseFileRecords(ran.stdout, paths.length);
    const file = {
      kind: 'file',
      mode: '0604',
      owner: owner(dir),
      sizeBytes: 6,
      sha256: sha256('a = 1\n'),
      content: Buffer.from('a = 1\n'),
    };
    expect(ran.stderr).toBe('');
    expect(records?.slice(0, 4)).toEqual([file, { kind: 'absent' }, { kind: 'not-a-file' }, file]);
    expect(records?.[4]).toMatchObject({ sizeBytes: 0, sha256: sha256(''), content: Buffer.alloc(0) });
    expect(records?.[5]).toMatchObject({ sizeBytes: 65_536, content: Buffer.from('x'.repeat(65_536)) });
    expect(records?.[6]).toMatchObject({ sizeBytes: 65_537, sha256: sha256('x'.repeat(65_537)), content: null });
  });

  test.runIf(isRoot)('a file that may not be read is denied, never absent (as another account)', () => {
    chmodSync(dir, 0o755);
    mkdirSync(join(dir, 'shut'));
    writeFileSync(join(dir, 'shut/inside'), 'x');
    chmodSync(join(dir, 'shut'), 0o700);
    writeFileSync(join(dir, 'secret'), 'x');
    chmodSync(join(dir, 'secret'), 0o600);
    const paths = [join(dir, 'shut/inside'), join(dir, 'shut/deeper/still'), join(dir, 'secret'), join(dir, 'gone')];
    const ran = spawnSync('/bin/sh', ['-c', readFilesCommand(paths)], { uid: 65_534, gid: 65_534, encoding: 'utf8' });
    expect(parseFileRecords(ran.stdout, 4)?.map((record) => record.kind)).toEqual([
      'denied',
      'denied',
      'denied',
      'absent',
    ]);
  });

  test.each([
    '',
    '0 absent\n1 absent\n',
    '1 absent\n',
    '0 0644 root:root 5 zz aGVsbG8=\n',
    '0 0644 root:root 5\n',
    'Welcome!\n0 absent\n',
  ])('an answer that does not fit is no answer: %j', (stdout) => {
    expect(parseFileRecords(stdout, 1)).toBeNull();
  });
});

describe('writing', () => {
  test('content, mode and a backup; a second write keeps the first former content', () => {
    const path = join(dir, "app 'x'.conf");
    writeFileSync(path, 'old');
    chmodSync(path, 0o600);
    expect(write(path, 'new $HOME\n')).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(readFileSync(path, 'utf8')).toBe('new $HOME\n');
    expect(statSync(path).mode & 0o7777).toBe(0o640);
    expect(write(path, 'newer').code).toBe(0);
    expect(readFileSync(join(dir, 'keep/app'), 'utf8')).toBe('old');
    expect(statSync(join(dir, 'keep')).mode & 0o077).toBe(0);
    expect(readdirSync(dir).toSorted()).toEqual(["app 'x'.conf", 'keep']);
  });

  test('restoring is the same once and twice: content, mode and time as before', () => {
    const path = join(dir, 'app.conf');
    writeFileSync(path, 'old');
    chmodSync(path, 0o604);
    const before = statSync(path);
    write(path, 'new');
    for (const _ of [1, 2]) {
      const ran = sh(restoreFileCommand({ path, backup: join(dir, 'keep/app') }));
      expect([ran.code, parseRestored(ran.stdout)]).toEqual([0, 'restored']);
      expect(readFileSync(path, 'utf8')).toBe('old');
      expect(statSync(path)).toMatchObject({ mode: before.mode, mtimeMs: before.mtimeMs });
    }
  });

  test('a file that was not there is removed again, and what was never written is left alone', () => {
    const path = join(dir, 'fresh.conf');
    const backup = join(dir, 'keep/app');
    expect(parseRestored(sh(restoreFileCommand({ path, backup })).stdout)).toBe('untouched');
    write(path, 'new');
    write(path, 'newer');
    for (const _ of [1, 2]) {
      expect(parseRestored(sh(restoreFileCommand({ path, backup })).stdout)).toBe('removed');
      expect(existsSync(path)).toBe(false);
    }
  });

  test('a link stays a link: what it points at is written', () => {
    writeFileSync(join(dir, 'real.conf'), 'old');
    symlinkSync('real.conf', join(dir, 'link.conf'));
    expect(write(join(dir, 'link.conf'), 'new').code).toBe(0);
    expect(readFileSync(join(dir, 'real.conf'), 'utf8')).toBe('new');
    sh(restoreFileCommand({ path: join(dir, 'link.conf'), backup: join(dir, 'keep/app') }));
    expect(readFileSync(join(dir, 'real.conf'), 'utf8')).toBe('old');
  });

  test('content cut short by a lost connection changes nothing', () => {
    const path = join(dir, 'app.conf');
    writeFileSync(path, 'old');
    const ran = write(path, 'half of th', { sha256: sha256('half of the content') });
    expect(ran.code).toBe(FILE_EXIT.cutShort);
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(readdirSync(dir)).toEqual(['app.conf']);
  });

  test('a directory in its place, an owner that is unknown: refused, nothing left behind', () => {
    mkdirSync(join(dir, 'there'));
    expect(write(join(dir, 'there'), 'x').code).toBe(FILE_EXIT.notAFile);
    const ran = write(join(dir, 'app.conf'), 'x', { owner: 'no-such-user:no-such-group' });
    expect(ran.code).not.toBe(0);
    expect(ran.stderr).toContain('no-such-user');
    expect(readdirSync(dir)).toEqual(['there']);
  });

  test.runIf(isRoot)(
    'sets the owner, by name or number, before the file can be seen; another account is denied',
    () => {
      const path = join(dir, 'app.conf');
      expect(write(path, 'x', { owner: 'nobody:nogroup' }).code).toBe(0);
      expect(owner(path)).toBe('nobody:nogroup');
      expect(write(path, 'x', { owner: '65534:0' }).code).toBe(0);
      expect(statSync(path)).toMatchObject({ uid: 65_534, gid: 0 });
      chmodSync(dir, 0o755);
      const command = writeFileCommand({
        path,
        mode: '0644',
        owner: 'nobody:nogroup',
        backup: join(dir, 'keep2/app'),
        sha256: sha256('y'),
      });
      expect(spawnSync('/bin/sh', ['-c', command], { uid: 65_534, gid: 65_534, input: 'y' }).status).toBe(
        FILE_EXIT.denied,
      );
      chownSync(dir, 65_534, 65_534);
      expect(spawnSync('/bin/sh', ['-c', command], { uid: 65_534, gid: 65_534, input: 'y' }).status).toBe(0);
      expect(readFileSync(path, 'utf8')).toBe('y');
    },
  );

  const canMount = spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;
  test.runIf(canMount)('a full disk leaves the file as it was, and no litter', () => {
    const path = '/mnt/app.conf';
    const big = 'y'.repeat(200_000);
    const command = writeFileCommand({
      path,
      mode: '0644',
      owner: 'root:root',
      backup: '/mnt/keep/app',
      sha256: sha256(big),
    });
    const script = `mount -t tmpfs -o size=64k tmpfs /mnt && echo old > ${path} && { ${command}; echo "code $?"; cat ${path}; ls -A /mnt; }`;
    const ran = spawnSync('unshare', ['-rm', '/bin/sh', '-c', script], { input: big, encoding: 'utf8' });
    expect(ran.stdout).toBe(`code ${FILE_EXIT.full}\nold\napp.conf\n`);
    expect(ran.stderr).toContain('No space left');
  });

  test('killed at any moment, the path holds the old content or the new one, whole', async () => {
    const path = join(dir, 'app.conf');
    const [before, after] = ['o'.repeat(300_000), 'n'.repeat(300_000)];
    const seen = new Set<string>();
    for (const delayMs of [0, 1, 2, 4, 8, 16]) {
      writeFileSync(path, before);
      const child = spawn(
        '/bin/sh',
        [
          '-c',
          writeFileCommand({
            path,
            mode: '0644',
            owner: owner(dir),
            backup: join(dir, `keep${delayMs}`),
            sha256: sha256(after),
          }),
        ],
        { detached: true },
      );
      child.stdin.on('error', () => undefined);
      child.stdin.end(after);
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      const gone = new Promise((resolve) => child.once('close', resolve));
      try {
        process.kill(-(child.pid ?? Number.NaN), 'SIGKILL');
      } catch {
        // It had ended already.
      }
      await gone;
      const content = readFileSync(path, 'utf8');
      expect([before, after]).toContain(content);
      seen.add(content);
      const backup = join(dir, `keep${delayMs}`);
      expect(existsSync(backup) ? readFileSync(backup, 'utf8') : before).toBe(before);
    }
    expect(seen.has(before)).toBe(true);
  });
});
