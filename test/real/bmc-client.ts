import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { RealBmc } from './bmc.ts';

export interface BmcAnswer {
  readonly status: number;
  readonly json: unknown;
  /** SHA-256 of the certificate that it showed. */
  readonly fingerprint: string;
}

/** Asks a BMC as a client by the book would: Basic login, its own certificate and no other. */
export function askBmc(
  bmc: RealBmc,
  path: string,
  { body, password = bmc.password }: { readonly body?: unknown; readonly password?: string } = {},
): Promise<BmcAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<BmcAnswer>();
  const call = request(
    `${bmc.url}${path}`,
    {
      method: body === undefined ? 'GET' : 'POST',
      auth: `${bmc.user}:${password}`,
      rejectUnauthorized: false,
      agent: false,
      signal: AbortSignal.timeout(5_000),
    },
    (answer) => {
      read(answer).then(resolve, reject);
    },
  );
  call.once('error', reject);
  call.end(body === undefined ? undefined : JSON.stringify(body));
  return promise;
}

async function read(answer: IncomingMessage): Promise<BmcAnswer> {
  // Asked before the body ends, after which the connection may be gone.
  const { fingerprint256 } = (answer.socket as TLSSocket).getPeerCertificate();
  const text = Buffer.concat(await answer.toArray()).toString('utf8');
  return { status: answer.statusCode ?? 0, json: text === '' ? null : JSON.parse(text), fingerprint: fingerprint256 };
}
