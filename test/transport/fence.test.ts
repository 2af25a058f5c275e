import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createWorld, february } from '../../src/herd/index.ts';
import { runCommand } from '../../src/lab/commands.ts';
import type { Fence, Ran } from '../../src/ports/index.ts';
import {
  fencedCommand,
  FenceRefused,
  FENCE_EXIT,
  GONE_MAX,
  parseFence,
  readFenceCommand,
  throwIfFenced,
  unfenceCommand,
} from '../../src/transport/index.ts';

// Each starts some twenty processes, and a machine can be busy.
vi.setConfig({ testTimeout: 180_000 });

/** The fence on a real shell and on the lab's model of a server: both must say the same. */

interface Place {
  readonly directory: string;
  readonly run: (command: string, stdin?: string) => Pick<Ran, 'code' | 'stdout' | 'stderr'>;
}

function here(shell = 'sh', env: NodeJS.ProcessEnv = process.env): Place {
  // In memory where there is such a place: what is flushed here need not survive.
  const directory = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'neap-fence-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return {
    directory,
    run: (command, stdin = '') => {
      const { status, stdout, stderr } = spawnSync(shell, ['-c', command], { input: stdin, encoding: 'utf8', env });
      return { code: status, stdout, stderr };
    },
  };
}

function inLab(): Place {
  const world = createWorld({ ...february, servers: [{ name: 'api-01', files: [] }] }, 7);
  const [server] = world.servers;
  if (server === undefined) throw new Error('a lab has servers');
  return { directory: '', run: (command, stdin = '') => runCommand(command, { world, server, user: 'neap', stdin }) };
}

function fence({ directory }: Pick<Place, 'directory'>, over: Partial<Fence> = {}): Fence {
  return {
    directory,
    become: false,
    waitMs: 1_000,
    run: '2026-11-21-aaaaaa',
    epoch: 3,
    token: 'one',
    sinceMs: 1_790_000_000_000,
    by: 'Ada Lovelace',
    host: 'bastion',
    ...over,
  };
}

function refusal(ran: Pick<Ran, 'code' | 'stdout' | 'stderr'>): FenceRefused | null {
  try {
    throwIfFenced('api-01', { ...ran, signal: null, truncated: false });
    return null;
  } catch (error) {
    if (error instanceof FenceRefused) return error;
    throw error;
  }
}

const other = '2026-11-21-bbbbbb';

