import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setLimit, setPage, setRotation, type ServerState, type World } from '../herd/index.ts';
import { jsonBody, pathOf } from './body.ts';
import { listen } from './link.ts';
import type { Stage } from './stage.ts';
import { say } from './web.ts';

/** A small HTTP service on a loopback port. */
export interface Service {
  readonly port: number;
  close(): void;
}

/** The load balancer's interface: `/servers/NAME`, `/page`, `/health`. */
export function openBalancer(stage: Stage): Promise<Service> {
  return openService((incoming, outgoing) => serveBalancer(stage, incoming, outgoing));
}

/** Something outside the fleet that answers while the way there is open: a control target. */
export function openControlTarget(): Promise<Service> {
  return openService(async (_, outgoing) => say(outgoing, 200, { ok: true }));
}

/** Listens, and answers what nobody else answers with 500. */
export async function openService(
  serve: (incoming: IncomingMessage, outgoing: ServerResponse) => Promise<void>,
): Promise<Service> {
  const http = createServer((incoming, outgoing) => {
    outgoing.on('error', () => outgoing.destroy());
    serve(incoming, outgoing).catch((error: unknown) => {
      if (outgoing.headersSent) outgoing.destroy();
      else say(outgoing, 500, { error: String(error) });
    });
  });
  const port = await listen(http);
  return {
    port,
    close() {
      http.close();
      http.closeAllConnections();
    },
  };
}

async function serveBalancer(stage: Stage, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  stage.touch();
  const { world } = stage;
  const path = pathOf(incoming);
  if (path === '/health') return say(outgoing, 200, { ok: true });
  if (path === '/page') return servePage(stage, incoming, outgoing);
  const name = /^\/servers\/([A-Za-z0-9._-]{1,100})$/.exec(path)?.[1];
  const server = world.servers.find((candidate) => candidate.name === name);
  if (server === undefined) return say(outgoing, 404, { error: 'there is /servers/NAME, /page and /health' });
  if (incoming.method === 'PUT') {
    const body = await jsonBody(incoming);
    const word = wordOf(body);
    if (word === null) return say(outgoing, 400, { error: 'state is in or out, admission is held or free' });
    stage.touch();
    const changed = turn(world, server, word);
    stage.record.add({
      server: server.name,
      via: 'balancer',
      what: word === 'in' || word === 'out' ? `traffic ${word}` : `admission ${word}`,
      writes: true,
      changed,
      ok: true,
    });
  } else if (incoming.method !== 'GET') return say(outgoing, 405, { error: 'GET or PUT' });
  say(outgoing, 200, {
    state: server.inRotation ? 'in' : 'out',
    health: server.seenUp ? 'up' : 'down',
    admission: server.limitPerSecond === null ? 'free' : 'held',
    weight: 100,
  });
}

type Word = 'in' | 'out' | 'held' | 'free';

function wordOf(body: Awaited<ReturnType<typeof jsonBody>>): Word | null {
  const { state, admission } = body ?? {};
  if (state === 'in' || state === 'out') return state;
  return admission === 'held' || admission === 'free' ? admission : null;
}

function turn(world: World, server: ServerState, word: Word): boolean {
  if (word === 'in' || word === 'out') return setRotation(world, server, word === 'in');
  return setLimit(world, server, word === 'held' ? admissionOf(world) : null);
}

/** What admission is held at: twice what a server has as a rule. */
export function admissionOf({ options }: World): number {
  return 2 * options.requestsPerSecond;
}

async function servePage(stage: Stage, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  if (incoming.method === 'PUT') {
    const on = (await jsonBody(incoming))?.['on'];
    if (typeof on !== 'boolean') return say(outgoing, 400, { error: 'on is true or false' });
    stage.touch();
    const changed = setPage(stage.world, on);
    stage.record.add({
      server: null,
      via: 'balancer',
      what: `page ${on ? 'on' : 'off'}`,
      writes: true,
      changed,
      ok: true,
    });
  }
  say(outgoing, 200, { on: stage.world.balancer.page });
}
