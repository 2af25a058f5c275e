import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createJournal, openJournal, readJournal, verifyChain } from '../../src/journal/index.ts';
import type { JournalRow } from '../../src/ports/index.ts';
import { events, failureOf, folder } from './folder.ts';

const WRITER = join(import.meta.dirname, 'children', 'writer.ts');

/** Numbers that the child printed before it died. */
async function acknowledgedBy(child: ChildProcess, killAfter: number): Promise<number[]> {
  onTestFinished(() => void child.kill('SIGKILL'));
  let text = '';
  let lines = 0;
  child.stdout?.setEncoding('utf8');
  child.stdout?.on('data', (chunk: string) => {
    text += chunk;
    lines += chunk.split('\n').length - 1;
    if (lines >= killAfter) child.kill('SIGKILL');
  });
  await once(child, 'close');
  // A line that was cut in the middle was not said.
  return text.split('\n').slice(0, -1).map(Number);
}

const numbersOf = (rows: readonly JournalRow[]): number[] => rows.map(({ event }) => Number(event['n']));

test.each([
  { killAfter: 1, inFlight: 1 },
  { killAfter: 300, inFlight: 1 },
  { killAfter: 40, inFlight: 8 },
  { killAfter: 5_000, inFlight: 64 },
])(
  'SIGKILL after $killAfter events, $inFlight in flight: every acknowledged event is there, in order, and the journal goes on',
  async ({ killAfter, inFlight }) => {
    const path = join(folder(), 'run.db');
    const child = spawn(process.execPath, [WRITER, path, String(inFlight)], { stdio: ['ignore', 'pipe', 'inherit'] });
    const acknowledged = await acknowledgedBy(child, killAfter);
    expect(acknowledged.length).toBeGreaterThanOrEqual(killAfter);
    const rows = await readJournal(path);
    const present = new Set(numbersOf(rows));
    expect(acknowledged.filter((n) => !present.has(n))).toStrictEqual([]);
    expect(rows.length).toBeLessThanOrEqual(acknowledged.length + inFlight);
    expect(numbersOf(rows)).toStrictEqual(rows.map((_, n) => n));
    expect(verifyChain(rows).ok).toBe(true);

    const journal = await openJournal(path);
    expect([journal.epoch, journal.lastSeq, journal.reserved]).toStrictEqual([2, rows.length, true]);
    await journal.append(events(1));
    expect(await journal.read(1)).toHaveLength(rows.length + 1);
    await journal.close();
  },
);

/** No file of the child grows beyond this; Node ignores SIGXFSZ, so its writes fail instead. */
const FILE_LIMIT_BYTES = 6 * 1024 * 1024;

test.skipIf(process.platform === 'win32')(
  'after a write error all that waits and all that comes is rejected as unknown; opened again, every acknowledged event is there',
  async () => {
    const path = join(folder(), 'run.db');
    const { stdout } = spawnSync(
      'sh',
      ['-c', `ulimit -f ${FILE_LIMIT_BYTES / 512}; exec "$@"`, 'sh', process.execPath, WRITER, path, '4', '100000'],
      { encoding: 'utf8', timeout: 90_000 },
    );
    const lines = stdout.trimEnd().split('\n');
    expect(lines.at(-1)).toBe('failed outcome-unknown/lost later outcome-unknown/lost');
    const acknowledged = lines.slice(0, -1).map(Number);
    expect(acknowledged.length).toBeGreaterThan(10);
    expect(statSync(`${path}-reserve`).size).toBe(0);
    const journal = await openJournal(path);
    const present = new Set(numbersOf(await journal.read(1)));
    expect(acknowledged.filter((n) => !present.has(n))).toStrictEqual([]);
    // There is room again, so the reserve is too.
    expect(journal.reserved).toBe(true);
    await journal.append(events(1));
    await journal.close();
  },
);

/** A disk of 16 MiB, where this user may mount one. */
function smallDisk(): string | null {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return null;
  const path = join(folder(), 'disk');
  mkdirSync(path);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m,mode=0700', 'tmpfs', path], { stdio: 'ignore' });
  } catch {
    return null;
  }
  onTestFinished(() => void execFileSync('umount', ['-l', path]));
  return path;
}

test('on a full disk the reserve is given back, so that the way home can be recorded', async ({ skip }) => {
  const disk = smallDisk();
  if (disk === null) return skip('mounting a small disk needs root on Linux');
  const path = join(disk, 'run.db');
  const journal = await createJournal(path);
  expect(journal.reserved).toBe(true);
  await journal.append(events(10));
  let filled = 0;
  for (let bytes = 1024 * 1024; bytes >= 4096; bytes /= 2) {
    try {
      for (;;) writeFileSync(join(disk, `filler-${filled++}`), Buffer.alloc(bytes, 1));
    } catch {
      // No room for this size: go on with a smaller one.
    }
  }
  const [first, second] = await Promise.all([
    failureOf(journal.append(events(4_000))),
    failureOf(journal.append(events(1))),
  ]);
  expect([first.reason, first.failure.kind, second.reason]).toStrictEqual(['full', 'full', 'full']);
  expect(first.failure.remedy).toContain('`neap abort run`');

  const again = await openJournal(path);
  expect([again.lastSeq, again.reserved]).toStrictEqual([10, false]);
  // One a commit, as a slow way home writes them: with SQLite's own pace the log alone would fill what was kept.
  for (const event of events(4_000)) await again.append([event]);
  await again.close();
  expect(verifyChain(await readJournal(path)).ok).toBe(true);
});
