import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

test('whoever started a process may be killed in the moment that it is told something: the process goes on', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'neap-orphan-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'word');
  spawn(process.execPath, [fileURLToPath(new URL('../support/children/orphan.ts', import.meta.url)), file], {
    stdio: 'ignore',
  });
  await expect.poll(() => existsSync(file), { timeout: 60_000 }).toBe(true);
});
