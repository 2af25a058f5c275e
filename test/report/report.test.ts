import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createJournal, readJournal } from '../../src/journal/index.ts';
import type { JsonObject } from '../../src/model/index.ts';
import { reportOf, toHtml, toJson, toMarkdown, type Report } from '../../src/report/index.ts';
import { sketchPlan } from './plan.ts';
import { sail } from './sail.ts';

const SERVERS = Array.from({ length: 12 }, (_, at) => `api-${String(at + 1).padStart(2, '0')}`);
const EVIL =
  '<script>alert(1)</script> | cell\u001B[31m red\u0007 \u202Eneddih "q" \'s\' `code` [x](javascript:alert(1)) & &lt;';

function plain(): Report {
  const plan = sketchPlan({ servers: SERVERS });
  return reportOf(plan, sail(plan));
}

describe('completeness', () => {
  test('every server, also one that was left out, is in each form of the report', () => {
    const plan = sketchPlan({ servers: SERVERS, except: [{ server: 'api-99', reason: 'its disk is dead' }] });
    const report = reportOf(plan, sail(plan, { hung: { 'api-05': 'no answer' } }));
    for (const text of [toHtml(report), toMarkdown(report), toJson(report)]) {
      for (const server of [...SERVERS, 'api-99', 'its disk is dead']) expect(text).toContain(server);
    }
  });

  test('every answer is there, with who gave it, how long after the question, and what came of it', () => {
    const plan = sketchPlan({ servers: SERVERS });
    const answers = {
      '4': [{ answer: 'yes', by: 'grace', afterMs: 12_000 }],
      '5': [
        { answer: 'not yet', by: 'linus', afterMs: 60_000 },
        { answer: 'yes', by: 'margaret', afterMs: 9_000 },
      ],
    };
    const report = reportOf(plan, sail(plan, { answers }));
    expect(report.people.map(({ by, answer, fate }) => [by, answer, fate])).toEqual([
      ['ada', `plan ${plan.hash}`, 'taken'],
      ['grace', 'yes', 'taken'],
      ['linus', 'not yet', 'asked again'],
      ['margaret', 'yes', 'taken'],
    ]);
    const waits = report.people.map(({ waitedMs }) => waitedMs);
    expect(waits[0]).toBeNull();
    expect([12_000, 60_000, 9_000].map((ms, at) => Math.abs((waits[at + 1] ?? 0) - ms) < 50)).toEqual([
      true,
      true,
      true,
    ]);
    for (const text of [toHtml(report), toMarkdown(report)])
      for (const who of ['ada', 'grace', 'linus', 'margaret']) expect(text).toContain(who);
  });

  test('a hung server that was recovered is told with its reason, its reset and both boots', () => {
    const plan = sketchPlan({ servers: SERVERS });
    const report = reportOf(plan, sail(plan, { hung: { 'api-05': 'SSH did not answer' } }));
    const server = report.servers.find(({ name }) => name === 'api-05');
    expect(server).toMatchObject({ ended: 'recovered', outAt: 'enter offline mode', domain: 'rack-0' });
    expect(server?.why).toContain('SSH did not answer');
    expect(server?.boots.map(({ bootId }) => bootId)).toEqual(['boot-1-api-05', 'boot-2']);
    expect(server?.resets).toMatchObject([{ state: 'done', attempts: 1 }]);
    expect(report.standing).toMatchObject({ outcome: 'done', exitCode: 0 });
  });

  test('an engine that was killed is named with how long nobody was there and what was in doubt', () => {
    const plan = sketchPlan({ servers: SERVERS });
    const report = reportOf(plan, sail(plan, { killedAt: 60 }));
    expect(report.engines.map(({ pid, resumed }) => [pid, resumed])).toEqual([
      [100, false],
      [200, true],
    ]);
    expect(report.engines[1]?.silentMs).toBeGreaterThanOrEqual(30_000);
    expect(report.engines[1]?.inDoubt).toBeGreaterThan(0);
    expect(toHtml(report)).toContain('took over from an engine that was gone');
    expect(report.standing.outcome).toBe('done');
  });

  test('caches that were refreshed again while nobody answered stand in the timeline twice', () => {
    const plan = sketchPlan({ servers: SERVERS });
    const report = reportOf(plan, sail(plan, { answers: { '4': [{ answer: 'yes', by: 'grace', afterMs: 90_000 }] } }));
    const refreshes = report.timeline.filter(({ id }) => id === '3');
    expect(refreshes.map(({ state, done }) => [state, done])).toEqual([
      ['done again later', 12],
      ['done', 12],
    ]);
    const gates = report.timeline.filter(({ id }) => id === '4');
    expect(gates.map(({ state }) => state)).toEqual(['done again later', 'done']);
    expect(gates[0]?.endedAtMs).toBeLessThanOrEqual(refreshes[1]?.startedAtMs ?? 0);
    expect(gates[1]?.startedAtMs).toBeGreaterThanOrEqual(refreshes[1]?.endedAtMs ?? Infinity);
    expect(report.people.filter(({ gate }) => gate === '4').map(({ fate }) => fate)).toEqual(['too late', 'taken']);
  });

  test('a run that is under way shows what it waits for', () => {
    const plan = sketchPlan({ servers: SERVERS });
    const events = sail(plan, { untilGate: '4' });
    const report = reportOf(plan, events, { liveAtMs: (events.at(-1)?.atMs ?? 0) + 5_000 });
    expect(report.standing).toMatchObject({ live: true, exitCode: null });
    expect(report.waiting).toMatchObject([{ gate: '4', role: 'database' }]);
    expect(report.servers.every(({ ended }) => ended === 'under way')).toBe(true);
    expect(toHtml(report)).toContain(`neap approve ${report.run} 4 yes|not yet|no`);
    expect(reportOf(plan, events).standing.summary).toContain('neap resume');
  });

  test('findings of the preview are all there', () => {
    const findings = [
      { severity: 'warning' as const, code: 'control', what: 'no control target is listed', cures: ['list one'] },
    ];
    const plan = sketchPlan({ servers: SERVERS, findings });
    const report = reportOf(plan, sail(plan));
    for (const text of [toHtml(report), toMarkdown(report)])
      for (const word of ['no control target is listed', 'list one']) expect(text).toContain(word);
  });
});

