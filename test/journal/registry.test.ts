import { spawn } from 'node:child_process';
import { statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { openRegistry } from '../../src/journal/index.ts';
import { failureOf, folder } from './folder.ts';

test('a run claims all its servers or none, and is told who holds the others', async () => {
  const registry = await openRegistry(join(folder(), 'neap'));
  expect(await registry.claim('one', ['api-1', 'api-2', 'api-2'], 'ada', 1000.5)).toStrictEqual({
    granted: true,
    epoch: 1,
  });
  const refused = await registry.claim('two', ['api-3', 'api-2'], 'ben', 2000);
  expect(refused).toEqual({
    granted: false,
    conflicts: [{ run: 'one', server: 'api-2', epoch: 1, sinceMs: 1000.5, by: 'ada' }],
  });
  expect((await registry.claims()).map(({ run, server }) => [run, server])).toStrictEqual([
    ['one', 'api-1'],
    ['one', 'api-2'],
  ]);
  expect(await registry.epoch('two')).toBe(null);
  await registry.release('one');
  expect(await registry.claim('two', ['api-3', 'api-2'], 'ben', 2000)).toStrictEqual({ granted: true, epoch: 2 });
  await expect(registry.claim('three', [], 'ada', 1)).rejects.toThrow('an empty selection is never "all"');
});

test('a run that claims again has a higher epoch than anybody before, and only what it named last', async () => {
  const directory = join(folder(), 'neap');
  const registry = await openRegistry(directory);
  await registry.claim('one', ['api-1', 'api-2'], 'ada', 1);
  await registry.claim('other', ['db-1'], 'ada', 1);
  expect(await (await openRegistry(directory)).claim('one', ['api-1'], 'ben', 2)).toStrictEqual({
    granted: true,
    epoch: 3,
  });
  expect(await registry.epoch('one')).toBe(3);
  expect(await registry.epoch('other')).toBe(2);
  await registry.release('one');
  expect(await registry.epoch('one')).toBe(null);
  expect(await registry.claim('one', ['api-1'], 'ada', 3)).toStrictEqual({ granted: true, epoch: 4 });
});

test('several processes at once never hold a server together, and no epoch is given twice', async () => {
  const directory = join(folder(), 'neap');
  const claimer = join(import.meta.dirname, 'children', 'claimer.ts');
  const outputs = await Promise.all(
    ['a', 'b', 'c'].map((run) =>
      text(spawn(process.execPath, [claimer, directory, run, '15'], { stdio: ['ignore', 'pipe', 'inherit'] }).stdout),
    ),
  );
  const granted = outputs.flatMap((output) => JSON.parse(output) as { epoch: number; alone: boolean }[]);
  expect(granted.length).toBeGreaterThan(0);
  expect(granted.filter(({ alone }) => !alone)).toStrictEqual([]);
  expect(granted.map(({ epoch }) => epoch).sort((a, b) => a - b)).toStrictEqual(granted.map((_, n) => n + 1));
  expect(await (await openRegistry(directory)).claims()).toStrictEqual([]);
});

test('who waits for a busy registry does not stop the event loop', async () => {
  const directory = join(folder(), 'neap');
  const registry = await openRegistry(directory);
  const holder = new DatabaseSync(join(directory, 'registry.db'));
  holder.exec('BEGIN IMMEDIATE');
  const claimed = registry.claim('one', ['api-1'], 'ada', 1);
  let turns = 0;
  while (turns < 20) turns = await new Promise((resolve) => setImmediate(() => resolve(turns + 1)));
  holder.exec('COMMIT');
  holder.close();
  expect(await claimed).toStrictEqual({ granted: true, epoch: 1 });
});

test('its file is for its owner only; a link or a strange database is refused', async () => {
  const directory = join(folder(), 'neap');
  await openRegistry(directory);
  expect(
    [directory, join(directory, 'registry.db')].map((path) => (statSync(path).mode & 0o777).toString(8)),
  ).toStrictEqual(['700', '600']);
  const second = folder();
  symlinkSync(join(directory, 'registry.db'), join(second, 'registry.db'));
  expect((await failureOf(openRegistry(second))).reason).toBe('unsafe-place');
  const raw = new DatabaseSync(join(directory, 'registry.db'));
  raw.exec('PRAGMA application_id = 7');
  raw.close();
  expect((await failureOf(openRegistry(directory))).reason).toBe('damaged');
});

test('ten thousand servers are claimed in one go', async () => {
  const registry = await openRegistry(join(folder(), 'neap'));
  const servers = Array.from({ length: 10_000 }, (_, n) => `api-${n}`);
  expect(await registry.claim('one', servers, 'ada', 1)).toStrictEqual({ granted: true, epoch: 1 });
  const refused = await registry.claim('two', ['api-9999'], 'ben', 1);
  expect(refused.granted).toBe(false);
});
