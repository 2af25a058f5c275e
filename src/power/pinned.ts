import type { TLSSocket } from 'node:tls';
import type { buildConnector } from 'undici';
import { Client, buildConnector as connectorOf } from 'undici';
import { FailureError } from '../model/index.ts';
import type { Bmc, FailureKind } from '../model/index.ts';
import { ANSWER_BYTES, REQUEST_TIMEOUT_MS } from './limits.ts';

/** One answer of a BMC. `body` is null where it is empty or no JSON. */
export interface BmcAnswer {
  readonly status: number;
  readonly location: string | null;
  readonly retryAfterMs: number | null;
  readonly body: unknown;
}

/** One request to one BMC: on a connection of its own, since BMCs handle kept ones badly. */
export type BmcRequest = (method: 'GET' | 'POST', path: string, body?: unknown) => Promise<BmcAnswer>;

/**
 * Requests to a BMC whose certificate is pinned: the SHA-256 of its leaf is compared on the finished TLS handshake,
 * before a header, and so before the password, is sent. `closing` ends a request that is under way. Rejects with `unreachable` where nothing was sent, else `bmc`.
 */
export function pinnedRequests(
  bmc: Bmc,
  password: () => Promise<string>,
  where: string,
  closing: AbortSignal,
): BmcRequest {
  const { origin } = new URL(bmc.url);
  // A resumed TLS session would show no certificate, so none is kept.
  const connect = connectorOf({
    rejectUnauthorized: false,
    maxCachedSessions: 0,
    allowH2: false,
    timeout: REQUEST_TIMEOUT_MS,
  });
  return async (method, path, body) => {
    const authorization = `Basic ${Buffer.from(`${bmc.user}:${await password()}`).toString('base64')}`;
    const progress: Progress = { connected: false, wrongPin: null };
    const client = new Client(origin, {
      connect: (to: buildConnector.Options, callback: buildConnector.Callback) =>
        connect(to, checkPin(bmc, where, progress, callback)),
    });
    try {
      const answer = await client.request({
        method,
        path,
        headers: {
          authorization,
          accept: 'application/json',
          'accept-encoding': 'identity',
          'odata-version': '4.0',
          connection: 'close',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        body: body === undefined ? null : JSON.stringify(body),
        signal: AbortSignal.any([closing, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
      });
      const retryAfter = Number(answer.headers['retry-after']);
      return {
        status: answer.statusCode,
        location: typeof answer.headers.location === 'string' ? answer.headers.location : null,
        retryAfterMs: retryAfter > 0 ? retryAfter * 1000 : null,
        body: await readJson(answer.body),
      };
    } catch (error) {
      if (progress.wrongPin !== null) throw progress.wrongPin;
      throw noAnswer(bmc, where, method, progress.connected, error);
    } finally {
      client.destroy().catch(() => undefined);
    }
  };
}

interface Progress {
  connected: boolean;
  wrongPin: FailureError | null;
}

function checkPin(
  bmc: Bmc,
  where: string,
  progress: Progress,
  callback: buildConnector.Callback,
): buildConnector.Callback {
  return (...result) => {
    const [error, socket] = result;
    if (error !== null) return callback(error, null);
    const shown = (socket as TLSSocket).getPeerCertificate().fingerprint256 ?? 'none';
    if (shown !== bmc.fingerprint) {
      socket.destroy();
      progress.wrongPin = bmcFailure(
        where,
        `the BMC at ${bmc.url} shows the certificate ${shown}, enrolled is ${bmc.fingerprint}`,
        'The password was not sent',
        'Compare it on the BMC itself; if its certificate was renewed, put the new fingerprint into the fleet',
      );
      return callback(progress.wrongPin, null);
    }
    progress.connected = true;
    callback(null, socket);
  };
}

async function readJson(body: AsyncIterable<Buffer>): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES) return null;
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
  } catch {
    return null;
  }
}

function noAnswer(bmc: Bmc, where: string, method: 'GET' | 'POST', connected: boolean, cause: unknown): FailureError {
  const code =
    cause instanceof Error && 'code' in cause && typeof cause.code === 'string'
      ? cause.code
      : `no answer within ${REQUEST_TIMEOUT_MS} ms`;
  const remedy = `Try it by hand: curl -k ${bmc.url}/redfish/v1/`;
  if (!connected)
    return bmcFailure(
      where,
      `the BMC at ${bmc.url} has no connection (${code})`,
      'Nothing was sent to it',
      remedy,
      'unreachable',
      cause,
    );
  return bmcFailure(
    where,
    `the BMC at ${bmc.url} gave no whole answer (${code})`,
    stateAfter(method),
    remedy,
    'bmc',
    cause,
  );
}

/** What is known after a request that had no good answer. */
export function stateAfter(method: 'GET' | 'POST'): string {
  return method === 'GET' ? 'Nothing was changed' : 'The reset may have been done or not: its boot ID will tell';
}

/** A failure of out-of-band management. */
export function bmcFailure(
  where: string,
  what: string,
  state: string,
  remedy: string,
  kind: FailureKind & ('bmc' | 'denied' | 'unreachable') = 'bmc',
  cause?: unknown,
): FailureError {
  return new FailureError({ kind, what, where, state, remedy }, cause === undefined ? undefined : { cause });
}