describe('figures', () => {
  test.each([
    { hung: {} },
    { hung: { 'api-05': 'silent' } },
    { hung: { 'api-02': 'silent', 'api-03': 'silent', 'api-04': 'silent' } },
  ])('add up with hung servers $hung', ({ hung }) => {
    const plan = sketchPlan({ servers: SERVERS });
    const report = reportOf(plan, sail(plan, { hung }));
    expect(report.servers.length).toBe(SERVERS.length);
    expect(report.budget.entries.length).toBe(report.budget.spent);
    expect(report.budget.spent).toBe(Object.keys(hung).length);
    for (const row of report.timeline)
      expect(row.done + row.failed.length + row.unknown.length + row.left.length + row.open).toBe(row.servers);
    for (const row of report.plan.steps.slice(0, 2))
      expect(Object.values(row.verdicts).reduce((sum, count) => sum + count, 0)).toBe(row.servers);
    const resets = report.servers.reduce((sum, server) => sum + server.resets.length, 0);
    expect(resets).toBe(Object.keys(hung).length);
    expect(report.tookMs).toBe((report.closedAtMs ?? 0) - report.openedAtMs);
  });

  test('the outage lies between its gates, and what was left of the fuse is its expiry less its end', () => {
    const { fuse } = plain();
    const outage = fuse?.outage;
    expect((outage?.endMs ?? 0) - (outage?.startMs ?? 0)).toBeGreaterThanOrEqual(7_000);
    const burning = fuse?.spans.find(
      (span) => span.fromMs <= (outage?.startMs ?? 0) && span.toMs >= (outage?.endMs ?? 0),
    );
    expect(outage?.leftMs).toBe((burning?.expiresAtMs ?? 0) - (outage?.endMs ?? 0));
    expect(toHtml(plain())).toMatch(/<svg[^>]*role="img"[\s\S]*margin 20 s/);
  });

  test('a run that turned for home tells why, and which servers are as before', () => {
    const plan = sketchPlan({ servers: SERVERS });
    const report = reportOf(plan, sail(plan, { answers: { '5': [{ answer: 'no', by: 'grace', afterMs: 5_000 }] } }));
    expect(report.standing).toMatchObject({ outcome: 'home', exitCode: 1 });
    expect(report.servers.every(({ ended }) => ended === 'home')).toBe(true);
    expect(report.people.at(-1)?.fate).toBe('went home');
    expect(report.timeline.filter(({ trackKind }) => trackKind === 'home').map(({ done }) => done)).toEqual([12]);
  });
});

