import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { createGuardReader, type GuardParts } from '../../src/guards/index.ts';
import { pickField } from '../../src/engine/reach/field.ts';
import type { GuardReader } from '../../src/ports/index.ts';
import { httpGet, sanitise } from '../../src/transport/index.ts';

/** Reads guards as the engine does, with the wall clock. */
export function reader(cwd = tmpdir()): GuardReader {
  return createGuardReader(parts(cwd));
}

/** What reading needs, as the engine brings it. */
export function parts(cwd = tmpdir()): GuardParts {
  return { get: httpGet, cwd, wallClockMs: () => Date.now(), clean: sanitise, pick: pickField };
}

/** A web server on this machine for as long as it is used. */
export interface Web extends AsyncDisposable {
  readonly url: string;
  /** Every path with its query that was asked for. */
  readonly asked: string[];
}

export async function web(answer: (path: URL, response: ServerResponse) => void): Promise<Web> {
  const asked: string[] = [];
  const server: Server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    answer(new URL(request.url ?? '/', 'http://here'), response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
