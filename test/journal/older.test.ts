import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readRun } from '../../src/cli/session.ts';
import { placeOf, readOrder, type RunPlace } from '../../src/engine/index.ts';
import { reportOf, toMarkdown } from '../../src/report/index.ts';
import { neap } from '../support/neap.ts';
import { standingOf } from './standing.ts';

// Goal: journals and plans that an older neap wrote are read for ever, and fold to what they folded to then (the run
// machine may decide better today; it must not read the past otherwise). Method: real runs of each released format under
// test/journals, with the standing that the version which wrote them recorded.

interface Recorded {
  readonly neap: string;
  readonly events: number;
  readonly head: string;
  readonly standing: { readonly closed: { readonly exitCode: number } | null };
}

const kept = fileURLToPath(new URL('../journals', import.meta.url));
const all = readdirSync(kept).flatMap((format) =>
  readdirSync(join(kept, format)).map((name) => ({ name: `${format}/${name}`, folder: join(kept, format, name) })),
);
const stateDir = mkdtempSync(join(tmpdir(), 'neap-older-'));
const places = new Map<string, RunPlace>();

const recorded = (folder: string): Recorded =>
  JSON.parse(readFileSync(join(folder, 'standing.json'), 'utf8')) as Recorded;
const placeFor = (name: string): RunPlace => places.get(name)!;

beforeAll(() => {
  for (const { name, folder } of all) {
    const order = JSON.parse(gunzipSync(readFileSync(join(folder, 'order.json.gz'))).toString()) as { run: string };
    // Two of them are one run, at two instants.
    const place = placeOf(join(stateDir, name.replace('/', '-')), order.run);
    mkdirSync(place.dir, { recursive: true, mode: 0o700 });
    for (const file of readdirSync(folder).filter((each) => each.endsWith('.gz')))
      writeFileSync(join(place.dir, file.slice(0, -3)), gunzipSync(readFileSync(join(folder, file))), { mode: 0o600 });
    places.set(name, place);
  }
});

afterAll(() => rmSync(stateDir, { recursive: true, force: true }));

test('there are journals of a run that is done, one that went home, one with a reset, one that was killed', () => {
  expect(all.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['1/done', '1/home', '1/hung', '1/killed', '1/resumed', '1/spent']),
  );
});

describe.each(all)('$name', ({ name, folder }) => {
  test('folds to what it folded to, and is reported', async () => {
    const { standing, events, head } = recorded(folder);
    const { plan, machine, state, events: read, rows } = await readRun(placeFor(name));
    expect([rows.length, rows.at(-1)?.hash]).toEqual([events, head]);
    expect(JSON.parse(JSON.stringify(standingOf(state!)))).toEqual(standing);
    const order = await readOrder(placeFor(name));
    expect(state!.answerable).toMatchObject({ by: order.by, host: order.host });
    // Whoever takes it over today knows what to do with it.
    const taken = machine.apply(state, {
      atMs: state!.nowMs,
      event: { type: 'engine', pid: 1, host: 'here', neap: plan.header.neap },
    });
    const { decision, effects, wakeAtMs } = machine.next(taken);
    expect(state!.closed !== null || decision !== null || effects.length > 0 || wakeAtMs !== null).toBe(true);
    const report = reportOf(plan, read, { rows });
    expect(report).toMatchObject({ journal: { chain: { ok: true } }, by: order.by });
    expect(toMarkdown(report)).toContain(plan.hash);
  });
});

test('status, report and audit read one whose engine was killed', async () => {
  const { run } = placeFor('1/killed');
  const say = (...words: string[]) => neap(join(stateDir, '1-killed'), words);
  const [status, audit, report] = await Promise.all([
    say('status', run),
    say('audit', 'verify', run),
    say('report', run),
  ]);
  expect(status.code).toBe(5);
  expect(status.stdout).toContain(`Next: neap resume ${run}`);
  expect(audit.stdout).toMatch(new RegExp(`^Run ${run}: sound\n`));
  expect([audit.code, report.code]).toEqual([0, 0]);
});
