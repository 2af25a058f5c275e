import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { createJournal, openJournal, readJournal, verifyChain } from '../../src/journal/index.ts';
import { canonicalJson, sha256Hex } from '../../src/plan/index.ts';
import { events, failureOf, folder } from './folder.ts';

test('what was appended is read back in order, by the owner and after it', async () => {
  const path = join(folder(), 'run.db');
  const journal = await createJournal(path);
  const given = events(12);
  const [first, rest] = await Promise.all([journal.append(given.slice(0, 1)), journal.append(given.slice(1))]);
  expect(first.concat(rest).map(({ atMs, event }) => ({ atMs, event }))).toStrictEqual(given);
  expect(await journal.read(1)).toStrictEqual([...first, ...rest]);
  expect(await journal.read(11)).toStrictEqual(rest.slice(-2));
  expect(await journal.append([])).toStrictEqual([]);
  await journal.close();
  expect(await readJournal(path)).toStrictEqual([...first, ...rest]);
  expect(readdirSync(join(path, '..')).filter((name) => !/-(shm|wal)$/.test(name))).toStrictEqual(['run.db']);
});

test('the hash is SHA-256 over the canonical JSON of the row, each following the one before', async () => {
  const journal = await createJournal(join(folder(), 'run.db'));
  const rows = await journal.append([
    ...events(3),
    { atMs: 7, event: { z: 'ü\u2028\ud800', a: [1.5, null, { b: true, 'a"': -0 }] } },
  ]);
  let prev = '0'.repeat(64);
  for (const { hash, ...covered } of rows) {
    expect(covered.prev).toBe(prev);
    expect(hash).toBe(sha256Hex(canonicalJson(covered)));
    prev = hash;
  }
  expect(verifyChain(rows)).toStrictEqual({ ok: true, head: prev });
  await journal.close();
});

test('each owner has a higher epoch, also one that wrote nothing, and goes on with the chain', async () => {
  const path = join(folder(), 'run.db');
  const one = await createJournal(path);
  expect({ epoch: one.epoch, lastSeq: one.lastSeq, head: one.head, reserved: one.reserved }).toStrictEqual({
    epoch: 1,
    lastSeq: 0,
    head: '0'.repeat(64),
    reserved: true,
  });
  await one.append(events(2));
  await one.close();
  await (await openJournal(path)).close();
  const three = await openJournal(path);
  expect([three.epoch, three.lastSeq]).toStrictEqual([3, 2]);
  await three.append(events(1));
  const rows = await three.read(1);
  expect(rows.map(({ seq, epoch }) => [seq, epoch])).toStrictEqual([
    [1, 1],
    [2, 1],
    [3, 3],
  ]);
  expect(verifyChain(rows).ok).toBe(true);
  await three.close();
});

test('appends that arrive during a commit are committed together', async () => {
  const path = join(folder(), 'run.db');
  const journal = await createJournal(path);
  const counted = await Promise.all(Array.from({ length: 500 }, (_, n) => journal.append([{ atMs: n, event: { n } }])));
  expect(counted.map(([row]) => row?.seq)).toStrictEqual(Array.from({ length: 500 }, (_, n) => n + 1));
  // Each commit is one more frame marked as the end of a transaction in the write-ahead log.
  expect(commitsIn(`${path}-wal`)).toBeLessThan(10);
  await journal.close();
});

test('an event that is not JSON is refused, and the journal goes on', async () => {
  const journal = await createJournal(join(folder(), 'run.db'));
  await expect(
    journal.append([
      { atMs: 1, event: { ok: true } },
      { atMs: 1, event: { at: new Date() as never } },
    ]),
  ).rejects.toThrow('$.at: an object of a class');
  await expect(journal.append([{ atMs: Number.NaN, event: {} }])).rejects.toThrow(TypeError);
  await expect(journal.append([{ atMs: 1, event: { text: 'x'.repeat(1024 * 1024) } }])).rejects.toThrow(RangeError);
  expect((await journal.append(events(1)))[0]?.seq).toBe(1);
  await journal.close();
});

test('closing waits for what was appended; afterwards everything is refused', async () => {
  const path = join(folder(), 'run.db');
  const journal = await createJournal(path);
  const appended = journal.append(events(100));
  await Promise.all([journal.close(), journal.close()]);
  expect(await appended).toHaveLength(100);
  expect((await failureOf(journal.append(events(1)))).reason).toBe('closed');
  expect((await failureOf(journal.read(1))).reason).toBe('closed');
  expect(await readJournal(path)).toHaveLength(100);
});

test('a second opener is told who holds it', async () => {
  const path = join(folder(), 'upgrade-1.db');
  const journal = await createJournal(path);
  await journal.append(events(1));
  const refusals = await Promise.all(
    [openJournal(path), readJournal(path), createJournal(path, { run: 'named' })].map(failureOf),
  );
  expect(refusals.map(({ reason }) => reason)).toStrictEqual(['in-use', 'in-use', 'in-use']);
  const held = process.platform === 'linux' ? `process ${process.pid}` : 'another process';
  expect(refusals[0]?.message).toBe(
    `${path}: it is held by ${held}. Nothing was written. Ask who holds it by \`neap status upgrade-1\`, or look on by \`neap attach upgrade-1\``,
  );
  expect(refusals[2]?.failure.remedy).toContain('`neap status named`');
  expect(await journal.append(events(1))).toHaveLength(1);
  await journal.close();
  expect((await failureOf(createJournal(path))).reason).toBe('exists');
});

