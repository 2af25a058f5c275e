import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { attach } from '../../src/cli/session.ts';
import { showEngine } from '../../src/engine/engine-file.ts';
import { engineOf, placeOf } from '../../src/engine/index.ts';
import { serveViews } from '../../src/engine/socket.ts';
import { offlineMode } from '../../src/index.ts';
import { planOf } from '../support/made-up.ts';

test('an engine that ends before it answered a word: that is said at once, and not that the word was not heard', async () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'neap-session-'));
  const place = placeOf(stateDir, 'r1');
  mkdirSync(place.dir, { recursive: true });
  chmodSync(place.dir, 0o700);
  const process_ = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1_000)', place.run]);
  onTestFinished(() => {
    process_.kill('SIGKILL');
    rmSync(stateDir, { recursive: true, force: true });
  });
  const plan = planOf({ servers: 2, steps: (api) => [offlineMode(api, { on: true })] });
  const opened = { type: 'opened', run: place.run, plan: plan.hash, title: 'made up', by: 'somebody', host: 'here' };
  const engine = await serveViews(join(place.dir, 'r1.sock'), z.looseObject({ ask: z.string() }), {
    open: (view) => {
      view.send({ say: 'hello', run: place.run, plan, clock: null });
      view.send({ say: 'rows', rows: [{ seq: 1, atMs: 0, epoch: 1, event: opened, prev: '', hash: '' }], more: false });
    },
    // It hears the word, and ends.
    line: () => void engine.close(),
    lost: () => undefined,
  });
  await showEngine(place, { pid: process_.pid!, socket: engine.path });
  // A process that was only just begun has no command line yet.
  await expect.poll(() => engineOf(place), { timeout: 60_000 }).not.toBeNull();
  const session = await attach(place, () => undefined);
  const fromMs = performance.now();
  expect(await session!.ask({ ask: 'halt', by: 'somebody' })).toMatch(
    /ended before it answered, and may have heard it/,
  );
  expect(performance.now() - fromMs).toBeLessThan(9_000);
});
