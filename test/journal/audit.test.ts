import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  anchorsIn,
  auditExport,
  Auditor,
  createJournal,
  exportedRun,
  exportLines,
  headText,
  parseAnchor,
  readStoredRows,
  shortHeadText,
  type Anchor,
  type Audit,
  type StoredRow,
} from '../../src/journal/index.ts';
import { canonicalJson, sha256Hex } from '../../src/plan/index.ts';
import { events, folder } from './folder.ts';

// Goal: whatever is done to a journal, its plan, its order or its export afterwards is found, or needs an anchor and then
// is found. Method: a real journal whose file is changed behind SQLite's back, and exports changed as text.

const RUN = '2026-11-21-ab12cd';
const slices = [{ lane: 0, servers: [] }];
const header = { title: 'a plan', slices: slices.map((slice) => sha256Hex(canonicalJson(slice))) };
const plan = { hash: sha256Hex(canonicalJson(header)), header, slices };
const order = { run: RUN, by: 'ada', host: 'bastion', user: 'ada', key: null, ticket: 'OPS-7' };
const opened = { type: 'opened', plan: plan.hash, title: 'a plan', ...order };

const kept = mkdtempSync(join(tmpdir(), 'neap-audit-'));
const sound = join(kept, 'journal.db');
let rows: readonly StoredRow[] = [];

beforeAll(async () => {
  const journal = await createJournal(sound);
  const first = [opened, { type: 'approved', plan: plan.hash, by: 'ada' }].map((event) => ({ atMs: 1, event }));
  await journal.append([...first, ...events(40)]);
  await journal.close();
  rows = await readStoredRows(sound);
});

afterAll(() => rmSync(kept, { recursive: true, force: true }));

const audit = (
  of: readonly StoredRow[],
  anchors: readonly Anchor[] = [],
  beside: { readonly plan?: unknown; readonly order?: unknown } = { plan, order },
): Audit => {
  const auditor = new Auditor(anchors);
  for (const row of of) auditor.take(row);
  return auditor.result({ run: RUN, ...beside });
};
const headAt = (seq: number, from = 'a log'): Anchor => ({
  seq,
  hash: rows[seq - 1]!.hash,
  from,
});

/** A journal that says the same from its first event on, but one, with a chain of its own. */
async function writtenAnew(changed: number): Promise<readonly StoredRow[]> {
  const path = join(folder(), 'journal.db');
  const journal = await createJournal(path);
  await journal.append(
    rows.map(({ seq, atMs, text }) => ({
      atMs,
      event: { ...(JSON.parse(text) as object), ...(seq === changed ? { server: 'api-9' } : {}) },
    })),
  );
  await journal.close();
  return readStoredRows(path);
}

describe('the journal', () => {
  test('as it was written is sound, with its head', async () => {
    expect(audit(rows)).toEqual({
      run: RUN,
      events: 42,
      head: { seq: 42, hash: rows[41]!.hash },
      plan: plan.hash,
      closed: null,
      anchors: { given: 0, fit: 0, until: 0 },
      flaws: [],
    });
  });

  test.each([
    ["UPDATE event SET event = replace(event, 'api-4', 'api-5') WHERE seq = 14", 14],
    // The same to whoever parses it, and not what was written.
    ["UPDATE event SET event = replace(event, ':', ': ') WHERE seq = 12", 12],
    ["UPDATE event SET event = '{' WHERE seq = 12", 12],
    ['DELETE FROM event WHERE seq = 5', 5],
    [
      'UPDATE event SET seq = 99 WHERE seq = 8; UPDATE event SET seq = 8 WHERE seq = 9; UPDATE event SET seq = 9 WHERE seq = 99',
      8,
    ],
  ])('%s: the first bad event is named', async (sql, seq) => {
    const path = join(folder(), 'journal.db');
    copyFileSync(sound, path);
    const raw = new DatabaseSync(path);
    raw.exec(sql);
    raw.close();
    const found = audit(await readStoredRows(path));
    expect(found.flaws).toMatchObject([{ about: 'chain', seq }]);
    expect(found.events).toBe(seq - 1);
  });

  test('of another run is told from this one', async () => {
    const auditor = new Auditor();
    for (const row of rows) auditor.take(row);
    expect(auditor.result({ run: 'another' }).flaws).toMatchObject([{ about: 'chain', seq: 1 }]);
  });

  test('without an event is not sound', () => {
    expect(audit([]).flaws).toMatchObject([{ about: 'chain', what: 'it holds no event' }]);
  });
});

describe('what lies beside it', () => {
  test.each([
    ['a changed plan', { plan: { ...plan, header: { ...header, title: 'another' } } }, 'plan', /header does not have/],
    ['a changed slice', { plan: { ...plan, slices: [{ lane: 1 }] } }, 'plan', /slice 0/],
    [
      'another plan that is sound by itself',
      { plan: { hash: sha256Hex(canonicalJson({ slices: [] })), header: { slices: [] }, slices: [] } },
      'plan',
      /the plan that lies there is/,
    ],
    ['what is no plan', { plan: 7 }, 'plan', /it is no plan/],
    ['an order with another ticket', { plan, order: { ...order, ticket: 'OPS-8' } }, 'order', /ticket/],
  ] as const)('%s is found', async (_, beside, about, what) => {
    const { flaws } = audit(rows, [], beside);
    expect(flaws).toMatchObject([{ about, what: expect.stringMatching(what) as string }]);
  });
});

