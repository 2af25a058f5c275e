import { expect, test, vi } from 'vitest';
import { coherence } from '../../src/herd/index.ts';
import type { RecordEntry } from '../../src/lab/index.ts';
import type { RunState } from '../../src/run/index.ts';
import { openScene, type Scene, type SceneLab, VOYAGE_MS } from '../support/scene.ts';

// Goal: caches that a mass event brought together are brought apart by slots, earliest expiry first, and slots give way to
// a database that becomes slow. Method: whole runs of the runbook that ships, on labs whose own record is the witness.

vi.setConfig({ testTimeout: VOYAGE_MS, maxConcurrency: 2 });

const TTL = { minMs: 180_000, maxMs: 240_000, drawn: 'per-server' } as const;

async function planned(scene: Scene, lab: SceneLab, ...inputs: string[]): Promise<{ out: string; preview: string }> {
  const out = `${scene.stateDir}/spread.json`;
  const words = inputs.flatMap((input) => ['--input', input]);
  const { code, stdout, stderr } = await scene.neap(
    'plan',
    'spread-expiries',
    '--fleet',
    lab.fleet,
    ...words,
    '--out',
    out,
  );
  if (code !== 0) throw new Error(`no plan (${code}): ${stderr}${stdout}`);
  return { out, preview: stdout.replaceAll(/\s+/g, ' ') };
}

function refreshesOf(record: readonly RecordEntry[]): readonly RecordEntry[] {
  return record.filter(({ what, via }) => via === 'ssh' && what === 'apictl cache refresh');
}

function shareOf({ tracks: [main] }: RunState): number {
  const act = main?.steps[2];
  return act?.step === 'act' ? (act.pace?.share ?? 1) : 1;
}

test.concurrent('expiries that lie together are brought apart, in slots that the preview tried and proved', async () => {
  await using scene = await openScene();
  const lab = await scene.lab({ servers: 40, scenario: 'synchronised', ttl: TTL });
  const { out, preview } = await planned(scene, lab);
  expect(preview).toMatch(
    /Slots of step 3: 3 min 12 s of slots; in 100 trials a peak of \d+ refreshes a second, p99 \d+, of 40/,
  );
  expect(preview).toMatch(
    /at most floor\(0\.22 x w\) \+ 1 begin in any w seconds, and no order meets an expiry that earliest/,
  );
  const voyage = await scene.run(out, '--unattended');
  const { code, stdout } = await voyage.ended;
  expect(stdout).toMatch(/step 3: 40 slots, earliest expiry first: api-/);
  const [, after] = /40 of 40 done .*; expiries lie together by ([\d.]+), meant is below 0\.3/.exec(stdout) ?? [];
  expect(code).toBe(0);
  // Slots are late on a busy machine; forty that lie by chance give 0.16, and all together 1.
  expect(Number(after)).toBeLessThan(0.45);
  // As the lab saw it: each once, spread over the time to live, and nowhere near what the database can serve.
  const refreshes = refreshesOf(await lab.record());
  expect(new Set(refreshes.map(({ server }) => server)).size).toBe(40);
  expect(refreshes).toHaveLength(40);
  expect(
    coherence(
      refreshes.map(({ atMs }) => atMs),
      210_000,
    ),
  ).toBeLessThan(0.45);
  expect((await lab.status()).database.peakPerSecond).toBeLessThan(10);
});

test.concurrent('a database that becomes slow gets fewer, then none, and is asked again when it is well', async () => {
  await using scene = await openScene();
  const lab = await scene.lab({ servers: 40, scenario: 'synchronised', ttl: TTL });
  const { out } = await planned(scene, lab, 'overMs=60000', 'coherenceBelow=1', 'canaryPauseMs=0');
  const voyage = await scene.run(out, '--unattended');
  await voyage.until(({ tracks: [main] }) => main?.cursor === 2);
  await lab.tell({ tell: 'slow', byMs: 900 });
  await voyage.until((state) => shareOf(state) === 0);
  const status = await scene.neap('status');
  expect(status.stdout).toMatch(/no slots are given since [\d:]+ UTC: the delay was \d+ ms at least for 5 s/);
  const before = refreshesOf(await lab.record()).length;
  expect(before).toBeLessThan(40);
  await lab.tell({ tell: 'slow', byMs: 0 });
  const { code, stdout } = await voyage.ended;
  expect(code).toBe(0);
  expect(stdout).toMatch(/NO MORE SLOTS until it is calm: the delay was \d+ ms/);
  expect(stdout).toMatch(/PAGE Run \S+ "refresh caches" \(step 3\) stands still/);
  expect(stdout).toMatch(/slots at \d+% of their pace: it is calm/);
  expect(new Set(refreshesOf(await lab.record()).map(({ server }) => server)).size).toBe(40);
});

test.concurrent('what could not bring them apart is refused, with the span that would', async () => {
  await using scene = await openScene();
  const lab = await scene.lab({ servers: 12, scenario: 'synchronised', ttl: TTL });
  const { code, stdout } = await scene.neap('plan', 'spread-expiries', '--fleet', lab.fleet, '--input', 'overMs=10000');
  expect(code).toBe(4);
  expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(
    /Refused: the slots of step 3 \(refresh caches\) would leave expiries together by 0\.\d\d, and less than 0\.3 is meant cure 1: Spread them over 180 s/,
  );
});