describe('hostile words', () => {
  const plan = sketchPlan({
    servers: SERVERS,
    title: `Upgrade ${EVIL}`,
    except: [{ server: 'api-99', reason: EVIL }],
    findings: [{ severity: 'warning', code: 'x', what: EVIL, cures: [EVIL] }],
  });
  const report = reportOf(
    plan,
    sail(plan, { hung: { 'api-05': EVIL }, answers: { '4': [{ answer: 'yes', by: EVIL, afterMs: 1_000 }] } }),
  );
  const unseen = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u200B-\u200F\u2028-\u202E\u2066-\u2069]/;

  test('are text in HTML: no tag, no attribute, no control character of theirs', () => {
    const page = toHtml(report);
    expect(page).not.toMatch(/<script/i);
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(page).not.toMatch(unseen);
    const tags = [...page.matchAll(/<\/?([a-z0-9]+)/gi)].map(([, name]) => name?.toLowerCase());
    const ours = new Set(
      'html head meta title style body header p h1 h2 h3 span ul li b dl dt dd code br nav a main section div strong table caption thead tbody tr th td svg rect line text path circle desc figure figcaption details summary pre footer'.split(
        ' ',
      ),
    );
    expect([...new Set(tags)].filter((name) => name !== undefined && !ours.has(name))).toEqual([]);
  });

  test('bring nothing from elsewhere into the page', () => {
    const page = toHtml(report);
    expect(page).not.toMatch(/\s(?:src|srcset|action|on[a-z]+)=|url\(|@import/i);
    expect([...page.matchAll(/href="([^"]*)"/g)].every(([, target]) => target?.startsWith('#'))).toBe(true);
    expect(page).toContain("default-src 'none'");
  });

  test('are text in Markdown: each row keeps its cells, and no markup is theirs', () => {
    const text = toMarkdown(report);
    expect(text).not.toMatch(unseen);
    expect(text).not.toMatch(/<script|[^\\]\[x\]\(/i);
    const tables = text.split(/\n\n/).filter((block) => block.startsWith('|'));
    expect(tables.length).toBeGreaterThan(5);
    for (const block of tables) {
      const cells = block
        .split('\n')
        .filter((line) => line.startsWith('|'))
        .map((line) => line.replaceAll(/\\./g, '').split('|').length);
      expect(new Set(cells).size).toBe(1);
    }
  });

  test('are whole in JSON, and still nothing that a terminal acts upon', () => {
    const text = toJson(report);
    expect(text).not.toMatch(unseen);
    expect(JSON.parse(text)).toEqual(report);
  });
});

describe('the journal', () => {
  test('its head is named and its chain verified; a row that was changed is named', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'neap-report-'));
    try {
      const plan = sketchPlan({ servers: SERVERS });
      const events = sail(plan);
      const path = join(folder, 'journal.db');
      const journal = await createJournal(path);
      await journal.append(events.map(({ atMs, event }) => ({ atMs, event: event as unknown as JsonObject })));
      await journal.close();
      const rows = await readJournal(path);
      const sound = reportOf(plan, events, { rows });
      expect(sound.journal).toEqual({ events: events.length, head: rows.at(-1)?.hash, chain: { ok: true } });
      expect(toHtml(sound)).toContain(rows.at(-1)?.hash ?? 'no head');
      const forged = rows.map((row) => (row.seq === 3 ? { ...row, atMs: row.atMs + 1 } : row));
      const caught = reportOf(plan, events, { rows: forged });
      expect(caught.journal.chain).toMatchObject({ ok: false, seq: 3 });
      for (const text of [toHtml(caught), toMarkdown(caught)])
        expect(text).toContain('event 3 is not what was written');
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('of another plan makes no report', () => {
    const plan = sketchPlan({ servers: SERVERS });
    expect(() => reportOf({ ...plan, hash: '0'.repeat(64) }, sail(plan))).toThrow('is of plan');
    expect(() => reportOf(plan, [])).toThrow('begins with the event "opened"');
  });
});

test('a large fleet stays a page: those with a story open, the others folded by domain', () => {
  const servers = Array.from({ length: 300 }, (_, at) => `api-${String(at + 1).padStart(4, '0')}`);
  const plan = sketchPlan({ servers });
  const page = toHtml(reportOf(plan, sail(plan, { hung: { 'api-0123': 'no answer' } })));
  const [before = '', ...folds] = page.split('<details><summary>rack-');
  expect(folds.length).toBe(4);
  expect(before).toContain('api-0123');
  expect(before).not.toContain('<th scope="row">api-0042');
  for (const server of servers) expect(page).toContain(server);
  expect(page.length / servers.length).toBeLessThan(1_500);
});
