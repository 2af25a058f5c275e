import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { connectEngine, socketPath } from '../../src/engine/socket.ts';

/** A folder for sockets as `prepare` leaves it. */
function folderFor(prepare: (folder: string) => void): string {
  const place = mkdtempSync(join(tmpdir(), 'neap-sockets-'));
  const before = process.env['XDG_RUNTIME_DIR'];
  process.env['XDG_RUNTIME_DIR'] = place;
  onTestFinished(() => {
    if (before === undefined) delete process.env['XDG_RUNTIME_DIR'];
    else process.env['XDG_RUNTIME_DIR'] = before;
    rmSync(place, { recursive: true, force: true });
  });
  const folder = join(place, `neap-${userInfo().uid}`);
  prepare(folder);
  return folder;
}

test('a run’s socket lies in a folder that only its user may enter', () => {
  const folder = folderFor(() => undefined);
  expect(socketPath('run')).toBe(join(folder, 'run.sock'));
});

test.each([
  ['a symbolic link', (folder: string) => symlinkSync(mkdtempSync(join(tmpdir(), 'neap-else-')), folder)],
  ['no directory', (folder: string) => writeFileSync(folder, '')],
  [
    'others may enter it',
    (folder: string) => {
      mkdirSync(folder);
      chmodSync(folder, 0o770);
    },
  ],
])('where it is %s nobody is spoken to, by the engine or by a view', async (why, prepare) => {
  const folder = folderFor(prepare);
  expect(() => socketPath('run')).toThrow(why === 'no directory' ? /EEXIST|no directory/ : why);
  await expect(connectEngine(join(folder, 'run.sock'), z.unknown(), () => undefined)).rejects.toThrow(why);
});

test.skipIf(process.getuid?.() !== 0)('where it belongs to another user, likewise', async () => {
  const { chownSync } = await import('node:fs');
  folderFor((folder) => {
    mkdirSync(folder, { mode: 0o700 });
    chownSync(folder, 65_534, 65_534);
  });
  expect(() => socketPath('run')).toThrow('it belongs to user 65534, not to you (0)');
});
