import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { engineOf, hideEngine, showEngine } from '../../src/engine/engine-file.ts';
import { placeOf, type RunPlace } from '../../src/engine/runs.ts';

/** A run without an engine, and a living process whose command line names it. */
function scene(): { readonly place: RunPlace; readonly pid: number } {
  const stateDir = mkdtempSync(join(tmpdir(), 'neap-engine-'));
  const place = placeOf(stateDir, 'r1');
  mkdirSync(place.dir, { recursive: true });
  const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1_000)', place.run]);
  onTestFinished(() => {
    child.kill('SIGKILL');
    rmSync(stateDir, { recursive: true, force: true });
  });
  return { place, pid: child.pid! };
}

test('an engine that is shown is found, and not when it is hidden again', async () => {
  const { place, pid } = scene();
  expect(await engineOf(place)).toBeNull();
  await showEngine(place, { pid, socket: '/run/r1.sock' });
  expect(statSync(place.engine).mode & 0o777).toBe(0o600);
  await expect.poll(() => engineOf(place), { timeout: 60_000 }).toEqual({ pid, socket: '/run/r1.sock' });
  await hideEngine(place);
  expect(await engineOf(place)).toBeNull();
});

test.each(['', '{"pid":', '{"pid":"1"}'])('what is no such file (%j) is no engine', async (text) => {
  const { place } = scene();
  writeFileSync(place.engine, text);
  expect(await engineOf(place)).toBeNull();
});

test('whoever looks while an engine is shown sees the former one or the new one, never half of either', async () => {
  const { place, pid } = scene();
  await showEngine(place, { pid, socket: 'first' });
  await expect.poll(() => engineOf(place), { timeout: 60_000 }).not.toBeNull();
  let over = false;
  const writing = (async () => {
    for (let turn = 0; turn < 200; turn += 1) await showEngine(place, { pid, socket: 'x'.repeat(turn * 50) });
    over = true;
  })();
  const seen: unknown[] = [];
  while (!over) seen.push(await engineOf(place));
  await writing;
  expect(seen.length).toBeGreaterThan(0);
  expect(seen).not.toContain(null);
});
