import { createServer, type Server } from 'node:http';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, afterEach, expect, test } from 'vitest';
import { anchorSink, type AnchorSink } from '../../src/engine/anchor-sinks.ts';
import { Anchoring } from '../../src/engine/anchoring.ts';
import { openSecrets } from '../../src/engine/reach/secrets.ts';
import { anchorsIn, type Head } from '../../src/journal/index.ts';
import { configSchema } from '../../src/model/index.ts';
import type { JournalRow } from '../../src/ports/index.ts';
import type { RunEvent } from '../../src/run/index.ts';
import { redactor } from '../../src/transport/index.ts';

// Goal: the head goes outside when it matters and at least every few minutes, a sink that fails or hangs holds up nobody
// and is journaled once. Method: rows as the journal gives them, and sinks that are real commands and a real HTTP server.

const RUN = '2026-11-21-ab12cd';
const MINUTE_MS = 60_000;
const row = (seq: number, atMs: number, event: object = { type: 'time' }): JournalRow => ({
  seq,
  atMs,
  epoch: 1,
  event: event as JournalRow['event'],
  prev: '0'.repeat(64),
  hash: seq.toString(16).padStart(64, 'a'),
});

/** A sink that a test answers for, and what was told to it and journaled. */
function listening(says: (head: Head) => string | null | Promise<string | null>): {
  readonly anchoring: Anchoring;
  readonly told: number[];
  readonly events: RunEvent[];
} {
  const [told, events]: [number[], RunEvent[]] = [[], []];
  const sink: AnchorSink = async (head) => {
    told.push(head.seq);
    return says(head);
  };
  return { anchoring: new Anchoring({ run: RUN, sink, tell: (event) => events.push(event) }), told, events };
}

test('told at openings, pages, passed gates, turns and the end, and every few minutes between', async () => {
  const { anchoring, told, events } = listening(() => null);
  const say = async (...rows: JournalRow[]): Promise<void> => {
    anchoring.follow(rows);
    await anchoring.settled();
  };
  await say(row(1, 0, { type: 'opened' }), row(2, 0, { type: 'approved' }), row(3, 0, { type: 'engine' }));
  await say(row(4, 1000, { type: 'looked' }));
  await say(row(5, 2000, { type: 'intended', effect: { effect: 'perform' } }));
  await say(row(6, 3000, { type: 'intended', effect: { effect: 'page' } }), row(7, 3000));
  await say(row(8, 4000, { type: 'intended', effect: { effect: 'pass' } }));
  await say(row(9, 5000, { type: 'turned' }));
  await say(row(10, 5000 + 2 * MINUTE_MS));
  await say(row(11, 5000 + 3 * MINUTE_MS));
  await say(row(12, 5000 + 3 * MINUTE_MS + 1, { type: 'closed' }));
  expect(told).toEqual([3, 7, 8, 9, 11, 12]);
  expect(events).toEqual([]);
});

test('a slow sink holds up nobody, and is then told the last head only', async () => {
  let go: (said: null) => void = () => undefined;
  const { anchoring, told } = listening(({ seq }) => (seq === 1 ? new Promise((resolve) => (go = resolve)) : null));
  anchoring.follow([row(1, 0, { type: 'opened' })]);
  for (const seq of [2, 3, 4]) anchoring.follow([row(seq, seq, { type: 'turned' })]);
  await turn();
  expect(told).toEqual([1]);
  expect(anchoring.onPage('Come.')).toBe(`Come. [head ${RUN} 4:${row(4, 0).hash.slice(0, 16)}]`);
  go(null);
  await anchoring.settled();
  expect(told).toEqual([1, 4]);
});

