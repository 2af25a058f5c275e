import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RehearsalBook } from '../../src/engine/rehearsal-book.ts';
import { flawOf, keepRehearsal, listRehearsals } from '../../src/engine/rehearsals.ts';
import { placeOf } from '../../src/engine/runs.ts';
import { createJournal } from '../../src/journal/index.ts';
import type { JsonObject, RehearsalRecord, Rehearsed } from '../../src/model/index.ts';

// Goal: what a rehearsal showed is kept where later plans look, and believed only where the run's journal says the same.
// Method: real journals and files, one thing changed at a time.

let stateDir = '';
beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'neap-rehearsals-'));
});
afterEach(() => rm(stateDir, { recursive: true, force: true }));

const rehearsal: Rehearsed = {
  step: '7',
  server: 'api-1',
  group: 'api',
  dependency: 'data/base',
  manner: null,
  cutAtMs: 1_000,
  plannedMs: 250_000,
  result: 'failed',
  lastedMs: 190_000,
  why: 'the first failed',
  software: { version: null, configuration: null },
  clocks: [],
  dependencyTimeoutMs: 10_000,
  traffic: { share: 0.05, productionPerSecond: null, perSecond: 1, sent: 190 },
};

/** A run's journal that tells of it, and the record that its book keeps of that. */
async function rehearsed(run: string, told: Rehearsed = rehearsal): Promise<RehearsalRecord | undefined> {
  const place = placeOf(stateDir, run);
  await mkdir(place.dir, { recursive: true, mode: 0o700 });
  const journal = await createJournal(place.journal, { run });
  const event = { type: 'rehearsed', rehearsal: told } as unknown as JsonObject;
  const failed = (error: unknown): void => {
    throw error;
  };
  const book = new RehearsalBook({ stateDir, run, fleet: 'mail/eu', failed });
  await journal.append([
    { atMs: 1, event: { type: 'time' } },
    { atMs: 2, event },
  ]);
  await book.catchUp(journal);
  await book.settled();
  await journal.close();
  return (await listRehearsals(stateDir, 'mail/eu')).find((each) => each.run === run);
}

test('is kept for its owner’s eyes, of its own fleet, with the event that says so', async () => {
  const record = await rehearsed('r1');
  expect(record).toMatchObject({ format: 1, fleet: 'mail/eu', run: 'r1', journal: { seq: 2 }, rehearsal });
  expect(await listRehearsals(stateDir, '..')).toEqual([]);
  const folder = join(stateDir, 'rehearsals', 'of-mail%2Feu');
  const names = await readdir(folder);
  expect(names).toEqual(['api@data%2Fbase@unsaid.json']);
  expect((await stat(join(folder, names[0]!))).mode & 0o777).toBe(0o600);
  expect(await flawOf(stateDir, record!)).toBe(null);
});

test('a later one stands in its place, an earlier one does not; one that shows nothing is not kept', async () => {
  await rehearsed('r2', { ...rehearsal, cutAtMs: 2_000 });
  await rehearsed('r1');
  await rehearsed('r3', { ...rehearsal, cutAtMs: 3_000, result: 'void' });
  expect((await listRehearsals(stateDir, 'mail/eu')).map(({ run }) => run)).toEqual(['r2']);
});

test('a record that says more than its journal is not believed, nor one whose journal is gone', async () => {
  const record = (await rehearsed('r1'))!;
  const better = { ...record, rehearsal: { ...rehearsal, lastedMs: 900_000 } };
  expect(await flawOf(stateDir, better)).toBe('the journal of run r1 does not say so');
  expect(await flawOf(stateDir, { ...record, journal: { seq: 1, hash: record.journal.hash } })).toMatch(
    /does not say so/,
  );
  await rm(placeOf(stateDir, 'r1').dir, { recursive: true });
  expect(await flawOf(stateDir, record)).toBe('the journal of run r1 is not in this state folder any more');
});

test('a record that cannot be read is an error with its remedy', async () => {
  const record = (await rehearsed('r1'))!;
  await writeFile(join(stateDir, 'rehearsals', 'of-mail%2Feu', 'api@data%2Fbase@unsaid.json'), '{"format":1');
  await expect(listRehearsals(stateDir, 'mail/eu')).rejects.toThrow(/a record of a rehearsal cannot be read/);
  await rm(join(stateDir, 'rehearsals'), { recursive: true });
  await keepRehearsal(stateDir, record);
  expect(await listRehearsals(stateDir, 'mail/eu')).toEqual([record]);
});