describe.each([
  ['a POSIX shell', here],
  ['the lab', inLab],
] as const)('on %s', (_name, open) => {
  test('the first takes it, with its words; then its commands run, with their own input, output and exit', () => {
    const place = open();
    expect(parseFence(place.run(readFenceCommand(place.directory)).stdout)).toBe('absent');
    expect(place.run(fencedCommand(fence(place), 'echo done', false)).stdout).toBe('done\n');
    expect(place.run(fencedCommand(fence(place), 'false', false)).code).toBe(1);
    expect(place.run(fencedCommand(fence(place), `sh -c 'echo "neap: began" >&2\necho inner'`, true))).toMatchObject({
      stdout: 'inner\n',
      stderr: 'neap: began\n',
    });
    expect(parseFence(place.run(readFenceCommand(place.directory)).stdout)).toEqual({
      open: true,
      run: '2026-11-21-aaaaaa',
      epoch: 3,
      token: 'one',
      sinceMs: 1_790_000_000_000,
      by: 'Ada_Lovelace',
      host: 'bastion',
    });
  });

  test('another run is refused by the record, and told whose it is, where and since when', () => {
    const place = open();
    place.run(fencedCommand(fence(place), ':', false));
    const ran = place.run(fencedCommand(fence(place, { run: other, epoch: 99 }), 'echo done', false));
    expect(ran).toMatchObject({ code: FENCE_EXIT.held, stdout: '' });
    expect(refusal(ran)).toMatchObject({
      standing: 'other',
      record: { run: '2026-11-21-aaaaaa', by: 'Ada_Lovelace', host: 'bastion' },
      failure: { kind: 'denied', what: expect.stringContaining('since 2026-09-21T') as string },
    });
  });

  test('an engine with a lower epoch is refused, and so is one that was given the same by another store', () => {
    const place = open();
    place.run(fencedCommand(fence(place), ':', false));
    expect(place.run(fencedCommand(fence(place, { epoch: 4, token: 'two' }), 'echo done', false)).code).toBe(0);
    expect(refusal(place.run(fencedCommand(fence(place), 'echo done', false)))?.standing).toBe('stale');
    const twin = place.run(fencedCommand(fence(place, { epoch: 4, token: 'three' }), 'echo done', false));
    expect(twin.stdout).toBe('');
    expect(refusal(twin)?.standing).toBe('stale');
  });

  test('a stale engine releases nothing of its successor’s; released, others may have it, and the run never again', () => {
    const place = open();
    place.run(fencedCommand(fence(place), ':', false));
    place.run(fencedCommand(fence(place, { epoch: 4, token: 'two' }), ':', false));
    expect(place.run(unfenceCommand(fence(place), 'release')).stdout).toBe('not-held\n');
    expect(place.run(unfenceCommand(fence(place, { epoch: 4, token: 'two' }), 'release')).stdout).toBe('released\n');
    expect(place.run(fencedCommand(fence(place, { run: other, epoch: 1 }), 'echo done', false)).stdout).toBe('done\n');
    place.run(unfenceCommand(fence(place, { run: other, epoch: 1 }), 'release'));
    // Whatever was there since: it woke up too late.
    const late = place.run(fencedCommand(fence(place, { epoch: 9 }), 'echo done', false));
    expect(late.stdout).toBe('');
    expect(refusal(late)?.standing).toBe('gone');
  });

  test('a person ends a run whose engine is nowhere', () => {
    const place = open();
    place.run(fencedCommand(fence(place), ':', false));
    expect(place.run(unfenceCommand(fence(place, { run: other }), 'force')).stdout).toBe('not-held\n');
    expect(place.run(unfenceCommand(fence(place, { epoch: 0, token: 'x' }), 'force')).stdout).toBe('released\n');
    expect(refusal(place.run(fencedCommand(fence(place), 'echo done', false)))?.standing).toBe('gone');
  });
});

