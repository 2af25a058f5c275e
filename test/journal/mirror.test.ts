import { appendFileSync, mkdirSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  createJournal,
  directoryMirror,
  mirrorPlace,
  openJournal,
  openMirror,
  readJournal,
  readMirrorRows,
  restoreJournal,
  shellMirror,
  type Mirror,
  type MirrorStore,
  type OwnedJournal,
} from '../../src/journal/index.ts';
import { events, folder } from './folder.ts';
import { localShell } from './local-shell.ts';

interface Supplied {
  readonly journal: OwnedJournal;
  readonly mirror: Mirror;
  /** What it told of itself, in order. */
  readonly said: readonly string[];
  /** Appends so many events, and offers them. */
  readonly write: (count: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Where retries are waited for, ten times as fast as a run: elsewhere a busy machine keeps the time that a mirror has. */
const QUICK = 10;

async function supplied(
  store: MirrorStore,
  journal: OwnedJournal,
  { standing = 'current', speed = 1 }: { readonly standing?: 'current' | 'behind'; readonly speed?: number } = {},
): Promise<Supplied> {
  const said: string[] = [];
  const after = (ms: number, call: () => void): (() => void) => {
    const timer = setTimeout(call, ms / speed);
    return () => clearTimeout(timer);
  };
  const mirror = openMirror({
    run: 'r',
    store,
    plan: '{"a plan":"ä"}\n',
    order: '{}\n',
    read: (fromSeq, count) => journal.read(fromSeq, count),
    lastSeq: journal.lastSeq,
    standing,
    onStanding: (stands, seen) => said.push(`${stands}: ${seen}`),
    after,
  });
  let open = true;
  const close = async (): Promise<void> => {
    if (!open) return;
    open = false;
    await mirror.close(5_000);
    await journal.close();
  };
  onTestFinished(close);
  const write = async (count: number): Promise<void> => mirror.offer(await journal.append(events(count)));
  return { journal, mirror, said, write, close };
}

const newJournal = (): Promise<OwnedJournal> => createJournal(join(folder(), 'run.db'));

async function until(holds: () => boolean): Promise<void> {
  const untilMs = performance.now() + 10_000;
  while (!holds()) {
    if (performance.now() > untilMs) throw new Error('it never came to that');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const stores: readonly [string, (root: string) => MirrorStore][] = [
  ['a directory', (root) => directoryMirror(root, null)],
  ['a shell elsewhere', (root) => shellMirror('ssh:vault:/srv', root, localShell())],
];

describe.each(stores)('a mirror in %s', (_, storeAt) => {
  const rowsIn = (root: string): string => readFileSync(join(root, 'r', 'rows.ndjson'), 'utf8');

  test('has every row, in order, and what is needed to go on', async () => {
    const root = folder();
    const { journal, mirror, write, said } = await supplied(storeAt(root), await newJournal());
    await write(3);
    await Promise.all([write(200), write(1)]);
    expect(await mirror.holds(204)).toBe(true);
    const read = readMirrorRows(rowsIn(root));
    expect(read).toMatchObject({ ok: true, torn: false, rows: await journal.read(1) });
    expect(await storeAt(root).read('r', 'plan.json')).toBe('{"a plan":"ä"}\n');
    expect(await storeAt(root).read('r', 'rows.ndjson')).toBe(rowsIn(root));
    expect(await storeAt(root).runs()).toStrictEqual(['r']);
    expect(said).toStrictEqual([]);
    expect(statSync(join(root, 'r', 'rows.ndjson')).mode & 0o077).toBe(0);
  });

  test('a torn last line is taken off, and the rest goes on behind the last whole one', async () => {
    const root = folder();
    const path = join(folder(), 'run.db');
    const first = await supplied(storeAt(root), await createJournal(path));
    await first.write(5);
    await first.mirror.holds(5);
    await first.close();
    const whole = rowsIn(root);
    truncateSync(join(root, 'r', 'rows.ndjson'), whole.length - 30);
    const again = await supplied(storeAt(root), await openJournal(path), { standing: 'behind' });
    await again.write(2);
    expect(await again.mirror.holds(7)).toBe(true);
    await until(() => again.said.length > 0);
    expect(again.said).toStrictEqual([expect.stringMatching(/^current: /)]);
    expect(readMirrorRows(rowsIn(root))).toMatchObject({ ok: true, rows: { length: 7 }, torn: false });
  });

  test('what another engine wrote there is left alone, and said', async () => {
    const root = folder();
    const { mirror, write, said } = await supplied(storeAt(root), await newJournal());
    await write(2);
    await mirror.holds(2);
    const other = await supplied(storeAt(root), await newJournal());
    await other.write(1);
    expect(await other.mirror.holds(1)).toBe(false);
    expect(other.said[0]).toMatch(/behind: .*(more than this journal|not the beginning)/);
    const before = rowsIn(root);
    appendFileSync(join(root, 'r', 'rows.ndjson'), '{"somebody":"else"}\n');
    await write(1);
    expect(await mirror.holds(3)).toBe(false);
    await until(() => said.length > 0);
    expect(said[0]).toMatch(/somebody else wrote|more than this journal|not the beginning/);
    expect(rowsIn(root)).toBe(`${before}{"somebody":"else"}\n`);
  });

  test('away, it is behind and says so once; back, it is given what it missed, out of the journal where that is long', async () => {
    const root = join(folder(), 'not-mounted');
    const { mirror, write, said } = await supplied(storeAt(root), await newJournal(), { speed: QUICK });
    await write(1);
    expect(await mirror.holds(1)).toBe(false);
    await write(6_000);
    expect(said).toStrictEqual([expect.stringMatching(/^behind: /)]);
    mkdirSync(root, { mode: 0o700 });
    await until(() => said.length === 2);
    expect(said[1]).toMatch(/^current: /);
    expect(await mirror.holds(6_001)).toBe(true);
    expect(readMirrorRows(rowsIn(root))).toMatchObject({ ok: true, rows: { length: 6_001 } });
  });
});

test("a directory on the journal's own filesystem is no mirror where another disk was promised", async () => {
  const root = folder();
  const { mirror, write, said } = await supplied(directoryMirror(root, root), await newJournal(), { speed: QUICK });
  await write(1);
  expect(await mirror.holds(1)).toBe(false);
  expect(said[0]).toMatch(/is its disk mounted\?/);
});

test('a connection that ends in the middle of a row leaves nothing of it behind', async () => {
  const root = folder();
  let cuts = 1;
  const shell = localShell();
  const cutting = shellMirror('ssh:vault:/srv', root, {
    ...shell,
    // The first rows come through by half, as a broken connection leaves them.
    run: (command, options) =>
      options.stdin !== undefined && command.includes('rows.ndjson\nbytes') && cuts-- > 0
        ? shell.run(command, { ...options, stdin: options.stdin.slice(0, 40) })
        : shell.run(command, options),
  });
  const { mirror, write, said } = await supplied(cutting, await newJournal(), { speed: QUICK });
  await write(3);
  await until(() => said.length === 2);
  expect(await mirror.holds(3)).toBe(true);
  expect(readMirrorRows(readFileSync(join(root, 'r', 'rows.ndjson'), 'utf8'))).toMatchObject({ ok: true, torn: false });
});

test('a journal is built from a mirror: the same rows, and its next owner has a higher epoch', async () => {
  const root = folder();
  const { journal, mirror, write, close } = await supplied(directoryMirror(root, null), await newJournal());
  await write(12);
  await mirror.holds(12);
  const rows = await journal.read(1);
  await close();
  const read = readMirrorRows(readFileSync(join(root, 'r', 'rows.ndjson'), 'utf8'));
  if (!read.ok) throw new Error(read.why);
  const path = join(folder(), 'run.db');
  await restoreJournal(path, read.rows);
  expect(await readJournal(path)).toStrictEqual(rows);
  const next = await openJournal(path);
  expect([next.epoch, next.lastSeq, next.head]).toStrictEqual([2, 12, rows.at(-1)?.hash]);
  await next.append(events(1));
  await next.close();
});

test('damage is told from a torn line, and the first bad event is named', async () => {
  const root = folder();
  const { mirror, write, close } = await supplied(directoryMirror(root, null), await newJournal());
  await write(4);
  await mirror.holds(4);
  await close();
  const text = readFileSync(join(root, 'r', 'rows.ndjson'), 'utf8');
  const lines = text.split('\n');
  expect(readMirrorRows(text.slice(0, -10))).toMatchObject({ ok: true, torn: true, rows: { length: 3 } });
  expect(readMirrorRows(text.replace('"n":1', '"n":7'))).toMatchObject({ ok: false, seq: 2 });
  expect(readMirrorRows(lines.toSpliced(1, 1).join('\n'))).toMatchObject({ ok: false, seq: 2 });
  expect(readMirrorRows(lines.with(2, '\0\0\0').join('\n'))).toMatchObject({ ok: false, seq: 3 });
});

test.each([
  ['dir:/mnt/vault', { to: 'dir', path: '/mnt/vault' }],
  ['ssh:vault:/srv/neap', { to: 'ssh', host: 'vault', path: '/srv/neap' }],
  ['ssh:neap@10.0.0.9:/srv', { to: 'ssh', host: 'neap@10.0.0.9', path: '/srv' }],
  ['dir:relative', null],
  ['ssh:-oProxyCommand=x:/srv', null],
  ['ssh:vault', null],
])('%s as a place', (word, place) => {
  expect(mirrorPlace(word)).toStrictEqual(place);
});
