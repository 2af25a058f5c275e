import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { request, type ServerState } from '../herd/index.ts';
import { pathOf } from './body.ts';
import { openLink, type Link, type Manner } from './link.ts';
import type { Stage } from './stage.ts';

/** What a logged-in request carries. */
export const LAB_SESSION = { authorization: 'Session lab' } as const;

/** One server's HTTP: `/health`, `/` for anybody, `/mail` for who is logged in. Answers and delays are the model's. */
export async function openWeb(stage: Stage, server: ServerState, manner: () => Manner): Promise<Link> {
  const http = createServer((incoming, outgoing) => void answer(stage, server, incoming, outgoing));
  return openLink(manner, (socket) => http.emit('connection', socket));
}

async function answer(
  stage: Stage,
  server: ServerState,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  outgoing.on('error', () => outgoing.destroy());
  const kind = kindOf(pathOf(incoming));
  if (kind === null || (incoming.method !== 'GET' && incoming.method !== 'HEAD')) {
    say(outgoing, kind === null ? 404 : 405, { error: 'there is only GET /health, / and /mail' });
    return;
  }
  if (kind === 'logged-in' && incoming.headers.authorization !== LAB_SESSION.authorization) {
    say(outgoing, 401, { error: 'log in' });
    return;
  }
  stage.touch();
  const { bootId } = server;
  const met = request(stage.world, server, kind);
  if (met === null) return;
  await stage.wait(met.tookMs);
  // Who has hung or rebooted in the meantime owes nobody an answer any more.
  if (server.hungAtMs !== null || server.bootId !== bootId) return;
  say(
    outgoing,
    met.status,
    met.status === 200
      ? { server: server.name, ok: true }
      : { server: server.name, error: 'the database does not answer' },
  );
}

function kindOf(path: string): 'health' | 'anonymous' | 'logged-in' | null {
  switch (path) {
    case '/health':
      return 'health';
    case '/':
      return 'anonymous';
    case '/mail':
      return 'logged-in';
    default:
      return null;
  }
}

/** Answers in JSON. */
export function say(
  outgoing: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  outgoing.writeHead(status, { 'content-type': 'application/json', ...headers });
  outgoing.end(`${JSON.stringify(body)}\n`);
}
