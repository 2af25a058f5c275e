import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { GuardRead } from '../../src/model/index.ts';
import { guardDoubt } from '../../src/guards/index.ts';
import { parts, reader } from '../guards/world.ts';
import { openScene } from '../support/scene.ts';
import { lacksPrometheus, startPrometheus, until, type RealPrometheus } from './prometheus-server.ts';

// Goal: what a real Prometheus says when all is well, when what it watches goes away, and when it goes away itself.

const lacking = lacksPrometheus();
if (lacking !== null) process.stderr.write(`SKIPPED: guards that ask Prometheus need ${lacking}\n`);

describe.skipIf(lacking !== null)('a real Prometheus', () => {
  let prometheus: RealPrometheus;
  beforeAll(async () => {
    prometheus = await startPrometheus();
  });
  afterAll(() => prometheus[Symbol.asyncDispose]());

  const read = (query: string, more: Partial<Extract<GuardRead, { guard: 'prometheus' }>> = {}) =>
    reader()({
      guard: 'prometheus',
      url: prometheus.url,
      query,
      warnAbove: 5,
      tripAbove: 10,
      warnBelow: null,
      tripBelow: null,
      staleMs: 10_000,
      timeoutMs: 5_000,
      ...more,
    });
  const scraped = (query: string, value: string | null) =>
    until(async () => (await prometheus.ask(query)) === value, `${query} is never ${value}`);

  test('its samples are held against the limits, the worst counts', async () => {
    await prometheus.export('load{host="a"} 3\nload{host="b"} 4\n');
    await scraped('sum(load)', '7');
    expect(await read('load')).toMatchObject({ sort: 'good' });
    expect(await read('max(load) + 2')).toEqual({ sort: 'warn', seen: '6 is above 5' });
    expect(await read('sum(rate(load[1m])) > 1')).toEqual({ sort: 'no-data', seen: 'the query gives no sample' });
    await prometheus.export('load{host="a"} 3\nload{host="b"} 12\n');
    await scraped('max(load)', '12');
    expect(await read('load')).toEqual({
      sort: 'bad',
      seen: expect.stringMatching(/^load\{.*host="b".*\} 12 is above 10$/),
    });
    expect(await read('scalar(max(load))')).toMatchObject({ sort: 'bad' });
    expect(await read('0 / 0 * load')).toMatchObject({ sort: 'no-data', seen: expect.stringMatching(/no number/) });
    expect(await read('load[1m]')).toMatchObject({ sort: 'no-data', seen: expect.stringMatching(/matrix/) });
    expect(await read('load{')).toMatchObject({
      sort: 'no-data',
      seen: expect.stringMatching(/HTTP 400: .*parse error/),
    });
  });

  test('a sample that Prometheus still gives, and that is older than staleMs, is no data: plain or in an expression', async () => {
    // A stamped sample is not marked stale when it is not renewed: Prometheus gives it for five minutes.
    await prometheus.export(`pushed 20 ${Date.now() - 20_000}\n`);
    await scraped('pushed', '20');
    expect(await read('pushed')).toEqual({
      sort: 'no-data',
      seen: expect.stringMatching(/a sample is [23]\d s old|no sample/),
    });
    // What an expression is made of is held to it by a newer Prometheus; of an older one the preview says that it is not.
    const limits = {
      warnAbove: null,
      tripAbove: 10,
      warnBelow: null,
      tripBelow: null,
      staleMs: 10_000,
      timeoutMs: 5_000,
    };
    const asked = { guard: 'prometheus', url: prometheus.url, query: 'pushed * 2', ...limits } as const;
    const doubt = await guardDoubt(asked, parts());
    const inside = await read('pushed * 2');
    expect(doubt === null ? inside.sort === 'no-data' : /too old/.test(doubt) && inside.sort === 'bad').toBe(true);
    expect(await read('pushed', { staleMs: 120_000 })).toMatchObject({ sort: 'bad' });
    expect(await read('pushed * 2', { staleMs: 120_000 })).toMatchObject({ sort: 'bad' });
  });

  test('what it watches goes away, and then it itself: no data, until both are back', async () => {
    await prometheus.export('load 3\n');
    await scraped('sum(load)', '3');
    await prometheus.export(null);
    await scraped('sum(load)', null);
    expect(await read('load')).toEqual({ sort: 'no-data', seen: 'the query gives no sample' });
    await prometheus.down();
    expect(await read('load')).toMatchObject({ sort: 'no-data', seen: expect.stringMatching(/ECONNREFUSED/) });
    await prometheus.export('load 4\n');
    await prometheus.up();
    await scraped('sum(load)', '4');
    expect(await read('load')).toMatchObject({ sort: 'good' });
  });

  test('it is killed in mid-run: the run halts and pages, begins nothing, and goes on when it is back', async () => {
    await prometheus.export('load 3\n');
    await scraped('sum(load)', '3');
    await using scene = await openScene();
    // Nothing expires before a busy machine is through.
    const ttl = { minMs: 7_200_000, maxMs: 10_800_000, drawn: 'per-refresh' } as const;
    const lab = await scene.lab({ servers: 40, ttl });
    const runbook = join(scene.stateDir, 'runbook.ts');
    const plan = join(scene.stateDir, 'guarded.json');
    await writeFile(runbook, runbookAsking(prometheus.url));
    const planned = await scene.neap('plan', runbook, '--fleet', lab.fleet, '--out', plan);
    expect(planned.stdout).toMatch(/now: good, load\{.*\} 3/);
    const voyage = await scene.run(plan, '--unattended');
    await voyage.until(({ tracks: [main] }) => {
      const step = main!.steps[0];
      return (
        step?.step === 'act' &&
        step.waves.flatMap(({ targets }) => Object.values(targets)).some(({ phase }) => phase === 'done')
      );
    });
    await prometheus.down();
    const silent = await voyage.until(({ guards }) => guards['g1']?.standing === 'no-data');
    expect(silent.guards['g1']).toMatchObject({ positive: false });
    const still = await voyage.until(({ paged }) => Object.keys(paged).some((key) => key.startsWith('guard/g1/')));
    expect(still.mode).toBe('forward');
    // While it is away a preview refuses the plan, and says why.
    const refused = await scene.neap('plan', runbook, '--fleet', lab.fleet);
    expect(refused.code).toBe(4);
    expect(refused.stdout.replaceAll(/\s+/g, ' ')).toMatch(/Refused: guard g1 "Load" has no data: .*ECONNREFUSED/);
    const cleared = voyage.until(({ guards }) => guards['g1']?.standing === 'clear');
    await prometheus.up();
    await cleared;
    const { code, stdout } = await voyage.ended;
    expect(stdout).toMatch(/PAGE .*guard "Load" has no data since/);
    expect(stdout).not.toMatch(/turns for home/);
    expect(code).toBe(0);
    const out = (await lab.record()).filter(({ what, changed }) => what === 'traffic out' && changed);
    expect(out).toHaveLength(40);
    expect(out.filter(({ atMs }) => atMs > still.nowMs).length).toBeGreaterThan(0);
    expect(out.filter(({ atMs }) => atMs > still.nowMs && atMs < still.nowMs + 10_000)).toEqual([]);
  });
});

/** A lab's time is twenty times as fast: of a no-data limit of 40 s two seconds are left. */
const runbookAsking = (url: string) => `
import { atRate, defineRunbook, giveTraffic, guarded, inSlots, prometheus, refreshCaches, takeOut, z } from 'neap';
export default defineRunbook({
  title: 'Out and back under a guard',
  reach: { api: ['ssh', 'http', 'bmc'] },
  inputs: z.strictObject({}),
  budget: { failures: 3 },
  window: { limitMs: 3_600_000 },
  steps: ({ api }) => [
    guarded(
      prometheus({
        title: 'Load', url: ${JSON.stringify(url)}, query: 'load', tripAbove: 10, staleMs: 30_000, timeoutMs: 2_000,
        everyMs: 4_000, forMs: 8_000, clearForMs: 8_000, noDataMs: 40_000, onTrip: 'home',
      }),
      [atRate({ perMinute: 15 }, takeOut(api))],
    ),
    inSlots({ perSecond: 40, fraction: 0.5 }, refreshCaches(api, {})),
    giveTraffic(api),
  ],
});
`;