test('a sink that fails is journaled once, and once when it is there again; one that flaps is left to flap', async () => {
  let fails = true;
  const { anchoring, events } = listening(() => (fails ? 'nobody is there' : null));
  const say = async (seq: number): Promise<void> => {
    anchoring.follow([row(seq, seq, { type: 'turned' })]);
    await anchoring.settled();
  };
  for (const seq of [1, 2, 3]) await say(seq);
  expect(events).toEqual([{ type: 'anchor', standing: 'lost', seen: 'nobody is there' }]);
  fails = false;
  for (const seq of [4, 5]) await say(seq);
  expect(events[1]).toMatchObject({ type: 'anchor', standing: 'told' });
  for (let seq = 6; seq < 60; seq += 1) {
    fails = !fails;
    await say(seq);
  }
  expect(events).toHaveLength(10);
});

test('an engine that takes over does not journal again what the one before it did', async () => {
  const { anchoring, events } = listening(() => 'nobody is there');
  anchoring.begin({ seq: 7, hash: 'b'.repeat(64) }, true);
  expect(anchoring.onPage('Come.')).toBe(`Come. [head ${RUN} 7:${'b'.repeat(16)}]`);
  anchoring.follow([row(8, 0, { type: 'engine' })]);
  await anchoring.settled();
  expect(events).toEqual([]);
});

const folder = mkdtempSync(join(tmpdir(), 'neap-anchor-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const servers: Server[] = [];
afterEach(() => servers.splice(0).forEach((server) => server.close()));

const head = { seq: 412, hash: 'c'.repeat(64) };
function sinkTo(anchor: object): AnchorSink {
  const parsed = configSchema.parse({ journal: { anchor } }).journal.anchor!;
  const redact = redactor([]);
  return anchorSink(RUN, parsed, openSecrets(redact), redact);
}

async function webhook(status: number): Promise<{ readonly url: string; readonly bodies: string[] }> {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      bodies.push(`${request.method} ${request.url} ${body}`);
      response.writeHead(status).end();
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook/t0ken`, bodies };
}

test('a command gets the line on its standard input', async () => {
  const log = join(folder, 'heads.log');
  expect(await sinkTo({ to: 'command', command: ['sh', '-c', `cat >> ${log}`] })(head, 0)).toBeNull();
  expect(readFileSync(log, 'utf8')).toBe(`head ${RUN} 412:${head.hash}\n`);
  expect(await sinkTo({ to: 'command', command: ['sh', '-c', 'exit 3'] })(head, 0)).toBe('it ended with 3');
  expect(await sinkTo({ to: 'command', command: [join(folder, 'nothing')] })(head, 0)).toMatch(/ENOENT/);
});

test('a webhook gets JSON from whose log the anchor is found again', async () => {
  const { url, bodies } = await webhook(204);
  expect(await sinkTo({ to: 'webhook', url })(head, 77)).toBeNull();
  expect(bodies).toHaveLength(1);
  expect(bodies[0]).toMatch(/^POST \/hook\/t0ken /);
  expect(JSON.parse(bodies[0]!.slice(bodies[0]!.indexOf('{')))).toMatchObject({ run: RUN, ...head, atMs: 77 });
  expect(anchorsIn(bodies[0]!, RUN, 'a log')).toMatchObject([head]);
});

test('what a webhook fails with names no token', async () => {
  const { url } = await webhook(500);
  process.env['NEAP_TEST_HOOK'] = url;
  const origin = new URL(url).origin;
  expect(await sinkTo({ to: 'webhook', url: 'env:NEAP_TEST_HOOK' })(head, 0)).toBe(`${origin} answered 500`);
  const gone = url.replace(/:\d+/, ':1');
  expect(await sinkTo({ to: 'webhook', url: gone })(head, 0)).toBe('http://127.0.0.1:1: unreachable');
  expect(await sinkTo({ to: 'webhook', url: 'env:NEAP_TEST_NO_HOOK' })(head, 0)).toMatch(
    /no such environment variable/,
  );
});

test('a syslog daemon that is not there is a failure', async () => {
  expect(await sinkTo({ to: 'syslog', socket: join(folder, 'no-log') })(head, 0)).toMatch(/logger/);
});