describe('on a POSIX shell', () => {
  test('standard input reaches the command, whatever shell it is', () => {
    for (const shell of ['sh', 'bash'].filter((name) => existsSync(`/bin/${name}`))) {
      const place = here(shell);
      expect(place.run(fencedCommand(fence(place), `cat; echo "it's $((1+1))"`, false), 'input\n').stdout).toBe(
        "input\nit's 2\n",
      );
    }
  });

  test('a record that cannot be read lets nobody through until a person replaces it', () => {
    const place = here();
    const file = join(place.directory, `fence.${hostname()}`);
    for (const text of [
      '',
      'open',
      'open run 99999999999999999999 t 1 a b gone',
      '\u001B[2J$(touch /tmp/owned)\n'.repeat(40_000),
    ]) {
      writeFileSync(file, text);
      const ran = place.run(fencedCommand(fence(place), 'echo done', false));
      expect(ran).toMatchObject({ code: FENCE_EXIT.broken, stdout: '' });
      expect(refusal(ran)?.failure.what).not.toContain('\u001B');
      expect(place.run(unfenceCommand(fence(place, { run: other }), 'force')).stdout).toBe('released\n');
      expect(place.run(fencedCommand(fence(place), 'echo done', false)).stdout).toBe('done\n');
    }
  });

  test('of ended runs the last fifty are remembered', () => {
    const place = here();
    const gone = Array.from({ length: GONE_MAX + 5 }, (_, n) => `run-${n}`);
    writeFileSync(
      join(place.directory, `fence.${hostname()}`),
      `released run-54 1 one 1790000000000 ada bastion gone ${gone.join(' ')}\n`,
    );
    expect(refusal(place.run(fencedCommand(fence(place, { run: 'run-7' }), ':', false)))?.standing).toBe('gone');
    expect(place.run(fencedCommand(fence(place, { run: 'run-2' }), 'echo done', false)).stdout).toBe('done\n');
    expect(place.run(readFenceCommand(place.directory)).stdout.split(' ')).toHaveLength(8 + GONE_MAX);
  });

  test('where no record can be kept nothing is run', () => {
    const place = here();
    writeFileSync(join(place.directory, 'file'), '');
    const ran = place.run(fencedCommand(fence({ directory: join(place.directory, 'file') }), 'echo done', false));
    expect(ran).toMatchObject({ code: FENCE_EXIT.broken, stdout: '' });
    expect(refusal(ran)?.failure).toMatchObject({
      kind: 'denied',
      what: expect.stringContaining('cannot be kept') as string,
    });
  });

  test('whoever takes over waits for a command that is under way, and is told when it does not end', async () => {
    const place = here();
    place.run(fencedCommand(fence(place), ':', false));
    const [go, ended] = ['go', 'ended'].map((name) => join(place.directory, name));
    const command = `echo begun; until [ -e ${go} ]; do sleep 0.05; done; : > ${ended}`;
    const long = spawn('sh', ['-c', fencedCommand(fence(place), command, false)]);
    await new Promise((resolve) => long.stdout.once('data', resolve));
    const next = fence(place, { epoch: 4, token: 'two' });
    expect(refusal(place.run(fencedCommand({ ...next, waitMs: 0 }, 'echo done', false)))?.standing).toBe('busy');
    spawn('sh', ['-c', `sleep 0.3; : > ${go}`]);
    const waiting = fencedCommand({ ...next, waitMs: 15_000 }, `[ -e ${ended} ] && echo after`, false);
    expect(place.run(waiting).stdout).toBe('after\n');
  });

  test('a child that the command leaves behind holds nobody up', () => {
    const place = here();
    place.run(fencedCommand(fence(place), 'sleep 2 >/dev/null 2>&1 &', false));
    expect(place.run(fencedCommand(fence(place, { epoch: 4, token: 'two' }), 'echo done', false)).stdout).toBe(
      'done\n',
    );
  });

  test('without flock it still keeps others out', () => {
    const bin = mkdtempSync(join(tmpdir(), 'neap-bin-'));
    onTestFinished(() => rmSync(bin, { recursive: true, force: true }));
    for (const name of ['sh', 'uname', 'head', 'mkdir', 'mktemp', 'chmod', 'sync', 'mv', 'rm', 'dirname']) {
      const path = [`/bin/${name}`, `/usr/bin/${name}`].find((each) => existsSync(each));
      if (path !== undefined) symlinkSync(path, join(bin, name));
    }
    const place = here('/bin/sh', { HOME: bin, PATH: bin, SHELL: '/bin/sh' });
    expect(place.run(fencedCommand(fence(place), 'echo done', false))).toMatchObject({ code: 0, stdout: 'done\n' });
    expect(refusal(place.run(fencedCommand(fence(place, { run: other }), 'echo done', false)))?.standing).toBe('other');
  });

  test('many at once: one run has it, and the record is whole', async () => {
    const place = here();
    const exits = await Promise.all(
      Array.from(
        { length: 8 },
        (_, n) =>
          new Promise<number | null>((resolve) => {
            const words = fencedCommand(fence(place, { run: `run-${n}`, waitMs: 10_000 }), 'sleep 0.05', false);
            spawn('sh', ['-c', words], { stdio: 'ignore' }).once('close', resolve);
          }),
      ),
    );
    expect(exits.filter((code) => code === 0)).toHaveLength(1);
    expect(exits.filter((code) => code === FENCE_EXIT.held)).toHaveLength(7);
    const record = parseFence(readFileSync(join(place.directory, `fence.${hostname()}`), 'utf8'));
    expect(record).toMatchObject({ run: `run-${exits.indexOf(0)}` });
    expect(readdirSync(place.directory).filter((name) => name.startsWith('.fence'))).toEqual([]);
  });

  test('a command that ends with one of its exits by itself is a command that failed', () => {
    const place = here();
    expect(refusal(place.run(fencedCommand(fence(place), `exit ${FENCE_EXIT.held}`, false)))).toBe(null);
  });
});
