import { connect } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { Feed } from '../../src/engine/feed.ts';
import { serveViews, type View, type ViewServer } from '../../src/engine/socket.ts';
import type { JournalRow } from '../../src/ports/index.ts';

// Goal: every view is told every row once and in order, whenever it comes and however slowly it reads, and the engine
// holds no more for it than a bounded buffer. Method: real sockets, a journal of some 20 MB, and a reader that stops.

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'neap-feed-'));
});
afterAll(() => rm(dir, { recursive: true }));

const row = (seq: number): JournalRow => ({
  seq,
  atMs: seq,
  epoch: 1,
  event: { type: 'time', padding: 'x'.repeat(2_000) },
  prev: '',
  hash: '',
});

/** A feed over rows that are written by `write`, and its server. */
async function served(name: string, rows: JournalRow[]) {
  const feed = new Feed((from, count) => Promise.resolve(rows.slice(from - 1, from - 1 + count)), rows.length);
  const views: View[] = [];
  const server = await serveViews(join(dir, name), z.object({}), {
    open: (view) => {
      views.push(view);
      feed.attach(view);
    },
    line: () => undefined,
    lost: (view) => feed.detach(view),
  });
  const write = (count: number): void => {
    const written = Array.from({ length: count }, (_, at) => row(rows.length + at + 1));
    rows.push(...written);
    feed.publish(written);
  };
  return { feed, server, views, write };
}

/** Connects, and collects the numbers of the rows that it is told. */
function reader({ path }: ViewServer, until: number) {
  const socket = connect(path);
  const seen: number[] = [];
  const all = new Promise<void>((resolve) => {
    createInterface({ input: socket }).on('line', (line) => {
      seen.push(...(JSON.parse(line) as { rows: JournalRow[] }).rows.map(({ seq }) => seq));
      if (seen.length >= until) resolve();
    });
  });
  return { socket, seen, all };
}

const upTo = (count: number) => Array.from({ length: count }, (_, at) => at + 1);

test('the past, and what is written meanwhile and later, each row once and in order', async () => {
  const { feed, server, write } = await served('a.sock', upTo(5_000).map(row));
  const first = reader(server, 5_600);
  write(200);
  const second = reader(server, 5_600);
  write(100);
  await feed.settled();
  for (let each = 0; each < 300; each += 1) write(1);
  await Promise.all([first.all, second.all]);
  expect(first.seen).toEqual(upTo(5_600));
  expect(second.seen).toEqual(upTo(5_600));
  await server.close();
});

test('a view that does not read costs a bounded buffer, and is told the rest when it reads again', async () => {
  const { server, views, write } = await served('b.sock', upTo(2_000).map(row));
  const slow = reader(server, 10_000);
  const quick = reader(server, 10_000);
  slow.socket.pause();
  for (let each = 0; each < 80; each += 1) {
    write(100);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await quick.all;
  expect(views).toHaveLength(2);
  expect(views.some((view) => view.isFull())).toBe(true);
  expect(slow.seen.length).toBeLessThan(10_000);
  slow.socket.resume();
  await slow.all;
  expect(slow.seen).toEqual(upTo(10_000));
  expect(quick.seen).toEqual(upTo(10_000));
  await server.close();
});
