import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { extension, launchArguments, root, shippedRunbook } from '../../src/launch/index.ts';

test('a process that is started finds neap from any folder, and its own arguments after the entry', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'neap launch '));
  try {
    const entry = join(folder, 'entry.ts');
    await writeFile(
      entry,
      `import { z } from 'neap';\nconsole.log(z.literal('ok').value as string, process.argv[2]);\n`,
    );
    const args = [...launchArguments(pathToFileURL(entry)), 'an argument'];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd: folder, timeout: 60_000 });
    expect({ stdout, stderr }).toEqual({ stdout: 'ok an argument\n', stderr: '' });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('in a checkout it points at sources', () => {
  expect(extension).toBe('.ts');
  expect(existsSync(new URL('package.json', root))).toBe(true);
  expect(fileURLToPath(shippedRunbook('database-upgrade'))).toBe(
    fileURLToPath(new URL('runbooks/database-upgrade.ts', root)),
  );
});
