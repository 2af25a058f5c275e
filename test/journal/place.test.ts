import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { foreignFilesystem } from '../../src/journal/filesystem.ts';
import { checkCompanions } from '../../src/journal/place.ts';
import { isSoundSqlite } from '../../src/journal/sqlite.ts';
import { folder } from './folder.ts';

test.each([
  ['3.53.4', true],
  ['3.51.3', true],
  ['3.51.2', false],
  ['3.50.7', true],
  ['3.50.6', false],
  ['3.49.9', false],
  ['3.44.6', true],
  ['3.44.5', false],
  ['3.52.0', true],
  ['4.0.0', true],
  ['0', false],
])('SQLite %s may hold a journal: %s', (version, sound) => {
  expect(isSoundSqlite(version)).toBe(sound);
});

const MOUNTS = [
  '21 1 253:0 / / rw,relatime shared:1 - ext4 /dev/vda rw',
  '40 21 0:45 / /mnt/team\\040disk rw - fuse.sshfs ops@bastion:/srv rw',
  '41 40 0:46 / /mnt/team\\040disk/local rw shared:7 master:1 - virtiofs share rw',
  '42 21 0:47 / /media/usb rw - fuseblk /dev/sda1 rw',
].join('\n');

test.each([
  [0xef53, '/var', null],
  [0x01021994, '/tmp', null],
  [0x794c7630, '/', null],
  [0x6969, '/home', 'NFS (a network filesystem)'],
  // As a signed number, which is how some hosts give it.
  [0xff534d42 | 0, '/home', 'CIFS (a network filesystem)'],
  [0x01021997, '/mnt/c', '9p (a network filesystem)'],
  [0x65735546, '/mnt/team disk/neap', 'fuse.sshfs (a filesystem in user space)'],
  [0x65735546, '/mnt/team disk/local/neap', null],
  [0x65735546, '/media/usb', null],
])('a filesystem of type %i at %s is foreign: %s', (type, directory, name) => {
  expect(foreignFilesystem(type, directory, MOUNTS)).toBe(name);
});

test('where the mounts cannot be read, an unknown filesystem in user space is foreign', () => {
  expect(foreignFilesystem(0x65735546, '/srv', '')).toBe('fuse (a filesystem in user space)');
});

test('what others make and remove beside a shared file meanwhile is nothing wrong', async () => {
  const path = join(folder(), 'registry.db');
  const comingAndGoing = new Worker(
    `const { closeSync, openSync, unlinkSync } = require('node:fs');
    const path = require('node:worker_threads').workerData;
    for (;;) { closeSync(openSync(path, 'wx', 0o600)); unlinkSync(path); }`,
    { eval: true, workerData: `${path}-journal` },
  );
  await once(comingAndGoing, 'online');
  try {
    expect(() => {
      for (let turn = 0; turn < 6_000; turn += 1) checkCompanions(path);
    }).not.toThrow();
  } finally {
    await comingAndGoing.terminate();
  }
});
