import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { planClock } from '../../src/engine/clock.ts';
import { openEdge, type EdgeSwitch } from '../../src/engine/edge.ts';
import { guardReader } from '../../src/engine/guards.ts';
import { warmUp } from '../../src/engine/warm-up.ts';
import { FuseWatch } from '../../src/engine/watch-fuse.ts';
import { edgeSchema, FailureError, type Server } from '../../src/model/index.ts';
import type { Hands, Reader } from '../../src/ports/index.ts';
import { redactor } from '../../src/transport/index.ts';
import { paperFleet } from '../support/fleet.ts';

// Goal: the balancer's page is read and turned over HTTP or by commands of this machine, and no attempt counts before it
// shows; load comes back only where every dependency answers, and to warm caches. Method: a real HTTP server that has a
// page, real commands, and servers on paper.

let page = { on: false, status: 200, sticks: true };
let balancer: HttpServer;
let url = '';
let dir = '';

beforeEach(async () => {
  page = { on: false, status: 200, sticks: true };
  balancer = createServer((incoming, outgoing) => {
    if (incoming.method === 'PUT' && page.sticks) page.on = incoming.url === '/page/on';
    outgoing.writeHead(page.status).end(JSON.stringify({ page: { on: page.on } }));
  });
  await new Promise<void>((resolve) => balancer.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(balancer.address() as AddressInfo).port}/page`;
  dir = await mkdtemp(join(tmpdir(), 'neap-edge-'));
});

afterEach(async () => {
  balancer.closeAllConnections();
  balancer.close();
  await rm(dir, { recursive: true });
});

const opened = (edge: object): EdgeSwitch =>
  openEdge(edgeSchema.parse(edge), guardReader(join(dir, 'runbook.ts'), redactor([])), () => undefined);
const overHttp = () =>
  opened({
    read: { get: url, field: 'page.on' },
    on: { send: `${url}/on`, method: 'PUT' },
    off: { send: `${url}/off`, method: 'PUT' },
  });
const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: unknown) => (error instanceof FailureError ? error.failure : error),
  );

describe('the page', () => {
  test('over HTTP: read, turned on, and off', async () => {
    const edge = overHttp();
    expect(await edge.read()).toBe('off');
    await edge.turn('on');
    expect([page.on, await edge.read()]).toEqual([true, 'on']);
    await edge.turn('off');
    expect(await edge.read()).toBe('off');
  });

  test('an answer that is neither on nor off, and a refusal, are failures that say what to do', async () => {
    page.status = 503;
    expect(await failureOf(overHttp().read())).toMatchObject({
      kind: 'output',
      what: expect.stringContaining('HTTP 503'),
      remedy: expect.stringContaining('by hand'),
    });
    expect(await failureOf(overHttp().turn('on'))).toMatchObject({
      kind: 'command',
      what: expect.stringContaining('HTTP 503'),
    });
  });

  test('by commands of this machine: exit 0 is on, 1 is off, and anything else is no answer', async () => {
    const flag = join(dir, 'page on');
    const commands = (read: readonly string[]) =>
      opened({ read: { command: read }, on: { command: ['touch', flag] }, off: { command: ['rm', flag] } });
    const edge = commands(['test', '-e', flag]);
    expect(await edge.read()).toBe('off');
    await edge.turn('on');
    expect([await edge.read(), await readFile(flag, 'utf8')]).toEqual(['on', '']);
    await edge.turn('off');
    expect(await edge.read()).toBe('off');
    expect(await failureOf(edge.turn('off'))).toMatchObject({ kind: 'command' });
    await writeFile(join(dir, 'odd'), '#!/bin/sh\nexit 3\n', { mode: 0o700 });
    expect(await failureOf(commands([join(dir, 'odd')]).read())).toMatchObject({ kind: 'output' });
  });
});

/** A server whose database answers or not, and whose cache is so old. */
const ages = new Map<string, number>();
let databaseUp = true;
const calls: string[] = [];

const reader = ({ name }: Server) =>
  ({
    ask: async (what: string) => {
      if (what.startsWith('clock')) return JSON.stringify({ ageMs: ages.get(name) ?? 0, ttlMs: 200_000 });
      if (databaseUp) return 'ok';
      throw new FailureError({ kind: 'command', what: 'no answer', where: name, state: 'x', remedy: 'x' });
    },
  }) as unknown as Reader;
const hands = ({ name }: Server) =>
  ({
    call: async (what: string) => {
      calls.push(`${name} ${what}`);
      ages.set(name, 0);
    },
  }) as unknown as Hands;

const fleet = paperFleet({ servers: 3 });
// Plan time goes by a thousand times as fast: nobody waits for five seconds of it.
const clock = planClock({ anchorRealMs: Date.now(), anchorPlanMs: 0, rate: 1_000 });
const watch = () => {
  const known = () => [];
  const warm = () => warmUp({ servers: fleet.servers, reader, hands, clock, known, perSecond: 100 });
  const servers = new Map(fleet.servers.map((server) => [server.name, server]));
  return new FuseWatch({ servers, reader, clock, known, edge: overHttp(), ask: async () => undefined, warm });
};
const names = fleet.servers.map(({ name }) => name);

describe('shedding and giving back', () => {
  beforeEach(() => {
    ages.clear();
    calls.length = 0;
    databaseUp = true;
  });

  test('is done when it shows, and not before', async () => {
    expect(await watch().shed({ effect: 'shed', id: 'a', on: true, servers: [] })).toEqual({
      type: 'shed',
      id: 'a',
      found: 'off',
    });
    page = { ...page, on: false, sticks: false };
    expect(await watch().shed({ effect: 'shed', id: 'b', on: true, servers: [] })).toMatchObject({
      failure: { kind: 'not-confirmed' },
    });
  });

  test('waits for every dependency, refreshes what expired, and then gives back', async () => {
    page.on = true;
    databaseUp = false;
    const off = { effect: 'shed', id: 'c', on: false, servers: names } as const;
    expect(await watch().shed(off)).toMatchObject({
      found: 'on',
      failure: { kind: 'needs', what: expect.stringMatching(/^api-\d: the database/) },
    });
    expect(page.on).toBe(true);
    databaseUp = true;
    ages.set('api-2', 250_000);
    expect(await watch().shed(off)).toEqual({ type: 'shed', id: 'c', found: 'on' });
    expect([page.on, calls]).toEqual([false, ['api-2 refresh:sessions']]);
  });

  test('a count tells the first expiry of all', async () => {
    ages.set('api-3', 150_000);
    const counted = await watch().count({ effect: 'count', id: 'count/1', servers: names });
    expect(counted).toMatchObject({
      type: 'counted',
      first: { server: 'api-3', clock: 'sessions' },
      unread: [],
      edge: 'off',
    });
  });
});
