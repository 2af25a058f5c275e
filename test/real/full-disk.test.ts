import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, type TestContext } from 'vitest';
import { attach } from '../../src/cli/session.ts';
import { findRun } from '../../src/engine/index.ts';
import { labDown, labUp, tellLab } from '../../src/lab/index.ts';
import type { RunEvent } from '../../src/run/index.ts';
import { neap } from '../support/neap.ts';

/** The disk that holds the journal is full in the middle of a run: what was kept free is enough to come home, and to say so. */

const DISK_MIB = 24;

function smallDisk({ onTestFinished }: TestContext): string | null {
  const path = mkdtempSync(join(tmpdir(), 'neap-small-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return null;
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MIB}m,mode=0700`, 'tmpfs', path]);
  onTestFinished(() => void execFileSync('umount', ['-l', path]));
  return path;
}

/** To the last block. */
function fill(disk: string): void {
  mkdirSync(join(disk, 'filler'));
  let count = 0;
  for (let bytes = 1024 * 1024; bytes >= 4096; bytes /= 4) {
    try {
      for (;;) writeFileSync(join(disk, 'filler', String(count++)), Buffer.alloc(bytes, 1));
    } catch {
      // No room for this size: go on with a smaller one.
    }
  }
}

test('a full disk in mid-run: no more risk, home and clean, every event of it recorded', async (context) => {
  const disk = smallDisk(context);
  if (disk === null) return context.skip('mounting a small disk needs root on Linux');
  const labs = mkdtempSync(join(tmpdir(), 'neap-labs-'));
  const where = { stateDir: labs, name: 'full' };
  const lab = await labUp({ ...where, servers: 4, timeLapse: 20, scenario: 'feb-2021', seed: 5 });
  context.onTestFinished(async () => {
    await labDown(where);
    rmSync(labs, { recursive: true, force: true });
  });
  const inputs = ['--input', 'outageMs=60000', '--input', 'marginMs=10000'];
  const started = await neap(disk, [
    'run',
    'database-upgrade',
    '--fleet',
    lab.fleetFile,
    ...inputs,
    '--unattended',
    '--detach',
  ]);
  expect(started).toMatchObject({ code: 0 });
  let isFilled = false;
  const events: RunEvent[] = [];
  const session = await attach(findRun(disk, undefined), ({ event }) => {
    events.push(event);
    // The canary is offline and soaks.
    const soaks = event.type === 'intended' && event.effect.effect === 'look' && event.effect.soakUntilMs !== null;
    if (soaks && !isFilled) {
      isFilled = true;
      fill(disk);
    }
  });
  await Promise.race([session?.ended, sleep(120_000)]);
  expect(isFilled).toBe(true);
  expect(events.some((event) => event.type === 'engine' && event.short === true)).toBe(true);
  expect(events.at(-1)).toMatchObject({ type: 'closed', outcome: 'home', exitCode: 1 });
  const { status } = await tellLab(where, { tell: 'status' });
  expect(status?.servers.filter(({ offline, inRotation }) => offline || !inRotation)).toEqual([]);
  const seen = await neap(disk, ['status']);
  expect(seen.stdout).toContain("because the journal's disk is full");
});
