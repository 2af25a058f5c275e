import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { reader } from './world.ts';

// Goal: what a local command may do to neap, and what its end says. Method: real processes.

const run = (words: readonly string[], timeoutMs = 5_000, cwd?: string) =>
  reader(cwd)({ guard: 'command', run: [...words], timeoutMs });
const script = (text: string, timeoutMs?: number) => run(['sh', '-c', text], timeoutMs);

test.each([
  ['exit 0', 'good', 'sh: exit 0'],
  ['echo all well', 'good', 'all well (exit 0)'],
  ['echo slow; echo more; exit 1', 'warn', 'slow (exit 1)'],
  ['echo broken >&2; exit 2', 'bad', 'broken (exit 2)'],
  ['exit 3', 'no-data', 'sh: exit 3'],
  ['exit 127', 'no-data', 'sh: exit 127'],
  ['kill -9 $$', 'no-data', 'sh: ended by SIGKILL'],
] as const)('%s is %s', async (text, sort, seen) => {
  expect(await script(text)).toEqual({ sort, seen });
});

test('a program that is not there is no data, and says so', async () => {
  expect(await run(['/no/such/program'])).toEqual({ sort: 'no-data', seen: expect.stringMatching(/ENOENT/) });
});

test('words are words: no shell reads them', async () => {
  const { seen } = await run(['printf', '%s', '$(id); `id` | * ; $HOME']);
  expect(seen).toBe('$(id); `id` | * ; $HOME (exit 0)');
});

test('it runs in the folder that it is given', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'neap-guard-'));
  expect((await run(['pwd'], 5_000, folder)).seen).toContain(folder);
  await rm(folder, { recursive: true });
});

test('too long: it is ended with all that it started, and is no data', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'neap-guard-'));
  const pidFile = join(folder, 'pid');
  const fromMs = Date.now();
  const reading = await script(`sleep 60 & echo $! > ${pidFile}; wait`, 300);
  expect(reading).toEqual({ sort: 'no-data', seen: 'sh: it did not end within 300 ms' });
  expect(Date.now() - fromMs).toBeLessThan(5_000);
  const pid = Number(await readFile(pidFile, 'utf8'));
  await expect.poll(() => isAlive(pid), { timeout: 20_000 }).toBe(false);
  await rm(folder, { recursive: true });
});

test('what it leaves running holds up nobody', async () => {
  const fromMs = Date.now();
  expect(await script('sleep 60 & echo done')).toEqual({ sort: 'good', seen: 'done (exit 0)' });
  expect(Date.now() - fromMs).toBeLessThan(4_000);
});

test('a flood is stopped, and is no data', async () => {
  expect(await run(['yes'])).toEqual({ sort: 'no-data', seen: expect.stringMatching(/printed more than/) });
});

test('what it prints is data: bounded, one line, no escapes', async () => {
  const { seen } = await script(String.raw`printf '\033[31mred\033[0m\007\n'; exit 2`);
  expect(seen).toBe('red (exit 2)');
  expect((await script('head -c 3000 /dev/zero | tr "\\0" x')).seen.length).toBeLessThanOrEqual(200);
});

/** One that nobody has waited for yet is dead all the same. */
function isAlive(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  return stdout.trim() !== '' && !stdout.startsWith('Z');
}