test('file and directory are for their owner only, and anything looser is refused', async () => {
  const directory = join(folder(), 'runs', 'deep');
  const path = join(directory, 'run.db');
  const journal = await createJournal(path);
  await journal.append(events(1));
  expect((statSync(directory).mode & 0o777).toString(8)).toBe('700');
  for (const name of readdirSync(directory))
    expect([name, (statSync(join(directory, name)).mode & 0o777).toString(8)]).toStrictEqual([name, '600']);
  await journal.close();
  chmodSync(path, 0o640);
  expect((await failureOf(openJournal(path))).failure.what).toBe('others may use it (mode 0640)');
  chmodSync(path, 0o600);
  chmodSync(directory, 0o750);
  expect((await failureOf(readJournal(path))).reason).toBe('unsafe-place');
});

test('symbolic and hard links are refused, of the file, its companions and its directory', async () => {
  const directory = folder();
  const path = join(directory, 'run.db');
  await (await createJournal(path)).close();
  symlinkSync(path, join(directory, 'link.db'));
  symlinkSync(directory, join(directory, 'loop'));
  await (await createJournal(join(directory, 'other.db'))).close();
  symlinkSync('/etc/passwd', join(directory, 'other.db-wal'));
  symlinkSync('/etc/passwd', join(directory, 'new.db-reserve'));
  for (const bad of ['link.db', 'loop/run.db', 'other.db']) {
    expect([bad, (await failureOf(createJournal(join(directory, bad)))).reason]).toStrictEqual([bad, 'unsafe-place']);
    expect([bad, (await failureOf(openJournal(join(directory, bad)))).reason]).toStrictEqual([bad, 'unsafe-place']);
  }
  expect((await failureOf(createJournal(join(directory, 'new.db')))).reason).toBe('unsafe-place');
  expect(existsSync(join(directory, 'new.db'))).toBe(false);
  linkSync(path, join(directory, 'second.db'));
  expect((await failureOf(openJournal(path))).failure.what).toContain('a second name');
});

test('what is not a journal is refused and left as it is', async () => {
  const directory = folder();
  expect((await failureOf(openJournal(join(directory, 'none.db')))).reason).toBe('missing');
  expect((await failureOf(readJournal(join(directory, 'none', 'none.db')))).reason).toBe('missing');
  expect(existsSync(join(directory, 'none'))).toBe(false);
  writeFileSync(join(directory, 'text.db'), 'not a database, but long enough to be taken for one'.repeat(50), {
    mode: 0o600,
  });
  expect((await failureOf(openJournal(join(directory, 'text.db')))).reason).toBe('damaged');
  const other = new DatabaseSync(join(directory, 'other.db'));
  other.exec('CREATE TABLE mine (x)');
  other.close();
  chmodSync(join(directory, 'other.db'), 0o600);
  const before = statSync(join(directory, 'other.db')).mtimeMs;
  for (const attempt of [openJournal, readJournal])
    expect((await failureOf(attempt(join(directory, 'other.db')))).reason).toBe('damaged');
  expect(statSync(join(directory, 'other.db')).mtimeMs).toBe(before);
  writeFileSync(join(directory, 'cut-short.db'), '', { mode: 0o600 });
  expect((await failureOf(openJournal(join(directory, 'cut-short.db')))).reason).toBe('damaged');
  // What a creation leaves that is cut short stands in nobody's way.
  writeFileSync(join(directory, 'begun.db-new'), 'half a database', { mode: 0o600 });
  await (await createJournal(join(directory, 'begun.db'))).close();
  mkdirSync(join(directory, 'folder.db'), { mode: 0o700 });
  expect((await failureOf(openJournal(join(directory, 'folder.db')))).reason).toBe('unsafe-place');
});

test('a journal of a newer format is refused by name', async () => {
  const path = join(folder(), 'run.db');
  await (await createJournal(path)).close();
  const raw = new DatabaseSync(path);
  raw.exec('PRAGMA user_version = 2');
  raw.close();
  const { reason, failure } = await failureOf(openJournal(path));
  expect([reason, failure.what]).toStrictEqual(['unsupported', 'the journal has format 2, this neap knows 1']);
});

/** Frames of a write-ahead log that end a transaction (https://sqlite.org/fileformat2.html#walformat). */
function commitsIn(path: string): number {
  const log = readFileSync(path);
  const frame = 24 + log.readUInt32BE(8);
  let commits = 0;
  for (let at = 32; at + frame <= log.length; at += frame) if (log.readUInt32BE(at + 4) !== 0) commits += 1;
  return commits;
}