describe('anchors', () => {
  test('fit a sound journal, whole or shortened', async () => {
    const line = `<13>1 2026-11-21T03:00:00Z bastion neap 77 - - ${headText(RUN, rows[29]!)}`;
    const page = `Run ${RUN} waits for a person. [${shortHeadText(RUN, rows[34]!)}]`;
    const anchors = [line, page, headText('another-run', rows[3]!)].flatMap((text) => anchorsIn(text, RUN, 'a log'));
    expect(anchors.map(({ seq }) => seq)).toEqual([30, 35]);
    expect(audit(rows, anchors)).toMatchObject({ flaws: [], anchors: { given: 2, fit: 2, until: 35 } });
  });

  test('show a tail that was cut off, at the first event that is gone', async () => {
    const cut = rows.slice(0, 30);
    expect(audit(cut).flaws).toEqual([]);
    const { flaws } = audit(cut, [headAt(40), headAt(33), headAt(20)]);
    expect(flaws).toMatchObject([
      { about: 'anchor', seq: 33, what: expect.stringMatching(/ends at event 30/) as string },
    ]);
  });

  test('show a journal that was written anew, at the first anchor that does not fit', async () => {
    const forged = await writtenAnew(15);
    expect(audit(forged).flaws).toEqual([]);
    const { flaws, anchors } = audit(forged, [headAt(40), headAt(14), headAt(21)]);
    expect(flaws).toMatchObject([{ about: 'anchor', seq: 21, what: expect.stringMatching(/written anew/) as string }]);
    expect(anchors).toEqual({ given: 3, fit: 1, until: 14 });
  });

  test('are SEQ:HASH with 12 digits or more', () => {
    expect(parseAnchor('412:9F8E7D6C5B4A', 'x')).toEqual({ seq: 412, hash: '9f8e7d6c5b4a', from: 'x' });
    for (const word of ['412:9f8e', '0:9f8e7d6c5b4a', 'syslog', '412', ':9f8e7d6c5b4a'])
      expect(parseAnchor(word, 'x')).toBeNull();
  });
});

describe('an export', () => {
  const exported = (): string[] => [...exportLines({ run: RUN, order, plan, rows: rows })];
  const judged = (lines: readonly string[], anchors: readonly Anchor[] = []): Promise<Audit> =>
    auditExport(inOrder(lines), anchors);

  async function* inOrder(lines: readonly string[]): AsyncGenerator<string> {
    yield* lines;
  }

  test('is judged as its journal is', async () => {
    const lines = exported();
    expect(exportedRun(lines[0]!)).toBe(RUN);
    expect(await judged(lines)).toEqual(audit(rows));
  });

  test('says of each event, byte for byte, what its hash is of', async () => {
    for (const line of exported().slice(2, -1)) {
      const [, hash, row] = /^\{"hash":"(.{64})","row":(.*)\}$/.exec(line)!;
      expect(sha256Hex(row!)).toBe(hash);
    }
  });

  test('is an anchor for a later one', async () => {
    const last = [...exportLines({ run: RUN, order, plan, rows: rows.slice(0, 20) })].at(-1)!;
    const anchors = anchorsIn(last, RUN, 'an earlier export');
    expect((await judged(exported(), anchors)).anchors).toEqual({ given: 1, fit: 1, until: 20 });
  });

  test.each<readonly [string, (lines: string[]) => string[], object]>([
    ['an event changed', (lines) => lines.with(9, lines[9]!.replace('api-', 'apx-')), { about: 'chain', seq: 8 }],
    ['an event removed', (lines) => lines.toSpliced(9, 1), { about: 'chain', seq: 8 }],
    ['two exchanged', (lines) => lines.with(9, lines[10]!).with(10, lines[9]!), { about: 'chain', seq: 8 }],
    [
      'the end cut off',
      (lines) => lines.slice(0, 30),
      { about: 'file', what: expect.stringMatching(/end is missing/) },
    ],
    ['events cut off before the end', (lines) => lines.toSpliced(32, 12), { about: 'file' }],
    ['half a line', (lines) => lines.with(9, lines[9]!.slice(0, 50)), { about: 'file' }],
    ['another plan', (lines) => lines.with(1, lines[1]!.replace('a plan', 'b plan')), { about: 'plan' }],
    ['another name', (lines) => lines.with(0, lines[0]!.replace('"by":"ada"', '"by":"eve"')), { about: 'order' }],
    ['something behind its end', (lines) => [...lines, lines[5]!], { about: 'file' }],
  ])('with %s is not sound', async (_, spoil, flaw) => {
    const { flaws } = await judged(spoil(exported()));
    expect(flaws).toEqual(expect.arrayContaining([expect.objectContaining(flaw)]));
  });
});
